-- Indexes beside those that each table's own file makes: for what people look up and sort by, and
-- for what is removed when its time is over.
--
-- They are of plain columns. Where row level security holds, only what is proved to tell nothing of
-- a row it refuses uses an index: = and <, but neither lower() nor LIKE.
--
-- A table of a file that was not applied is passed over; a later run makes its indexes.
--
-- Needs 01-core.sql. PostgreSQL 15 to 18, no extension, no superuser; any number of times.

BEGIN ISOLATION LEVEL READ COMMITTED;

SET LOCAL client_min_messages = warning;

DO $$
BEGIN
    IF to_regprocedure('schema_begin(text,text[])') IS NULL THEN
        RAISE EXCEPTION '15-indexes.sql needs the table users of 01-core.sql'
              USING HINT = 'Apply 01-core.sql first, or all files: schema/init-unified-schema.sql.';
    END IF;
    PERFORM set_config('search_path',
                       schema_begin('15-indexes.sql', 'users', 'towns', 'companies'), true);
END
$$;

DO $$
DECLARE
    it record;
BEGIN
    FOR it IN
        SELECT on_table, col, ends
          FROM (VALUES
                ('companies', 'name', false), ('companies', 'domain', false),
                ('contacts', 'email', false), ('contacts', 'full_name', false),
                ('deals', 'deal_name', false), ('deals', 'close_date', false),
                ('conversations', 'title', false), ('knowledge_base', 'title', false),
                ('documents', 'filename', false), ('drive_files', 'name', false),
                ('calendar_events', 'title', false), ('widgets', 'name', false),
                ('api_keys', 'expires_at', true), ('user_roles', 'expires_at', true),
                ('town_invitations', 'expires_at', true), ('knowledge_base', 'expires_at', true))
                AS wanted (on_table, col, ends)
          JOIN pg_attribute a ON a.attrelid = to_regclass(on_table) AND a.attname = col
         -- A table's own file may have one.
         WHERE NOT EXISTS (SELECT FROM pg_index i
                            WHERE i.indrelid = a.attrelid AND i.indkey[0] = a.attnum
                              AND i.indisvalid AND i.indpred IS NULL)
    LOOP
        PERFORM schema_index(format('%s_%s_idx', it.on_table, it.col),
                             format('%I (%I)%s', it.on_table, it.col,
                                    CASE WHEN it.ends THEN format(' WHERE %I IS NOT NULL', it.col)
                                         ELSE '' END));
    END LOOP;
END
$$;

COMMIT;
