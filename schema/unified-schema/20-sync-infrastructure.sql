-- How far the nodes' databases are in step with the master: who takes part, what waits, what
-- conflicted, what was measured.
--
-- What waits and what conflicted are rows of every town: only the owner sees them. The owner reads
-- all of it in whatever town its session is.
--
-- Needs 01-core.sql. PostgreSQL 15 to 18, no extension, no superuser; any number of times.

BEGIN ISOLATION LEVEL READ COMMITTED;

SET LOCAL client_min_messages = warning;

DO $$
BEGIN
    IF to_regprocedure('schema_begin(text,text[])') IS NULL THEN
        RAISE EXCEPTION '20-sync-infrastructure.sql needs the table users of 01-core.sql'
              USING HINT = 'Apply 01-core.sql first, or all files: schema/init-unified-schema.sql.';
    END IF;
    PERFORM set_config('search_path', schema_begin('20-sync-infrastructure.sql', 'users'), true);
END
$$;

CREATE TABLE IF NOT EXISTS sync_nodes (
    id                uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    node_id           varchar(100) NOT NULL UNIQUE,
    node_name         varchar(255) NOT NULL,
    node_type         varchar(50)  NOT NULL CHECK (node_type IN ('master', 'replica', 'edge')),
    connection_string text,
    last_seen         timestamptz,
    is_online         boolean     DEFAULT false,
    metadata          jsonb       DEFAULT '{}',
    created_at        timestamptz DEFAULT now(),
    updated_at        timestamptz DEFAULT now()
);

CREATE TABLE IF NOT EXISTS pending_sync (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    table_name  varchar(255) NOT NULL,
    operation   varchar(50)  NOT NULL CHECK (
        operation IN ('INSERT', 'UPDATE', 'DELETE', 'UPSERT')),
    data        jsonb        NOT NULL,
    created_at  timestamptz DEFAULT now(),
    synced_at   timestamptz,
    error       text,
    retry_count integer     DEFAULT 0,
    last_retry  timestamptz,
    priority    integer     DEFAULT 0,
    node_id     varchar(100)
);

CREATE TABLE IF NOT EXISTS sync_status (
    id                     uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    table_name             varchar(255) NOT NULL UNIQUE,
    last_sync_at           timestamptz,
    last_sync_record_count integer     DEFAULT 0,
    last_sync_duration_ms  integer,
    last_error             text,
    sync_enabled           boolean     DEFAULT true,
    created_at             timestamptz DEFAULT now(),
    updated_at             timestamptz DEFAULT now()
);

CREATE TABLE IF NOT EXISTS sync_conflicts (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    table_name    varchar(255) NOT NULL,
    record_id     uuid         NOT NULL,
    source_node   varchar(100) NOT NULL,
    master_data   jsonb        NOT NULL,
    replica_data  jsonb        NOT NULL,
    resolution    varchar(50)  NOT NULL CHECK (
        resolution IN ('master_wins', 'replica_wins', 'merge', 'manual')),
    resolved_data jsonb,
    resolved_by   varchar(100),
    created_at    timestamptz DEFAULT now(),
    resolved_at   timestamptz
);

CREATE TABLE IF NOT EXISTS sync_metrics (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    metric_name  varchar(100) NOT NULL,
    metric_value numeric      NOT NULL,
    metric_unit  varchar(50),
    node_id      varchar(100),
    created_at   timestamptz DEFAULT now()
);

-- Notes in sync_status which rows of pending_sync a statement has settled, a row a table.
CREATE OR REPLACE FUNCTION update_sync_status_trigger() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO sync_status AS s (table_name, last_sync_at, last_sync_record_count, last_error)
    SELECT n.table_name, max(n.synced_at),
           count(*) FILTER (WHERE n.synced_at IS DISTINCT FROM o.synced_at),
           max(n.error) FILTER (WHERE n.synced_at IS NULL)
      FROM after_rows n JOIN before_rows o ON o.id = n.id
     WHERE n.synced_at IS DISTINCT FROM o.synced_at OR n.error IS DISTINCT FROM o.error
     GROUP BY n.table_name
     ORDER BY n.table_name
    ON CONFLICT (table_name) DO UPDATE
       SET last_sync_at = coalesce(EXCLUDED.last_sync_at, s.last_sync_at),
           last_sync_record_count = CASE WHEN EXCLUDED.last_sync_at IS NULL
                                         THEN s.last_sync_record_count
                                         ELSE EXCLUDED.last_sync_record_count END,
           last_error = EXCLUDED.last_error;
    RETURN NULL;
END
$$;

DO $$
BEGIN
    -- It showed what was so when it was last refreshed, with its owner's rights.
    IF EXISTS (SELECT FROM pg_class WHERE oid = to_regclass('sync_dashboard') AND relkind = 'm') THEN
        DROP MATERIALIZED VIEW sync_dashboard;
    END IF;
    PERFORM schema_modernise('sync_nodes', 'pending_sync', 'sync_status', 'sync_conflicts',
                             'sync_metrics');
    PERFORM schema_index('idx_pending_sync_node', 'pending_sync (node_id)');
    PERFORM schema_index('idx_sync_metrics_node', 'sync_metrics (node_id, created_at)');
    PERFORM schema_reference('pending_sync', 'node_id', 'sync_nodes (node_id)');
    PERFORM schema_reference('sync_metrics', 'node_id', 'sync_nodes (node_id)', 'CASCADE');
    PERFORM schema_keep_updated_at('sync_nodes', 'sync_status');

    PERFORM schema_check('sync_nodes', 'sync_nodes_connection_string_check', $part$
        connection_string !~* 'password\s*=' AND connection_string !~ '://[^/?@]*:[^/?@]+@'$part$);
    PERFORM schema_check('pending_sync', 'pending_sync_retry_count_check', 'retry_count >= 0');
    PERFORM schema_check('sync_status', 'sync_status_numbers_check',
                         'last_sync_record_count >= 0 AND last_sync_duration_ms >= 0');
    PERFORM schema_check('sync_conflicts', 'sync_conflicts_resolved_check',
        $part$resolved_at IS NULL OR resolution <> 'merge' OR resolved_data IS NOT NULL$part$);

    PERFORM schema_owner_alone('sync_nodes', 'pending_sync', 'sync_status', 'sync_conflicts',
                               'sync_metrics');
    PERFORM schema_policy('sync_status', 'read_by_all', 'FOR SELECT USING (true)');

    -- The earlier trigger ran for each row.
    IF NOT EXISTS (SELECT FROM pg_trigger
                    WHERE tgrelid = 'pending_sync'::regclass
                      AND tgname = 'trigger_update_sync_status' AND tgnewtable IS NOT NULL) THEN
        DROP TRIGGER IF EXISTS trigger_update_sync_status ON pending_sync;
        CREATE TRIGGER trigger_update_sync_status AFTER UPDATE ON pending_sync
               REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows
               FOR EACH STATEMENT EXECUTE FUNCTION update_sync_status_trigger();
    END IF;

    PERFORM schema_index('idx_sync_nodes_online', 'sync_nodes (node_id) WHERE is_online');
    -- What a sync takes next: the most urgent first, then the oldest.
    PERFORM schema_index('idx_pending_sync_priority',
                         'pending_sync (priority DESC, created_at) WHERE synced_at IS NULL');
    PERFORM schema_index('idx_pending_sync_unsynced',
                         'pending_sync (node_id, created_at) WHERE synced_at IS NULL');
    PERFORM schema_index('idx_pending_sync_error',
                         'pending_sync (table_name) WHERE error IS NOT NULL AND synced_at IS NULL');
    PERFORM schema_index('idx_pending_sync_table', 'pending_sync (table_name, created_at)');
    PERFORM schema_index('pending_sync_synced_idx',
                         'pending_sync (synced_at) WHERE synced_at IS NOT NULL');
    PERFORM schema_index('idx_sync_conflicts_table', 'sync_conflicts (table_name, record_id)');
    PERFORM schema_index('idx_sync_conflicts_unresolved',
                         'sync_conflicts (created_at) WHERE resolved_at IS NULL');
    PERFORM schema_index('idx_sync_metrics_name_time', 'sync_metrics (metric_name, created_at)');
    IF to_regprocedure('schema_audit(text[])') IS NOT NULL THEN
        PERFORM schema_audit('sync_nodes');
    END IF;

    -- What waits, failed and was done, a row a table.
    PERFORM schema_view('sync_dashboard', $view$
        SELECT coalesce(p.table_name, s.table_name) AS table_name,
               coalesce(p.pending_count, 0) AS pending_count,
               coalesce(p.error_count, 0) AS error_count,
               coalesce(p.synced_count, 0) AS synced_count, p.last_write,
               greatest(p.last_sync, s.last_sync_at) AS last_sync, p.avg_sync_latency_seconds,
               s.last_sync_record_count, s.last_sync_duration_ms, s.sync_enabled
          FROM (SELECT table_name,
                       count(*) FILTER (WHERE synced_at IS NULL) AS pending_count,
                       count(*) FILTER (WHERE synced_at IS NULL AND error IS NOT NULL) AS error_count,
                       count(synced_at) AS synced_count,
                       max(created_at) AS last_write, max(synced_at) AS last_sync,
                       avg(extract(epoch FROM synced_at - created_at)) AS avg_sync_latency_seconds
                  FROM pending_sync GROUP BY table_name) AS p
          FULL JOIN sync_status s ON s.table_name = p.table_name$view$);
END
$$;

-- How well the databases are in step, from 100 to 0: 40 points for changes that did not fail, 30 for
-- changes that wait no longer than five minutes, 30 for nodes that are online, each by its share of
-- the changes that wait, and of the nodes. Where nothing waits and no node is known, it is 100. With
-- the owner's rights: the number is for everybody, the changes are not.
CREATE OR REPLACE FUNCTION get_sync_health_score() RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT round(40 * coalesce(w.sound, 1) + 30 * coalesce(w.prompt, 1)
                 + 30 * coalesce(n.online, 1))::integer
      FROM (SELECT avg((error IS NULL)::integer) AS sound,
                   avg((created_at > now() - interval '5 minutes')::integer) AS prompt
              FROM pending_sync WHERE synced_at IS NULL) AS w,
           -- Those that left or were locked out are not missed.
           (SELECT avg((m.is_online IS TRUE)::integer) AS online
              FROM sync_nodes m, to_jsonb(m) AS whole
             WHERE whole ->> 'locked_out_at' IS NULL
               AND m.metadata -> 'report' ->> 'has_left' IS DISTINCT FROM 'true') AS n
$$;

-- Removes changes that were brought over more than a week ago; returns how many.
CREATE OR REPLACE FUNCTION cleanup_synced_records() RETURNS integer
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    removed integer;
BEGIN
    DELETE FROM pending_sync WHERE synced_at < now() - interval '7 days';
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END
$$;

-- For programs that call it: the view is always of now.
CREATE OR REPLACE FUNCTION refresh_sync_dashboard() RETURNS void
LANGUAGE sql SET search_path FROM CURRENT AS '';

REVOKE ALL ON FUNCTION update_sync_status_trigger FROM PUBLIC;

COMMENT ON TABLE sync_nodes IS 'The databases that are kept in step: the master and those of the nodes.';
COMMENT ON COLUMN sync_nodes.node_id IS 'The node''s name: vengeance-local.';
COMMENT ON COLUMN sync_nodes.connection_string IS 'Where the database is; refused with a password in it, which belongs in secrets.';
COMMENT ON COLUMN sync_nodes.last_seen IS 'When the node last reported.';
COMMENT ON TABLE pending_sync IS 'Changes that wait to be brought to other databases. Only the owner sees them.';
COMMENT ON COLUMN pending_sync.data IS 'The row that changed.';
COMMENT ON COLUMN pending_sync.error IS 'Why the last attempt failed.';
COMMENT ON COLUMN pending_sync.priority IS 'The highest goes first.';
COMMENT ON COLUMN pending_sync.node_id IS 'The node (sync_nodes.node_id) on which the change was made.';
COMMENT ON TABLE sync_status IS 'How far each table is in step.';
COMMENT ON COLUMN sync_status.last_sync_record_count IS 'How many rows the last sync brought.';
COMMENT ON COLUMN sync_status.last_error IS 'Why the last attempt failed; NULL where it did not.';
COMMENT ON COLUMN sync_status.sync_enabled IS 'Whether the table is kept in step.';
COMMENT ON TABLE sync_conflicts IS 'Rows that were changed in two places at once, with both versions. Only the owner sees them.';
COMMENT ON COLUMN sync_conflicts.source_node IS 'The node whose change met another: a name that stays when the node goes.';
COMMENT ON COLUMN sync_conflicts.resolved_data IS 'What the row became.';
COMMENT ON TABLE sync_metrics IS 'What was measured of the sync.';
COMMENT ON VIEW sync_dashboard IS 'What waits, failed and was brought over, a row a table.';
COMMENT ON FUNCTION get_sync_health_score() IS
    '100 to 0: 40 for changes that did not fail, 30 for those that wait under five minutes, 30 for nodes online.';
COMMENT ON FUNCTION cleanup_synced_records() IS 'Removes changes that were brought over more than a week ago; returns how many.';
COMMENT ON FUNCTION refresh_sync_dashboard() IS 'Does nothing: sync_dashboard is always of now.';

COMMIT;
