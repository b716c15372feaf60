-- Submissions of forms, as `robbieblocks forms receive` keeps them.
--
-- Needs file 21 and nothing else. PostgreSQL 15 to 18, no extension, no superuser; any number of
-- times. Without this file RobbieBlocks works as before, and receives no forms.
--
-- What visitors send is theirs: no address is kept, the table is not kept in step with other
-- databases, and schema/roles.sql lets neither editors nor reviewers read it.
--
--     psql -v ON_ERROR_STOP=1 -f schema/unified-schema/24-forms.sql

BEGIN ISOLATION LEVEL READ COMMITTED;

SET LOCAL client_min_messages = warning;

DO $$
DECLARE
    home text;
BEGIN
    PERFORM pg_advisory_xact_lock(7249104361285521);
    SELECT n.nspname INTO home
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid = to_regclass('robbieblocks_change_triggers');
    IF home IS NULL THEN
        RAISE EXCEPTION '24-forms.sql needs the tables of 21-robbieblocks-cms.sql'
              USING HINT = 'Apply 21-robbieblocks-cms.sql first, or run `robbieblocks db upgrade`.';
    END IF;
    PERFORM set_config('search_path', quote_ident(home) || ', pg_temp', true);
END
$$;

CREATE TABLE IF NOT EXISTS form_submissions (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    form_name   varchar(63)  NOT NULL,
    node_id     varchar(100) NOT NULL,
    app         varchar(50)  NOT NULL,
    page_key    varchar(255) NOT NULL,
    fields      jsonb        NOT NULL,
    state       varchar(20)  NOT NULL DEFAULT 'received' CHECK (state IN ('received', 'spam')),
    received_at timestamptz  NOT NULL DEFAULT now(),
    told_at     timestamptz
);

DO $$
BEGIN
    -- CREATE INDEX locks the table before it looks whether the index is there.
    IF to_regclass('form_submissions_received_idx') IS NULL THEN
        CREATE INDEX form_submissions_received_idx ON form_submissions (received_at);
    END IF;
END
$$;

COMMENT ON TABLE form_submissions IS 'What visitors sent by forms; docs/how-to/forms.md.';
COMMENT ON COLUMN form_submissions.form_name IS 'The form, as robbieblocks.toml names it.';
COMMENT ON COLUMN form_submissions.node_id IS 'The node whose site the form was sent to.';
COMMENT ON COLUMN form_submissions.app IS 'The app of the page.';
COMMENT ON COLUMN form_submissions.page_key IS 'The page, or frame, whose block states the form.';
COMMENT ON COLUMN form_submissions.fields IS 'The answers by field: texts, and true or false for boxes.';
COMMENT ON COLUMN form_submissions.state IS 'received, or spam: nobody is told of spam, and it is kept for 30 days.';
COMMENT ON COLUMN form_submissions.received_at IS 'When it came.';
COMMENT ON COLUMN form_submissions.told_at IS 'When the event that tells of it was noted; null before.';

COMMIT;
