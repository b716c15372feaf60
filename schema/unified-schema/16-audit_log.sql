-- Who did what, with the values before and after: written by a trigger, never changed afterwards.
--
-- One partition a month. Rows are removed by dropping whole months: audit_log_drop_before(). There
-- are no foreign keys to users and towns: the log outlives whom it tells of.
--
-- Needs 01-core.sql. PostgreSQL 15 to 18, no extension, no superuser; any number of times.

BEGIN ISOLATION LEVEL READ COMMITTED;

SET LOCAL client_min_messages = warning;

DO $$
BEGIN
    IF to_regprocedure('schema_begin(text,text[])') IS NULL THEN
        RAISE EXCEPTION '16-audit_log.sql needs the table users of 01-core.sql'
              USING HINT = 'Apply 01-core.sql first, or all files: schema/init-unified-schema.sql.';
    END IF;
    PERFORM set_config('search_path',
                       schema_begin('16-audit_log.sql', 'users', 'towns', 'companies'), true);
END
$$;

-- The earlier table is not partitioned; its rows move below.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_class WHERE oid = to_regclass('audit_log') AND relkind = 'r') THEN
        ALTER TABLE audit_log RENAME TO audit_log_earlier;
    END IF;
END
$$;

CREATE TABLE IF NOT EXISTS audit_log (
    id            uuid NOT NULL DEFAULT gen_random_uuid(),
    user_id       uuid,
    action        varchar(100) NOT NULL,
    entity_type   varchar(100),
    entity_id     varchar(255),
    old_values    jsonb,
    new_values    jsonb,
    ip_address    inet,
    user_agent    text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    town_id       uuid,
    database_role name DEFAULT session_user,
    PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);

-- Refuses what would change the log, whoever asks.
CREATE OR REPLACE FUNCTION audit_log_refuse() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    RAISE EXCEPTION 'audit_log is append-only: % refused', TG_OP
          USING ERRCODE = 'insufficient_privilege',
                HINT = 'Old months go with audit_log_drop_before().';
END
$$;

-- Makes the partition of the month of a time, where there is none. One that is asked for directly
-- shows and takes nothing: only the whole table's policies let rows through.
CREATE OR REPLACE FUNCTION audit_log_make_partition(moment timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    first CONSTANT timestamp := date_trunc('month', moment AT TIME ZONE 'UTC');
    partition CONSTANT text := 'audit_log_' || to_char(first, 'YYYY_MM');
BEGIN
    IF to_regclass(partition) IS NULL THEN
        EXECUTE format('CREATE TABLE %I PARTITION OF audit_log FOR VALUES FROM (%L) TO (%L)',
                       partition, first AT TIME ZONE 'UTC',
                       (first + interval '1 month') AT TIME ZONE 'UTC');
        PERFORM audit_log_guard(partition);
    END IF;
EXCEPTION WHEN check_violation THEN
    -- Rows of that month are in the default partition already, and stay there.
    NULL;
END
$$;

CREATE OR REPLACE FUNCTION audit_log_guard(partition text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', partition);
    EXECUTE format('CREATE TRIGGER audit_log_refuse_truncate BEFORE TRUNCATE ON %I '
                   'FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuse()', partition);
END
$$;

-- Makes the partitions of this month and some after it; to be called at least once a month. Rows
-- for which there is none go to the default partition.
CREATE OR REPLACE FUNCTION audit_log_make_partitions(months integer DEFAULT 3) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    FOR month IN 0 .. months LOOP
        PERFORM audit_log_make_partition(
            (date_trunc('month', now() AT TIME ZONE 'UTC') + month * interval '1 month')
            AT TIME ZONE 'UTC');
    END LOOP;
END
$$;

-- Drops the months that ended before a time; returns how many. For the owner alone.
CREATE OR REPLACE FUNCTION audit_log_drop_before(moment timestamptz) RETURNS integer
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    month text;
    dropped integer := 0;
BEGIN
    FOR month IN
        SELECT c.relname
          FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'audit_log'::regclass AND c.relname ~ '^audit_log_\d{4}_\d\d$'
           AND (to_date(substr(c.relname, 11), 'YYYY_MM') + interval '1 month') AT TIME ZONE 'UTC'
               <= moment
    LOOP
        EXECUTE format('DROP TABLE %I', month);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END
$$;

-- What a row says in the log: never what people log in with, nor a sensitive setting's value, nor
-- vectors, which are long and made from the rest.
CREATE OR REPLACE FUNCTION audit_log_told(told jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path FROM CURRENT AS $$
    SELECT told - ARRAY['password_hash', 'token_hash', 'key_hash', 'key_value_encrypted',
                        'access_token', 'refresh_token', 'bot_token', 'connection_string',
                        'embedding', 'deal_embedding']
           - CASE WHEN told ->> 'is_sensitive' = 'true' THEN 'value' ELSE '' END
$$;

-- The one trigger: of an update it tells the columns that changed. It writes with the owner's
-- rights, so whoever changes a row needs no right to write the log.
CREATE OR REPLACE FUNCTION audit_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    before CONSTANT jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
    after CONSTANT jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
    whole CONSTANT jsonb := coalesce(after, before);
    changed text[];
    -- A table without an id is known by its primary key; the town has a column of its own.
    named CONSTANT text := coalesce(whole ->> 'id', (
        SELECT string_agg(whole ->> a.attname, ' ' ORDER BY k.place)
          FROM pg_index i
         CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k (number, place)
          JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
         WHERE i.indrelid = TG_RELID AND i.indisprimary AND a.attname <> 'town_id'));
    town CONSTANT text := whole ->> CASE TG_TABLE_NAME WHEN 'towns' THEN 'uid' ELSE 'town_id' END;
    reader uuid;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        SELECT array_agg(key) INTO changed
          FROM jsonb_each(after) WHERE value IS DISTINCT FROM before -> key AND key <> 'updated_at';
        IF changed IS NULL THEN
            RETURN NULL;
        END IF;
    END IF;
    -- What is a user's or the owner's no town reads here either, whichever the session has.
    reader := CASE
        WHEN town LIKE '%-%' THEN town::uuid
        WHEN TG_TABLE_NAME IN ('users', 'api_keys', 'system_config', 'sync_nodes') THEN NULL
        WHEN TG_TABLE_NAME = 'secrets' THEN (
            SELECT uid FROM towns
             WHERE whole ->> 'scope' = 'town' AND name = whole ->> 'scope_id')
        ELSE current_town_id() END;
    INSERT INTO audit_log (user_id, action, entity_type, entity_id, old_values, new_values,
                           ip_address, user_agent, town_id)
    SELECT app_user_id(), TG_OP, TG_TABLE_NAME, named,
           CASE WHEN changed IS NULL THEN audit_log_told(before)
                ELSE (SELECT jsonb_object_agg(key, value) FROM jsonb_each(audit_log_told(before))
                       WHERE key = ANY (changed)) END,
           CASE WHEN changed IS NULL THEN audit_log_told(after)
                ELSE (SELECT jsonb_object_agg(key, value) FROM jsonb_each(audit_log_told(after))
                       WHERE key = ANY (changed)) END,
           coalesce(nullif(current_setting('app.ip_address', true), '')::inet, inet_client_addr()),
           nullif(current_setting('app.user_agent', true), ''),
           reader;
    RETURN NULL;
END
$$;

-- Has every change of tables written to the log.
CREATE OR REPLACE FUNCTION schema_audit(VARIADIC tables text[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    on_table text;
BEGIN
    FOREACH on_table IN ARRAY tables LOOP
        IF to_regclass(on_table) IS NOT NULL
           AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = to_regclass(on_table)
                                                    AND tgname = 'audit_change') THEN
            EXECUTE format('CREATE TRIGGER audit_change AFTER INSERT OR UPDATE OR DELETE ON %I '
                           'FOR EACH ROW EXECUTE FUNCTION audit_change()', on_table);
        END IF;
    END LOOP;
END
$$;

DO $$
BEGIN
    IF to_regclass('audit_log_default') IS NULL THEN
        CREATE TABLE audit_log_default PARTITION OF audit_log DEFAULT;
        PERFORM audit_log_guard('audit_log_default');
    END IF;
    PERFORM audit_log_make_partitions();
    IF to_regclass('audit_log_earlier') IS NOT NULL THEN
        PERFORM audit_log_make_partition(month)
           FROM (SELECT DISTINCT date_trunc('month', created_at, 'UTC') FROM audit_log_earlier) AS m (month)
          WHERE month IS NOT NULL;
        INSERT INTO audit_log (id, user_id, action, entity_type, entity_id, old_values, new_values,
                               ip_address, user_agent, created_at, database_role)
        SELECT id, user_id, action, entity_type, entity_id, old_values, new_values, ip_address,
               user_agent, coalesce(created_at, '-infinity'), NULL
          FROM audit_log_earlier;
        DROP TABLE audit_log_earlier;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'audit_log'::regclass
                                            AND tgname = 'audit_log_refuse') THEN
        CREATE TRIGGER audit_log_refuse BEFORE UPDATE OR DELETE ON audit_log
               FOR EACH ROW EXECUTE FUNCTION audit_log_refuse();
        CREATE TRIGGER audit_log_refuse_truncate BEFORE TRUNCATE ON audit_log
               FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuse();
    END IF;
    -- A town reads its own entries. Entries are written by audit_change(): who may insert is a
    -- matter of rights, and nobody but the owner has it.
    PERFORM schema_policy('audit_log', 'town_reads',
        'FOR SELECT USING ((SELECT all_towns()) OR town_id = (SELECT current_town_id()))');
    PERFORM schema_policy('audit_log', 'appended', 'FOR INSERT WITH CHECK (current_user = ('
        'SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = ''audit_log''::regclass))');
    PERFORM schema_policy('audit_log', 'never_updated', 'FOR UPDATE USING (true)');
    PERFORM schema_policy('audit_log', 'never_deleted', 'FOR DELETE USING (true)');
    PERFORM schema_force('audit_log');
    PERFORM schema_audit('users', 'api_keys', 'system_config', 'towns', 'companies', 'town_users',
                         'contacts', 'deals', 'shared_enriched_records',
                         'shared_knowledge_base', 'shared_market_intelligence',
                         'town_settings', 'town_domains', 'town_invitations', 'town_quotas',
                         'company_towns', 'company_members', 'roles', 'permissions',
                         'role_permissions', 'user_roles', 'privacy_rules', 'ai_personalities',
                         'secrets', 'sync_nodes', 'engagement_rules',
                         'google_data_access_rules', 'slack_workspaces');
    -- Of these two, not what each sync writes: who is read, by whom, with which key.
    IF to_regclass('google_workspace_users') IS NOT NULL THEN
        PERFORM schema_trigger('google_workspace_domains', 'audit_change',
            'AFTER INSERT OR DELETE OR UPDATE OF town_id, domain, service_account_email, '
            'service_account_key_path, client_id, is_active',
            'FOR EACH ROW EXECUTE FUNCTION audit_change()');
        PERFORM schema_trigger('google_workspace_users', 'audit_change',
            'AFTER INSERT OR DELETE OR UPDATE OF domain_id, email, data_visible_to',
            'FOR EACH ROW EXECUTE FUNCTION audit_change()');
    END IF;
    PERFORM schema_index('idx_audit_log_created_at', 'audit_log USING brin (created_at)');
    PERFORM schema_index('idx_audit_log_entity', 'audit_log (entity_type, entity_id)');
    PERFORM schema_index('idx_audit_log_user_id', 'audit_log (user_id, created_at)');
    PERFORM schema_index('audit_log_town_idx', 'audit_log (town_id, created_at)');
END
$$;

-- audit_change(), too: whoever may use it could put it on a temporary table of his own, and so
-- write entries of whatever he likes.
REVOKE ALL ON FUNCTION audit_change, audit_log_make_partition, audit_log_make_partitions,
    audit_log_guard, audit_log_drop_before, schema_audit FROM PUBLIC;

COMMENT ON TABLE audit_log IS 'Every change of the tables that matter: who, from where, before and after. Append-only.';
COMMENT ON COLUMN audit_log.user_id IS 'The users.id that the application named (app.user_id).';
COMMENT ON COLUMN audit_log.action IS 'INSERT, UPDATE or DELETE; in rows from before, what the application called it.';
COMMENT ON COLUMN audit_log.entity_type IS 'The table.';
COMMENT ON COLUMN audit_log.entity_id IS 'The row''s id; in a table without one its primary key, without the town.';
COMMENT ON COLUMN audit_log.old_values IS 'The row before; of an update, the columns that changed. Never hashes or secrets.';
COMMENT ON COLUMN audit_log.new_values IS 'The row afterwards, in the same way.';
COMMENT ON COLUMN audit_log.ip_address IS 'What the application set as app.ip_address, else the client''s address.';
COMMENT ON COLUMN audit_log.created_at IS 'When the transaction began. -infinity: an entry from before that had no time.';
COMMENT ON COLUMN audit_log.town_id IS 'The town (towns.uid) of the row, else of the session: it reads the entry. None has what is a user''s or the owner''s.';
COMMENT ON COLUMN audit_log.database_role IS 'The role that logged in.';
COMMENT ON FUNCTION audit_change() IS 'The trigger that writes audit_log.';
COMMENT ON FUNCTION audit_log_drop_before(timestamptz) IS 'Drops the months that ended before a time; returns how many.';

COMMIT;
