-- What is synced from Slack: a company's workspaces, their channels, people and messages.
--
-- Rows are seen where their company is. Tokens of Slack stand in no column here: they belong to the
-- secrets of the application.
--
-- Needs 01-core.sql. PostgreSQL 15 to 18, no extension, no superuser; any number of times.

BEGIN ISOLATION LEVEL READ COMMITTED;

SET LOCAL client_min_messages = warning;

DO $$
BEGIN
    IF to_regprocedure('schema_begin(text,text[])') IS NULL THEN
        RAISE EXCEPTION '13-slack.sql needs the table users of 01-core.sql'
              USING HINT = 'Apply 01-core.sql first, or all files: schema/init-unified-schema.sql.';
    END IF;
    PERFORM set_config('search_path', schema_begin('13-slack.sql', 'users', 'companies'), true);
END
$$;

CREATE TABLE IF NOT EXISTS slack_workspaces (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    company_id uuid,
    team_id    text NOT NULL,
    name       text,
    created_at timestamptz DEFAULT now()
);

CREATE TABLE IF NOT EXISTS slack_channels (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    company_id uuid,
    team_id    text NOT NULL,
    channel_id text NOT NULL,
    name       text,
    created_at timestamptz DEFAULT now()
);

CREATE TABLE IF NOT EXISTS slack_users (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    company_id     uuid,
    team_id        text NOT NULL,
    user_id        text NOT NULL,
    email          text,
    aurora_user_id uuid,
    created_at     timestamptz DEFAULT now()
);

CREATE TABLE IF NOT EXISTS slack_messages (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    company_id uuid,
    team_id    text NOT NULL,
    channel_id text NOT NULL,
    ts         text NOT NULL,
    user_id    text,
    text       text,
    metadata   jsonb       DEFAULT '{}',
    created_at timestamptz DEFAULT now()
);

DO $$
DECLARE
    on_table text;
BEGIN
    PERFORM schema_modernise('slack_workspaces', 'slack_channels', 'slack_users', 'slack_messages');
    -- Two companies may work in one workspace. The key of messages gives a channel's in order, too.
    PERFORM schema_unique_within('slack_workspaces', 'company_id', 'team_id');
    PERFORM schema_unique_within('slack_channels', 'company_id', 'team_id', 'channel_id');
    PERFORM schema_unique_within('slack_users', 'company_id', 'team_id', 'user_id');
    PERFORM schema_unique_within('slack_messages', 'company_id', 'team_id', 'channel_id', 'ts');
    PERFORM schema_index('slack_messages_user_idx',
                         'slack_messages (company_id, team_id, user_id, ts)');
    PERFORM schema_index('slack_messages_brin_idx', 'slack_messages USING brin (created_at)');
    FOREACH on_table IN ARRAY ARRAY['slack_workspaces', 'slack_channels', 'slack_users',
                                    'slack_messages'] LOOP
        PERFORM schema_reference(on_table, 'company_id', 'companies (uid)', 'CASCADE');
        PERFORM schema_protect_company(on_table);
    END LOOP;
    PERFORM schema_reference('slack_users', 'aurora_user_id', 'users (id)', 'SET NULL');
    -- Ten digits and six: such texts stand in the order of their times, until the year 2286.
    PERFORM schema_check('slack_messages', 'slack_messages_ts_check',
                         $part$ts ~ '^\d{10}\.\d{6}$'$part$);
END
$$;

COMMENT ON TABLE slack_workspaces IS 'Slack workspaces of a company.';
COMMENT ON COLUMN slack_workspaces.team_id IS 'Slack''s id of the workspace: T012AB3CD.';
COMMENT ON TABLE slack_channels IS 'Channels of a workspace.';
COMMENT ON COLUMN slack_channels.channel_id IS 'Slack''s id of the channel, within the workspace.';
COMMENT ON TABLE slack_users IS 'People and programs of a workspace.';
COMMENT ON COLUMN slack_users.user_id IS 'Slack''s id of the person, within the workspace.';
COMMENT ON COLUMN slack_users.aurora_user_id IS 'The users.id of the same person, where there is one.';
COMMENT ON TABLE slack_messages IS 'Messages of channels.';
COMMENT ON COLUMN slack_messages.channel_id IS 'Slack''s id of the channel; its row may come later.';
COMMENT ON COLUMN slack_messages.ts IS 'Slack''s id of the message in its channel, and its time in seconds: 1355517523.000005.';
COMMENT ON COLUMN slack_messages.user_id IS 'Slack''s id of who wrote it; NULL: a program.';
COMMENT ON COLUMN slack_messages.metadata IS 'What else Slack tells of the message.';
COMMENT ON COLUMN slack_messages.created_at IS 'When the row was made; ts is when the message was written.';

COMMIT;
