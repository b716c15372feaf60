-- Keeps databases of nodes in step with a master: last write wins, and what loses is kept.
--
--      1  Where things are created
--      2  Tables
--      3  Versions
--      4  Rows as JSON: read, written
--      5  Change capture
--      6  The outbox of a node
--      7  The master applies what a node sends
--      8  What the master gives
--      9  A node merges what the master gives
--     10  Set up, and shut out
--     11  Conflicts
--     12  Rights and comments
--
-- Until sync_start() is called nothing is captured, and no other table has a trigger of this file.
-- How it works, and the rules: docs/sync.md.
--
-- Needs 21-robbieblocks-cms.sql alone. PostgreSQL 15 to 18, no extension, no superuser; any number
-- of times, before and after file 20, whose tables it makes where they are missing.
--
--     psql -v ON_ERROR_STOP=1 -f schema/unified-schema/23-robbieblocks-sync.sql

BEGIN ISOLATION LEVEL READ COMMITTED;

SET LOCAL client_min_messages = warning;

-- 1  Where things are created -------------------------------------------------------------------

DO $$
DECLARE
    home text;
BEGIN
    PERFORM pg_advisory_xact_lock(7249104361285521);
    SELECT n.nspname INTO home
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid = to_regclass('robbieblocks_pages');
    IF home IS NULL THEN
        RAISE EXCEPTION '23-robbieblocks-sync.sql needs the tables of 21-robbieblocks-cms.sql'
              USING HINT = 'Apply 21-robbieblocks-cms.sql first: robbieblocks db init.';
    END IF;
    PERFORM set_config('search_path', quote_ident(home) || ', pg_temp', true);
END
$$;


-- 2  Tables -------------------------------------------------------------------------------------
-- Five are those of file 20, column by column.

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

-- Which database this is. No row: it takes no part in a sync.
CREATE TABLE IF NOT EXISTS sync_self (
    is_self         boolean PRIMARY KEY DEFAULT true CHECK (is_self),
    node_id         varchar(100) NOT NULL,
    is_master       boolean      NOT NULL,
    clock_offset_ms bigint       NOT NULL DEFAULT 0,
    paused_at       timestamptz,
    started_at      timestamptz  NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS sync_tables (
    table_name  varchar(255) PRIMARY KEY,
    direction   varchar(20) NOT NULL CHECK (direction IN ('both', 'down', 'up', 'never')),
    rule        varchar(20) NOT NULL DEFAULT 'row' CHECK (rule IN ('row', 'column')),
    has_deletes boolean     NOT NULL DEFAULT true,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);

-- The version of each row beside it, and of rows that are gone. Without a row here, a row is from
-- before the sync, and its version is ''.
CREATE TABLE IF NOT EXISTS sync_rows (
    table_name      varchar(255) NOT NULL,
    row_key         text COLLATE "C" NOT NULL,
    version         text COLLATE "C" NOT NULL DEFAULT '',
    sent_version    text COLLATE "C",
    is_deleted      boolean     NOT NULL DEFAULT false,
    column_versions jsonb,
    applying_xid    xid8,
    changed_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (table_name, row_key)
) WITH (fillfactor = 80);

-- What the master has changed, in order, with whole rows. This is what is published.
CREATE TABLE IF NOT EXISTS sync_log (
    position        bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    xid             xid8         NOT NULL DEFAULT pg_current_xact_id(),
    table_name      varchar(255) NOT NULL,
    row_key         text COLLATE "C" NOT NULL,
    operation       varchar(50)  NOT NULL CHECK (operation IN ('UPSERT', 'DELETE')),
    data            jsonb,
    version         text COLLATE "C" NOT NULL,
    sent_version    text COLLATE "C",
    column_versions jsonb,
    origin          varchar(100) NOT NULL,
    created_at      timestamptz  NOT NULL DEFAULT now()
);

-- What the master has taken from nodes: nothing is applied twice.
CREATE TABLE IF NOT EXISTS sync_received (
    id           uuid PRIMARY KEY,
    node_id      varchar(100) NOT NULL,
    table_name   varchar(255) NOT NULL,
    row_key      text COLLATE "C" NOT NULL,
    base_version text COLLATE "C",
    outcome      varchar(20)  NOT NULL,
    is_cascade   boolean      NOT NULL DEFAULT false,
    created_at   timestamptz  NOT NULL DEFAULT now()
);

-- Rows as they were when they went, or when a foreign key emptied them (`left_as`: what it made of
-- its columns). A restore brings them back with a row that lost.
CREATE TABLE IF NOT EXISTS sync_gone_rows (
    table_name  varchar(255) NOT NULL,
    row_key     text COLLATE "C" NOT NULL,
    data        jsonb        NOT NULL,
    left_as     jsonb,
    is_taken_along boolean      NOT NULL,
    xid         xid8         NOT NULL DEFAULT pg_current_xact_id(),
    created_at  timestamptz  NOT NULL DEFAULT now(),
    PRIMARY KEY (table_name, row_key)
);

-- Hashes of large tables, made once for all nodes that ask while nothing changes.
CREATE TABLE IF NOT EXISTS sync_hashed (
    table_name   varchar(255) NOT NULL,
    asked        text COLLATE "C" NOT NULL,
    mark         text        NOT NULL,
    parts        jsonb       NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (table_name, asked)
);

DO $$
DECLARE
    it record;
BEGIN
    FOR it IN
        SELECT * FROM (VALUES
            ('pending_sync',   'position',        'bigint GENERATED BY DEFAULT AS IDENTITY'),
            ('pending_sync',   'xid',             'xid8 DEFAULT pg_current_xact_id()'),
            ('pending_sync',   'row_key',         'text COLLATE "C"'),
            ('pending_sync',   'version',         'text COLLATE "C"'),
            ('pending_sync',   'base_version',    'text COLLATE "C"'),
            ('pending_sync',   'column_versions', 'jsonb'),
            ('pending_sync',   'base_columns',    'jsonb'),
            ('pending_sync',   'is_cascade',      'boolean NOT NULL DEFAULT false'),
            ('pending_sync',   'sent_at',         'timestamptz'),
            ('pending_sync',   'needs',           'text[]'),
            ('sync_nodes',     'let_in_at',       'timestamptz'),
            ('sync_nodes',     'database_role',   'varchar(63)'),
            ('sync_nodes',     'tables',          'text[]'),
            ('sync_nodes',     'towns',           'text[]'),
            ('sync_nodes',     'clock_skew_ms',   'bigint'),
            ('sync_nodes',     'locked_out_at',   'timestamptz'),
            ('sync_nodes',     'schema_version',  'varchar(64)'),
            ('sync_nodes',     'applying_xid',    'xid8'),
            ('sync_tables',    'stopped_xid',     'xid8'),
            ('sync_rows',      'row_town',        'text'),
            ('sync_rows',      'left_towns',      'text[]'),
            ('sync_conflicts', 'row_key',         'text COLLATE "C"'),
            ('sync_conflicts', 'rule',            'varchar(50)'),
            ('sync_conflicts', 'master_version',  'text COLLATE "C"'),
            ('sync_conflicts', 'replica_version', 'text COLLATE "C"'),
            ('sync_conflicts', 'restored_at',     'timestamptz')
        ) AS added (on_table, column_name, definition)
         WHERE NOT EXISTS (SELECT FROM pg_attribute a
                            WHERE a.attrelid = to_regclass(added.on_table)
                              AND a.attname = added.column_name AND NOT a.attisdropped)
    LOOP
        EXECUTE format('ALTER TABLE %I ADD COLUMN %I %s', it.on_table, it.column_name,
                       it.definition);
    END LOOP;

    FOR it IN
        SELECT * FROM (VALUES
            -- What goes up next, in the order of the edits.
            ('pending_sync_waiting_idx', 'INDEX',
             'pending_sync (position) WHERE synced_at IS NULL'),
            -- The change of a row that a later edit of the row joins.
            ('pending_sync_row_idx', 'INDEX',
             'pending_sync (table_name, row_key) WHERE synced_at IS NULL'),
            ('pending_sync_xid_idx', 'INDEX', 'pending_sync (xid) WHERE synced_at IS NULL'),
            ('pending_sync_needs_idx', 'INDEX',
             'pending_sync (position) WHERE synced_at IS NULL AND needs IS NOT NULL'),
            ('idx_pending_sync_node', 'INDEX', 'pending_sync (node_id)'),
            ('idx_sync_metrics_node', 'INDEX', 'sync_metrics (node_id, created_at)'),
            ('sync_log_xid_idx', 'INDEX', 'sync_log (xid, position)'),
            ('sync_rows_deleted_idx', 'INDEX', 'sync_rows (changed_at) WHERE is_deleted'),
            -- What nodes of a town have to be told of when they compare.
            ('sync_rows_left_idx', 'INDEX',
             'sync_rows (table_name, row_key) WHERE left_towns IS NOT NULL'),
            ('sync_received_cascade_idx', 'INDEX',
             'sync_received (table_name, row_key) WHERE is_cascade'),
            ('sync_received_created_idx', 'INDEX', 'sync_received (created_at)'),
            -- What went with a row.
            ('sync_gone_rows_xid_idx', 'INDEX', 'sync_gone_rows (xid, table_name)'),
            ('sync_conflicts_row_idx', 'INDEX', 'sync_conflicts (table_name, row_key)'),
            ('sync_nodes_role_key', 'UNIQUE INDEX', 'sync_nodes (database_role)')
        ) AS wanted (index_name, kind, target)
         WHERE to_regclass(wanted.index_name) IS NULL
    LOOP
        EXECUTE format('CREATE %s %I ON %s', it.kind, it.index_name, it.target);
    END LOOP;
END
$$;

-- Where a table of settings is empty, it gets what a new master starts with.
INSERT INTO sync_tables (table_name, direction, has_deletes)
SELECT given.name, given.direction, given.has_deletes
  FROM (VALUES ('robbieblocks_pages', 'both', true),
               ('robbieblocks_components', 'both', true),
               ('robbieblocks_page_blocks', 'both', true),
               ('robbieblocks_style_tokens', 'both', true),
               ('robbieblocks_node_branding', 'both', true),
               ('robbieblocks_deploys', 'up', false),
               ('robbieblocks_change_triggers', 'down', false))
       AS given (name, direction, has_deletes)
 WHERE NOT EXISTS (SELECT FROM sync_tables);

INSERT INTO sync_tables (table_name, direction)
SELECT c.relname, 'both'
  FROM pg_class c
 WHERE c.relnamespace = quote_ident(current_schema())::regnamespace AND c.relkind = 'r'
   AND c.relname LIKE 'media\_%'
   AND NOT EXISTS (SELECT FROM sync_tables t WHERE t.table_name = c.relname);


-- 3  Versions -----------------------------------------------------------------------------------
-- A version is a hybrid logical clock's time and the node that made it, as a text that sorts: 16
-- hexadecimal digits (milliseconds * 65536 + counter), '@', node. A change of a row is greater than
-- the row's version before it, so who has seen a version writes a greater one, whatever his clock
-- says. Only changes of one row are ever compared, so the clock needs no counter for all.

-- This database's clock. Tests set sync_self.clock_offset_ms.
CREATE OR REPLACE FUNCTION sync_clock() RETURNS timestamptz
LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
BEGIN
    RETURN clock_timestamp() + coalesce((SELECT clock_offset_ms FROM sync_self), 0)
                               * interval '1 millisecond';
END
$$;

CREATE OR REPLACE FUNCTION sync_version(stamp bigint, node text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT lpad(to_hex(stamp), 16, '0') || '@' || node $$;

-- The number in a version; 0 for a row from before the sync.
CREATE OR REPLACE FUNCTION sync_stamp(version text) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN coalesce(version, '') = '' THEN 0
                ELSE ('x' || left(version, 16))::bit(64)::bigint END
$$;

CREATE OR REPLACE FUNCTION sync_stamp_at(moment timestamptz) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$ SELECT floor(extract(epoch FROM moment) * 1000)::bigint << 16 $$;

-- When a version was made, by the clock of the node that made it.
CREATE OR REPLACE FUNCTION sync_version_at(version text) RETURNS timestamptz
LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS $$
BEGIN
    RETURN to_timestamp((sync_stamp(version) >> 16) / 1000.0);
END
$$;

-- The version of a change by `node` of a row that has the version `last`.
CREATE OR REPLACE FUNCTION sync_next_version(last text, node text) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
BEGIN
    RETURN sync_version(greatest(sync_stamp_at(sync_clock()), sync_stamp(last) + 1), node);
END
$$;

-- This database's name in the sync.
CREATE OR REPLACE FUNCTION sync_me() RETURNS text
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
    RETURN (SELECT node_id FROM sync_self);
END
$$;


-- 4  Rows as JSON -------------------------------------------------------------------------------
-- Tables differ, so these statements are made of the catalogue's names, each with format's %I.
-- Every function that makes texts of values says how: keys and hashes depend on it.
--
-- What is called for each row is plpgsql, here and below, which keeps its plans: before
-- PostgreSQL 18 a function in SQL that is not expanded where it is called is planned each time,
-- which takes longer than to read some rows of the catalogue.

-- What a table's rows are known by, and what of them is written: generated columns are not.
CREATE OR REPLACE FUNCTION sync_table(the_table text, OUT keys text[], OUT columns text[])
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    SELECT (SELECT array_agg(a.attname::text ORDER BY k.place)
              FROM pg_index i, unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (attnum, place)
              JOIN pg_attribute a ON a.attnum = k.attnum
             WHERE i.indrelid = c.oid AND i.indisprimary AND a.attrelid = c.oid),
           (SELECT array_agg(a.attname::text ORDER BY a.attnum)
              FROM pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
               AND a.attgenerated = '')
      INTO keys, columns
      FROM pg_class c
     WHERE c.oid = to_regclass(quote_ident(the_table)) AND c.relkind IN ('r', 'p');
END
$$;

-- A row's key as a text: the value of its primary key, or a JSON array of the values.
CREATE OR REPLACE FUNCTION sync_key(content jsonb, keys text[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS $$
BEGIN
    IF cardinality(keys) = 1 THEN
        RETURN content ->> keys[1];
    END IF;
    RETURN (SELECT jsonb_agg(content -> k ORDER BY place)::text
              FROM unnest(keys) WITH ORDINALITY AS key (k, place));
END
$$;

-- The key of a row's content as the table itself would write it: an uuid has several spellings.
CREATE OR REPLACE FUNCTION sync_own_key(the_table text, content jsonb, keys text[]) RETURNS text
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET TimeZone = 'UTC' SET DateStyle = 'ISO, YMD'
SET IntervalStyle = 'postgres' SET extra_float_digits = 3 SET bytea_output = 'hex' AS $$
DECLARE
    the_key text;
BEGIN
    EXECUTE format('SELECT sync_key(to_jsonb(jsonb_populate_record(NULL::%I, $1)), $2)', the_table)
       INTO the_key USING (SELECT jsonb_object_agg(k, content -> k) FROM unnest(keys) AS k), keys;
    RETURN the_key;
END
$$;

-- The condition that finds a row by its key ($1); the second with an index.
CREATE OR REPLACE FUNCTION sync_where(the_table text, keys text[]) RETURNS text
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN (
        SELECT string_agg(format('t.%I = (%s)::%s', a.attname,
                   CASE WHEN cardinality(keys) = 1 THEN '$1' ELSE format('$1::jsonb ->> %s', place - 1) END,
                   format_type(a.atttypid, a.atttypmod)), ' AND ' ORDER BY place)
          FROM unnest(keys) WITH ORDINALITY AS key (k, place)
          JOIN pg_attribute a ON a.attrelid = to_regclass(quote_ident(the_table)) AND a.attname = k);
END
$$;

-- The row with a key, locked; NULL where there is none.
CREATE OR REPLACE FUNCTION sync_fetch(the_table text, the_key text) RETURNS jsonb
LANGUAGE plpgsql SET search_path FROM CURRENT SET TimeZone = 'UTC' SET DateStyle = 'ISO, YMD'
SET IntervalStyle = 'postgres' SET extra_float_digits = 3 SET bytea_output = 'hex' AS $$
DECLARE
    shape record;
    found jsonb;
BEGIN
    SELECT * INTO shape FROM sync_table(the_table);
    EXECUTE format('SELECT to_jsonb(t) FROM %I t WHERE %s FOR UPDATE', the_table,
                   sync_where(the_table, shape.keys)) INTO found USING the_key;
    RETURN found;
END
$$;

-- Writes a row as `content` says; columns that it does not name keep what they have. NULL deletes.
-- Returns whether there was something to do.
CREATE OR REPLACE FUNCTION sync_write(the_table text, the_key text, content jsonb, is_there boolean)
RETURNS boolean
LANGUAGE plpgsql SET search_path FROM CURRENT SET TimeZone = 'UTC' SET DateStyle = 'ISO, YMD'
SET IntervalStyle = 'postgres' SET extra_float_digits = 3 SET bytea_output = 'hex' AS $$
DECLARE
    shape record;
    names text;
    done bigint;
BEGIN
    SELECT * INTO shape FROM sync_table(the_table);
    IF content IS NULL THEN
        EXECUTE format('DELETE FROM %I t WHERE %s', the_table, sync_where(the_table, shape.keys))
          USING the_key;
    ELSE
        SELECT string_agg(quote_ident(name), ', ' ORDER BY place) INTO names
          FROM unnest(shape.columns) WITH ORDINALITY AS given (name, place)
         WHERE content ? name
           -- Such a number is given once, and no UPDATE may write it.
           AND NOT (is_there AND name = ANY (ARRAY(
                   SELECT a.attname::text FROM pg_attribute a
                    WHERE a.attrelid = to_regclass(quote_ident(the_table))
                      AND a.attidentity = 'a')));
        IF names IS NULL THEN
            RETURN is_there;
        ELSIF is_there THEN
            EXECUTE format('UPDATE %1$I t SET (%2$s) = (SELECT %2$s FROM '
                           'jsonb_populate_record(NULL::%1$I, $2)) WHERE %3$s',
                           the_table, names, sync_where(the_table, shape.keys))
              USING the_key, content;
        ELSE
            EXECUTE format('INSERT INTO %1$I (%2$s) OVERRIDING SYSTEM VALUE SELECT %2$s FROM '
                           'jsonb_populate_record(NULL::%1$I, $1)', the_table, names)
              USING content;
        END IF;
    END IF;
    GET DIAGNOSTICS done = ROW_COUNT;
    RETURN done > 0;
END
$$;

-- The part of a row that another version of it speaks of.
CREATE OR REPLACE FUNCTION sync_same(ours jsonb, theirs jsonb, columns text[]) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS $$
BEGIN
    RETURN ours IS NOT NULL AND theirs IS NOT NULL
       AND NOT EXISTS (SELECT FROM jsonb_each(theirs) AS given
                        WHERE given.key = ANY (columns)
                          AND ours -> given.key IS DISTINCT FROM given.value);
END
$$;

-- Of a unique constraint or index: its columns, and the last of them where it is a number that
-- places a row among others (page_id, block_order).
CREATE OR REPLACE FUNCTION sync_unique(the_table text, the_name text, OUT columns text[],
                                       OUT place text, OUT is_key boolean)
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT array_agg(a.attname::text ORDER BY k.place),
           CASE WHEN count(*) > 1 AND bool_and(k.place < i.indnkeyatts OR a.atttypid IN (
                         'smallint'::regtype, 'integer'::regtype, 'bigint'::regtype))
                THEN max(a.attname::text) FILTER (WHERE k.place = i.indnkeyatts) END,
           i.indisprimary
      FROM pg_index i
      JOIN pg_class c ON c.oid = i.indexrelid,
           unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (attnum, place)
      LEFT JOIN LATERAL (SELECT * FROM pg_attribute
                          WHERE attrelid = i.indrelid AND attnum = k.attnum) AS a ON true
     WHERE i.indrelid = to_regclass(quote_ident(the_table)) AND c.relname = the_name
       AND k.place <= i.indnkeyatts
     GROUP BY i.indisprimary
$$;

-- The row that has the same values in the columns of a unique key, locked; NULL where none has.
CREATE OR REPLACE FUNCTION sync_holder(the_table text, content jsonb, columns text[]) RETURNS jsonb
LANGUAGE plpgsql SET search_path FROM CURRENT SET TimeZone = 'UTC' SET DateStyle = 'ISO, YMD'
SET IntervalStyle = 'postgres' SET extra_float_digits = 3 SET bytea_output = 'hex' AS $$
DECLARE
    found jsonb;
BEGIN
    EXECUTE format('SELECT to_jsonb(t) FROM %1$I t, jsonb_populate_record(NULL::%1$I, $1) AS given '
                   'WHERE %2$s FOR UPDATE OF t', the_table,
                   (SELECT string_agg(format('t.%1$I = given.%1$I', name), ' AND ')
                      FROM unnest(columns) AS name)) INTO found USING content;
    RETURN found;
END
$$;

-- The place after the last one among the rows that share the other columns of a unique key; where
-- that is the type's last number, the last place that is free.
CREATE OR REPLACE FUNCTION sync_last_place(the_table text, columns text[], place text,
                                           content jsonb)
RETURNS bigint
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    last bigint;
BEGIN
    EXECUTE format($query$
        WITH taken AS (SELECT t.%1$I::numeric AS n
                         FROM %2$I t, jsonb_populate_record(NULL::%2$I, $1) AS given WHERE %3$s)
        SELECT CASE WHEN (SELECT max(n) FROM taken) = $2
                    THEN (SELECT max(t.n) - 1 FROM taken t
                           WHERE NOT EXISTS (SELECT FROM taken before WHERE before.n = t.n - 1))
                    ELSE (SELECT coalesce(max(n), 0) + 1 FROM taken) END$query$,
                   place, the_table,
                   (SELECT string_agg(format('t.%1$I IS NOT DISTINCT FROM given.%1$I', name), ' AND ')
                      FROM unnest(columns) AS name WHERE name <> place))
       INTO last USING content, (
           SELECT power(2::numeric, 8 * a.attlen - 1) - 1 FROM pg_attribute a
            WHERE a.attrelid = to_regclass(quote_ident(the_table)) AND a.attname = place);
    RETURN last;
END
$$;


-- 5  Change capture -----------------------------------------------------------------------------
-- Ordinary triggers after each row, which replicated rows do not fire. Their arguments say all that
-- does not change from row to row: node, whether it is the master, direction, rule, whether deletes
-- are told, the columns of the primary key, those whose changes keep their order, and the table,
-- since a partition fires them under its own name.

-- What is kept beside a row, locked. By the index of its key, whatever statistics say: a plan of a
-- time when the table was empty would read all of it for each row of a batch of thousands. So it is
-- with the other functions that have this setting: they read alone, and have an index for it.
CREATE OR REPLACE FUNCTION sync_row(the_table text, the_key text) RETURNS sync_rows
LANGUAGE plpgsql SET search_path FROM CURRENT SET enable_seqscan = off AS $$
DECLARE
    found sync_rows;
BEGIN
    SELECT * INTO found FROM sync_rows r
     WHERE r.table_name = the_table COLLATE "default" AND r.row_key = the_key COLLATE "C"
       FOR UPDATE;
    RETURN found;
END
$$;

-- What became of a change that the master has taken; NULL: it has not.
CREATE OR REPLACE FUNCTION sync_outcome(the_id uuid) RETURNS text
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET enable_seqscan = off AS $$
BEGIN
    RETURN (SELECT g.outcome FROM sync_received g WHERE g.id = the_id);
END
$$;

-- Whose change this is: that of the node for which sync_apply() runs in this transaction, else of
-- this database. The setting alone proves nothing: every session can make it.
CREATE OR REPLACE FUNCTION sync_origin(me text) RETURNS text
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    said CONSTANT text := coalesce(current_setting('sync.origin', true), '');
BEGIN
    IF said = '' THEN
        RETURN me;
    END IF;
    RETURN coalesce((SELECT n.node_id FROM sync_nodes n
                      WHERE n.node_id = said AND n.applying_xid = pg_current_xact_id()), me);
END
$$;

-- The town of a row as it is kept beside what is gone: '' where it has none, NULL where its table
-- has no towns.
CREATE OR REPLACE FUNCTION sync_town_of(content jsonb) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN content ? 'town_id' THEN coalesce(content ->> 'town_id', '') END
$$;

-- What stands in the log for a row that is gone: its town, for nodes that get some towns alone.
CREATE OR REPLACE FUNCTION sync_gone(town text) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN town IS NOT NULL THEN jsonb_build_object('town_id', town) END
$$;

-- The towns that a row has left, once it goes from `was` to `town`; NULL: none.
CREATE OR REPLACE FUNCTION sync_left(towns text[], was text, town text) RETURNS text[]
LANGUAGE sql IMMUTABLE AS $$
    SELECT nullif(array_remove(CASE WHEN was IS NULL OR was = ANY (towns) THEN towns
                                    ELSE coalesce(towns, '{}') || was END, town), '{}')
$$;

-- Tells nodes of the town that a row has left that it is gone there. Nodes that get its new town,
-- too, and those that get all, are not told: `moved_to` says which they are.
CREATE OR REPLACE FUNCTION sync_tell_left(
    the_table text, the_key text, was text, town text, version text, node text
) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF was <> town THEN
        INSERT INTO sync_log (table_name, row_key, operation, data, version, origin)
        VALUES (the_table, the_key, 'DELETE',
                sync_gone(was) || jsonb_build_object('moved_to', town), version, node);
    END IF;
END
$$;

-- Notes that a row was changed here: gives it a version, and tells the others.
CREATE OR REPLACE FUNCTION sync_record(
    the_table text, the_key text, before jsonb, after jsonb, told text[]
) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    -- As TG_ARGV, it begins at 0.
    me CONSTANT text := told[0];
    is_master CONSTANT boolean := told[1];
    direction CONSTANT text := told[2];
    by_column CONSTANT boolean := told[3] = 'column';
    ordered CONSTANT text[] := coalesce(told[6]::text[], '{}');
    origin CONSTANT text := sync_origin(me);
    town CONSTANT text := sync_town_of(coalesce(after, before));
    was CONSTANT text := sync_town_of(before);
    last sync_rows;
    made text;
    all_columns jsonb;
    base jsonb;
    cascades boolean := false;
    joined text;
    joined_id uuid;
BEGIN
    IF after IS NULL AND NOT told[4]::boolean THEN
        RETURN;
    END IF;
    last := sync_row(the_table, the_key);
    IF last.applying_xid = pg_current_xact_id() THEN
        -- sync_apply() is at this row, and notes it itself.
        RETURN;
    END IF;
    -- A node's row that went with its parent has an earlier version again: none is made twice.
    made := sync_next_version(CASE WHEN is_master THEN last.version
                                   ELSE greatest(last.version, last.sent_version) END, me);
    IF by_column AND after IS NOT NULL THEN
        SELECT jsonb_object_agg(field.key, coalesce(last.column_versions ->> field.key, '')),
               coalesce(last.column_versions, '{}') || jsonb_object_agg(field.key, made)
          INTO base, all_columns
          FROM jsonb_each(after) AS field
         WHERE before IS NULL OR before -> field.key IS DISTINCT FROM field.value;
    END IF;
    cascades := before IS NOT NULL
        AND (after IS NULL OR EXISTS (
                SELECT FROM pg_constraint f
                 WHERE f.conrelid = to_regclass(quote_ident(the_table)) AND f.contype = 'f'
                   AND f.confdeltype IN ('n', 'd')))
        AND sync_is_orphan(the_table, before, after);
    IF is_master AND (cascades OR after IS NULL) THEN
        PERFORM sync_keep(the_table, the_key, before, after, cascades);
    END IF;
    IF cascades AND NOT is_master THEN
        -- The row shares its parent's fate, which the master decides. If the parent comes back, so
        -- does the row, in the version that it had.
        made := coalesce((SELECT p.base_version FROM pending_sync p
                           WHERE p.table_name = the_table AND p.row_key = the_key
                             AND p.synced_at IS NULL ORDER BY p.position + 0 LIMIT 1),
                         last.version, '');
    ELSIF cascades AND origin <> me THEN
        -- As old as the delete: what the node made of the row after it is newer.
        made := sync_version(greatest(sync_stamp(current_setting('sync.deleting', true)),
                                      sync_stamp(last.version) + 1), me);
        IF NOT sync_is_known(the_table, the_key, origin, last) THEN
            -- A node has deleted the parent, and did not know this row as it is.
            PERFORM sync_audit(the_table, the_key, origin, before, after, 'replica_wins',
                               'parent is gone', last.version, made, after);
        END IF;
    END IF;
    INSERT INTO sync_rows AS r (table_name, row_key, version, is_deleted, column_versions, row_town,
                                left_towns)
    VALUES (the_table, the_key, made, after IS NULL, all_columns, town,
            sync_left(last.left_towns, was, town))
    ON CONFLICT (table_name, row_key) DO UPDATE
       SET version = EXCLUDED.version, is_deleted = EXCLUDED.is_deleted,
           sent_version = CASE WHEN cascades AND NOT is_master
                               THEN greatest(r.version, r.sent_version) END,
           column_versions = EXCLUDED.column_versions, row_town = EXCLUDED.row_town,
           left_towns = EXCLUDED.left_towns, changed_at = now();
    IF is_master THEN
        IF direction IN ('both', 'down') THEN
            PERFORM sync_tell_left(the_table, the_key, was, town, made, origin);
            INSERT INTO sync_log (table_name, row_key, operation, data, version, column_versions,
                                  origin)
            VALUES (the_table, the_key, CASE WHEN after IS NULL THEN 'DELETE' ELSE 'UPSERT' END,
                    coalesce(after, sync_gone(town)), made, all_columns, origin);
        END IF;
        RETURN;
    END IF;
    IF direction NOT IN ('both', 'up') THEN
        RETURN;
    END IF;
    -- A change that has not left yet becomes this one, unless another version came in between,
    -- which it has to be compared with. An edit stays beside the note that its row went with its
    -- parent: where the master keeps the parent, the edit stays, too. A delete, and what gives a row
    -- another key or parent, keep their places among the changes of other rows: these may have left
    -- the row before, or take its key after it. An id stands for one content: the one that is
    -- joined may have been sent, from here or from a copy of this database.
    SELECT p.id, p.operation INTO joined_id, joined FROM pending_sync p
     WHERE p.table_name = the_table AND p.row_key = the_key AND p.synced_at IS NULL
       AND p.sent_at IS NULL AND p.version = last.version AND (p.is_cascade OR NOT cascades)
       AND CASE WHEN after IS NULL THEN p.is_cascade
                ELSE NOT (p.is_cascade AND p.operation = 'DELETE')
                     AND NOT EXISTS (SELECT FROM unnest(ordered) AS name
                                      WHERE p.data -> name IS DISTINCT FROM after -> name) END
     -- A sum, or the index of all that waits might be read in place of the row's.
     ORDER BY p.position + 0 DESC LIMIT 1 FOR UPDATE;
    IF joined IS NOT NULL THEN
        UPDATE pending_sync p
           SET id = gen_random_uuid(),
               operation = CASE WHEN after IS NULL THEN 'DELETE' ELSE 'UPSERT' END,
               data = coalesce(after, before), version = made, xid = pg_current_xact_id(),
               column_versions = all_columns, base_columns = base || coalesce(p.base_columns, '{}'),
               is_cascade = cascades, error = NULL, last_retry = NULL, retry_count = 0,
               needs = NULL
         WHERE p.id = joined_id;
    ELSE
        INSERT INTO pending_sync (table_name, operation, data, node_id, row_key, version,
                                  base_version, column_versions, base_columns, is_cascade)
        VALUES (the_table, CASE WHEN after IS NULL THEN 'DELETE' ELSE 'UPSERT' END,
                coalesce(after, before), me, the_key, made, coalesce(last.version, ''), all_columns,
                base, cascades);
    END IF;
    IF joined = 'DELETE' AND after IS NOT NULL THEN
        PERFORM sync_stay_gone(the_table, after);
    END IF;
    PERFORM pg_notify('sync_pending', '');
END
$$;

-- A row is there again whose delete has not left, so the master keeps what went with it. Here that
-- is gone: from now on by itself.
CREATE OR REPLACE FUNCTION sync_stay_gone(the_table text, content jsonb) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    it record;
BEGIN
    FOR it IN
        SELECT p.table_name, p.row_key, p.data
          FROM sync_children(the_table) AS c
          JOIN sync_tables s ON s.table_name = c.child AND s.direction IN ('both', 'up')
          JOIN pending_sync p ON p.table_name = c.child AND p.synced_at IS NULL
           AND p.is_cascade AND p.operation = 'DELETE'
         WHERE NOT EXISTS (SELECT FROM unnest(c.columns, c.parents) AS pair (child, parent)
                            WHERE p.data -> pair.child IS DISTINCT FROM content -> pair.parent)
    LOOP
        -- It may have come again from the master.
        CONTINUE WHEN sync_fetch(it.table_name, it.row_key) IS NOT NULL;
        PERFORM sync_record(it.table_name, it.row_key, it.data, NULL, sync_told(it.table_name));
    END LOOP;
END
$$;

-- The columns whose changes keep their order among those of other rows: of unique keys and foreign
-- keys. A row that finds its place taken moves to the end, so places are none.
CREATE OR REPLACE FUNCTION sync_ordered(the_table text) RETURNS text[]
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT ARRAY(
        SELECT a.attname::text FROM pg_attribute a
         WHERE a.attrelid = to_regclass(quote_ident(the_table)) AND a.attnum > 0
           AND (EXISTS (SELECT FROM pg_constraint f
                         WHERE f.conrelid = a.attrelid AND f.contype IN ('f', 'x')
                           AND a.attnum = ANY (f.conkey))
                OR EXISTS (SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
                            WHERE i.indrelid = a.attrelid AND i.indisunique
                              AND (sync_unique(the_table, c.relname::text)).place IS NULL
                              AND (a.attnum = ANY (i.indkey::smallint[]) OR EXISTS (
                                  -- Of an expression, or a condition.
                                  SELECT FROM pg_depend d
                                   WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                                     AND d.refclassid = d.classid AND d.refobjid = i.indrelid
                                     AND d.refobjsubid = a.attnum))))
         ORDER BY a.attnum)
$$;

-- What a table's triggers are given, as sync_attach() writes it; it begins at 0.
CREATE OR REPLACE FUNCTION sync_told(the_table text) RETURNS text[]
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT ('[0:7]=' || ARRAY[self.node_id, self.is_master::text, t.direction, t.rule,
                              t.has_deletes::text, s.keys::text, sync_ordered(the_table)::text,
                              the_table]::text)::text[]
      FROM sync_self self, sync_tables t, sync_table(the_table) AS s
     WHERE t.table_name = the_table
$$;

-- Whether a change of a row is what a foreign key made of it: with ON DELETE CASCADE the row goes
-- with the one that it refers to, with SET NULL and SET DEFAULT it refers to that no more.
DROP FUNCTION IF EXISTS sync_is_orphan(text, jsonb);
CREATE OR REPLACE FUNCTION sync_is_orphan(the_table text, before jsonb, after jsonb) RETURNS boolean
LANGUAGE plpgsql SET search_path FROM CURRENT
-- Else the catalogue's tables are planned for each row anew, which takes longer than to read them.
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    it record;
    is_orphan boolean;
BEGIN
    FOR it IN
        SELECT f.confrelid::regclass AS parent, p.relname::text AS name,
               string_agg(format('p.%I = given.%I', pa.attname, ca.attname), ' AND ') AS joined,
               string_agg(format('given.%I IS NOT NULL', ca.attname), ' AND ') AS given,
               array_agg(ca.attname::text) FILTER (
                   WHERE f.confdelsetcols IS NULL OR ca.attnum = ANY (f.confdelsetcols)) AS columns,
               f.confdeltype = 'd' AS by_default
          FROM pg_constraint f
          JOIN pg_class p ON p.oid = f.confrelid,
               unnest(f.conkey, f.confkey) AS pair (child, parent),
               pg_attribute ca, pg_attribute pa
         WHERE f.conrelid = to_regclass(quote_ident(the_table)) AND f.contype = 'f'
           AND (f.confdeltype = 'c' AND after IS NULL
                OR f.confdeltype IN ('n', 'd') AND after IS NOT NULL)
           AND ca.attrelid = f.conrelid AND ca.attnum = pair.child
           AND pa.attrelid = f.confrelid AND pa.attnum = pair.parent
         GROUP BY f.oid, f.confrelid, p.oid
    LOOP
        -- Only that: an edit is none, whatever it makes of the reference.
        CONTINUE WHEN after IS NOT NULL AND (
            after - 'updated_at'::text <> (before - 'updated_at'::text)
                || sync_emptied(the_table, it.columns, it.by_default)
            OR before - 'updated_at'::text = after - 'updated_at'::text);
        EXECUTE format('SELECT %s AND NOT EXISTS (SELECT FROM %s p WHERE %s) '
                       'FROM jsonb_populate_record(NULL::%I, $1) AS given',
                       it.given, it.parent, it.joined, the_table) INTO is_orphan USING before;
        -- A node may have lacked the parent before: then somebody deletes the row himself.
        IF is_orphan AND (
            EXISTS (SELECT FROM sync_rows r WHERE r.table_name = it.name
                       AND r.is_deleted AND r.changed_at = now())
            OR EXISTS (SELECT FROM sync_self WHERE is_master)
            OR NOT EXISTS (SELECT FROM pg_trigger t JOIN sync_tables s ON s.table_name = it.name
                            WHERE t.tgrelid = it.parent AND t.tgname = 'sync_capture'
                              AND s.has_deletes))
        THEN
            RETURN true;
        END IF;
    END LOOP;
    RETURN false;
END
$$;

-- What ON DELETE SET NULL, or SET DEFAULT, makes of columns.
CREATE OR REPLACE FUNCTION sync_emptied(the_table text, columns text[], by_default boolean)
RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
    made jsonb;
BEGIN
    EXECUTE (SELECT format('SELECT jsonb_build_object(%s)', string_agg(format('%L, %s', a.attname,
                        CASE WHEN by_default THEN coalesce(pg_get_expr(d.adbin, d.adrelid), 'NULL')
                             ELSE 'NULL' END), ', '))
               FROM pg_attribute a
               LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
              WHERE a.attrelid = to_regclass(quote_ident(the_table))
                AND a.attname = ANY (columns)) INTO made;
    RETURN made;
END
$$;

-- Whether a node that deleted a row's parent has said that it knew the row as it is.
CREATE OR REPLACE FUNCTION sync_is_known(the_table text, the_key text, node text, last sync_rows)
RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET enable_seqscan = off AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM sync_received g
         WHERE g.is_cascade AND g.table_name = the_table COLLATE "default"
           AND g.row_key = the_key COLLATE "C"
           AND g.node_id = node
           AND g.base_version IN (coalesce(last.version, ''),
                                  coalesce(last.sent_version, last.version, '')));
END
$$;

-- Keeps a row that goes, or that a foreign key empties, where others refer to it or it to others.
-- Returns whether it was not kept in this transaction before.
CREATE OR REPLACE FUNCTION sync_keep(
    the_table text, the_key text, before jsonb, after jsonb, cascades boolean
) RETURNS boolean
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO sync_gone_rows AS g (table_name, row_key, data, left_as, is_taken_along)
    SELECT the_table, the_key, before,
           (SELECT jsonb_object_agg(a.key, a.value) FROM jsonb_each(after) AS a
             WHERE before -> a.key IS DISTINCT FROM a.value), cascades
     WHERE EXISTS (SELECT FROM pg_trigger t
                    WHERE t.tgrelid = to_regclass(quote_ident(the_table)) AND t.tgconstraint <> 0)
    ON CONFLICT (table_name, row_key) DO UPDATE
       SET data = EXCLUDED.data, left_as = EXCLUDED.left_as, xid = EXCLUDED.xid,
           is_taken_along = EXCLUDED.is_taken_along, created_at = EXCLUDED.created_at
     WHERE g.xid <> EXCLUDED.xid OR (g.data, g.left_as) IS DISTINCT FROM
                                    (EXCLUDED.data, EXCLUDED.left_as);
    RETURN FOUND;
END
$$;

-- The foreign keys by which rows of others refer to a table's: what a delete does to those rows, and
-- how they are joined. `is_told`: changes of the other table, also deletes, are captured here.
CREATE OR REPLACE FUNCTION sync_children(the_table text)
RETURNS TABLE (child text, action "char", columns text[], parents text[], emptied text[],
               joined text, is_told boolean)
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN QUERY
    SELECT c.relname::text, f.confdeltype, array_agg(ca.attname::text ORDER BY pair.place),
           array_agg(pa.attname::text ORDER BY pair.place),
           array_agg(ca.attname::text) FILTER (
               WHERE f.confdelsetcols IS NULL OR ca.attnum = ANY (f.confdelsetcols)),
           string_agg(format('t.%I = given.%I', ca.attname, pa.attname), ' AND '),
           EXISTS (SELECT FROM pg_trigger t JOIN sync_tables s ON s.table_name = c.relname
                    WHERE t.tgrelid = c.oid AND t.tgname = 'sync_capture' AND s.has_deletes)
      FROM (SELECT DISTINCT t.tgconstraint FROM pg_trigger t
             WHERE t.tgrelid = to_regclass(quote_ident(the_table)) AND t.tgconstraint <> 0) AS own
      JOIN pg_constraint f ON f.oid = own.tgconstraint AND f.contype = 'f' AND f.conparentid = 0
       AND f.confrelid = to_regclass(quote_ident(the_table))
      JOIN pg_class c ON c.oid = f.conrelid
       AND c.relnamespace = quote_ident(current_schema())::regnamespace,
           unnest(f.conkey, f.confkey) WITH ORDINALITY AS pair (child, parent, place),
           pg_attribute ca, pg_attribute pa
     WHERE ca.attrelid = f.conrelid AND ca.attnum = pair.child
       AND pa.attrelid = f.confrelid AND pa.attnum = pair.parent
     GROUP BY f.oid, c.oid;
END
$$;

CREATE OR REPLACE FUNCTION sync_capture() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET TimeZone = 'UTC'
SET DateStyle = 'ISO, YMD' SET IntervalStyle = 'postgres' SET extra_float_digits = 3 SET bytea_output = 'hex' AS $$
DECLARE
    keys CONSTANT text[] := TG_ARGV[5]::text[];
    -- A name sorts by "C": handed on as it is, no index of the sync's tables would be used.
    the_table CONSTANT text := coalesce(TG_ARGV[7], TG_TABLE_NAME::text);
    before jsonb;
    after jsonb;
BEGIN
    IF TG_OP = 'UPDATE' AND OLD *= NEW THEN
        RETURN NULL;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        before := to_jsonb(OLD);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        after := to_jsonb(NEW);
    END IF;
    IF TG_OP = 'UPDATE' AND sync_key(before, keys) <> sync_key(after, keys) THEN
        PERFORM sync_record(the_table, sync_key(before, keys), before, NULL, TG_ARGV);
        before := NULL;
    END IF;
    PERFORM sync_record(the_table, sync_key(coalesce(after, before), keys), before, after,
                        TG_ARGV);
    RETURN NULL;
END
$$;

-- A TRUNCATE deletes row by row, for the others.
CREATE OR REPLACE FUNCTION sync_capture_truncate() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET TimeZone = 'UTC'
SET DateStyle = 'ISO, YMD' SET IntervalStyle = 'postgres' SET extra_float_digits = 3 SET bytea_output = 'hex' AS $$
DECLARE
    the_table CONSTANT text := TG_TABLE_NAME;
    gone jsonb;
BEGIN
    FOR gone IN EXECUTE format('SELECT to_jsonb(t) FROM %I t', the_table) LOOP
        PERFORM sync_record(the_table, sync_key(gone, TG_ARGV[5]::text[]), gone, NULL, TG_ARGV);
    END LOOP;
    RETURN NULL;
END
$$;

-- Rows of the change queue go down as they are: each database notes for itself who has handled
-- them. One of which something waits for the end of its transaction is told then.
CREATE OR REPLACE FUNCTION sync_capture_queue() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET TimeZone = 'UTC'
SET DateStyle = 'ISO, YMD' SET IntervalStyle = 'postgres' SET extra_float_digits = 3 SET bytea_output = 'hex' AS $$
BEGIN
    IF NEW.pending IS NULL THEN
        INSERT INTO sync_log (table_name, row_key, operation, data, version, origin)
        VALUES (TG_TABLE_NAME, NEW.id, 'UPSERT',
                to_jsonb(NEW) - '{processed_at,handled_nodes,change_xid,pending}'::text[], '',
                sync_origin(TG_ARGV[0]));
    END IF;
    RETURN NULL;
END
$$;

-- Nodes that have joined with a database of their own handle their own copies of a queue row:
-- nobody waits for them. ALWAYS, since rows that come down are written as a replica.
CREATE OR REPLACE FUNCTION sync_queue_elsewhere() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    self sync_self;
    elsewhere text[];
BEGIN
    SELECT * INTO self FROM sync_self;
    IF self.is_master THEN
        SELECT array_agg(n.node_id::text) INTO elsewhere
          FROM sync_nodes n
         WHERE n.database_role IS NOT NULL AND n.last_seen IS NOT NULL
           AND n.locked_out_at IS NULL;
    ELSIF EXISTS (SELECT FROM robbieblocks_node_branding b WHERE b.node_id = self.node_id) THEN
        SELECT array_agg(b.node_id::text) INTO elsewhere
          FROM robbieblocks_node_branding b WHERE b.node_id <> self.node_id;
    END IF;
    NEW.handled_nodes := NEW.handled_nodes || coalesce(elsewhere, '{}');
    RETURN NEW;
END
$$;

-- The key with which a node signs what it shares; NULL: nobody is to believe it.
CREATE OR REPLACE FUNCTION sync_cache_key(node sync_nodes) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT substring(node.metadata #>> '{report,cache_key}' FROM '^[0-9a-f]{64}$')
     WHERE node.locked_out_at IS NULL
$$;

-- Tells all nodes that a key has come, is another one, or has gone. Which it is now they ask: what
-- stands in a log may be older than a lock-out that they know of already.
CREATE OR REPLACE FUNCTION sync_capture_key() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    now_is text;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        now_is := sync_cache_key(NEW);
    END IF;
    IF sync_cache_key(OLD) IS DISTINCT FROM now_is
       AND EXISTS (SELECT FROM sync_self WHERE is_master)
    THEN
        INSERT INTO sync_log (table_name, row_key, operation, version, origin)
        VALUES ('sync_nodes', OLD.node_id, 'UPSERT', '', sync_me());
        PERFORM pg_notify('sync_keys', OLD.node_id);
    END IF;
    RETURN NULL;
END
$$;

-- Wakes whoever polls the log: once a transaction.
CREATE OR REPLACE FUNCTION sync_notify_log() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM pg_catalog.pg_notify('sync_log', '');
    RETURN NULL;
END
$$;


-- 6  The outbox of a node -----------------------------------------------------------------------

-- A change as it travels.
CREATE OR REPLACE FUNCTION sync_entry(sent pending_sync) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path FROM CURRENT AS $$
    SELECT jsonb_build_object(
        'id', sent.id, 'table', sent.table_name, 'row_key', sent.row_key,
        'operation', sent.operation, 'data', sent.data, 'version', sent.version,
        'base_version', sent.base_version, 'column_versions', sent.column_versions,
        'base_columns', sent.base_columns, 'is_cascade', sent.is_cascade)
$$;

-- What a content has of columns that the table still has: the master would refuse one that was
-- dropped since for ever.
CREATE OR REPLACE FUNCTION sync_still_there(the_table text, content jsonb) RETURNS jsonb
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT content - ARRAY(
        SELECT name FROM jsonb_object_keys(content) AS name
         WHERE NOT EXISTS (SELECT FROM pg_attribute a
                            WHERE a.attrelid = to_regclass(quote_ident(the_table))
                              AND a.attname = name AND a.attnum > 0 AND NOT a.attisdropped))
$$;

-- How many bytes of rows travel together, as texts: a value of jsonb has at most 256 MB, which may
-- be four times its text. One row alone travels whatever its size.
CREATE OR REPLACE FUNCTION sync_bytes() RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$ SELECT 32000000::bigint $$;

-- Whether a change is to be sent now: what was refused waits longer each time.
CREATE OR REPLACE FUNCTION sync_is_due(retried_at timestamptz, retries integer) RETURNS boolean
LANGUAGE sql STABLE AS $$
    -- A time that lies ahead is of a clock that was set back since.
    SELECT retried_at IS NULL OR retried_at > now() OR retried_at < now() - least(
               interval '1 hour', interval '1 minute' * power(2, least(retries, 10) - 1))
$$;

-- The next changes to send, in order, marked as sent. Transactions stay whole up to 5,000 rows and
-- sync_bytes(): a swap of two rows can be applied as one alone. What came before the end of one goes
-- with it. What a transaction that still runs is changing waits for its end, and so does what is
-- behind it; nobody waits for another here.
CREATE OR REPLACE FUNCTION sync_outbox_take(
    p_limit integer DEFAULT 200, p_bytes bigint DEFAULT 4000000
) RETURNS jsonb
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    up_to bigint;
    held bigint;
    place bigint;
    ids uuid[];
    xids xid8[];
    places bigint[];
BEGIN
    SELECT max(fitting.position) INTO up_to
      FROM (SELECT due.position, sum(due.bytes) OVER (ORDER BY due.position) - due.bytes AS before_it
              FROM (SELECT p.position, octet_length(p.data::text) AS bytes FROM pending_sync p
                     WHERE p.synced_at IS NULL AND p.row_key IS NOT NULL
                       AND sync_is_due(p.last_retry, p.retry_count)
                     ORDER BY p.position LIMIT p_limit) AS due) AS fitting
     WHERE fitting.before_it < p_bytes;
    LOOP
        SELECT max(p.position) INTO place FROM pending_sync p
         WHERE p.synced_at IS NULL AND p.last_retry IS NULL AND p.xid IN (
                   SELECT e.xid FROM pending_sync e
                    WHERE e.synced_at IS NULL AND e.row_key IS NOT NULL AND e.position <= up_to
                      AND sync_is_due(e.last_retry, e.retry_count));
        EXIT WHEN place <= up_to OR place IS NULL;
        up_to := place;
    END LOOP;
    SELECT array_agg(sized.id), array_agg(sized.xid), array_agg(sized.position)
      INTO ids, xids, places
      FROM (SELECT whole.*, row_number() OVER w AS place,
                   sum(octet_length(whole.data::text)) OVER w AS up_to_it
              FROM (SELECT p.id, p.xid, p.position, p.data FROM pending_sync p
                     WHERE p.synced_at IS NULL AND p.row_key IS NOT NULL AND p.position <= up_to
                       AND sync_is_due(p.last_retry, p.retry_count)
                     ORDER BY p.position LIMIT 5000) AS whole
            WINDOW w AS (ORDER BY whole.position)) AS sized
     WHERE sized.place = 1 OR sized.up_to_it < sync_bytes();
    WITH free AS MATERIALIZED (
        SELECT p.id, p.xid FROM pending_sync p
         WHERE p.id = ANY (ids) AND p.synced_at IS NULL FOR UPDATE SKIP LOCKED
    )
    SELECT min(t.position) INTO held FROM unnest(ids, xids, places) AS t (id, xid, position)
     WHERE (t.id, t.xid) NOT IN (SELECT f.id, f.xid FROM free f);
    WHILE held IS NOT NULL LOOP
        place := held;
        SELECT min(t.position) INTO held FROM unnest(xids, places) AS t (xid, position)
         WHERE t.xid IN (SELECT u.xid FROM unnest(xids, places) AS u (xid, position)
                          WHERE u.position >= place);
        CONTINUE WHEN held < place;
        ids := ARRAY(SELECT t.id FROM unnest(ids, places) AS t (id, position)
                      WHERE t.position < place);
        EXIT;
    END LOOP;
    UPDATE pending_sync p SET sent_at = now() WHERE p.id = ANY (ids);
    UPDATE pending_sync p
       SET data = sync_still_there(p.table_name, p.data),
           column_versions = sync_still_there(p.table_name, p.column_versions),
           base_columns = sync_still_there(p.table_name, p.base_columns)
     WHERE p.id = ANY (ids) AND p.retry_count > 0
       AND p.data IS DISTINCT FROM sync_still_there(p.table_name, p.data);
    RETURN coalesce((SELECT jsonb_agg(sync_entry(p) ORDER BY p.position)
                       FROM pending_sync p WHERE p.id = ANY (ids)), '[]');
END
$$;

-- Notes what the master has answered. What it refused waits, and is tried again; a later change of
-- the same row takes its place at once.
CREATE OR REPLACE FUNCTION sync_outbox_settle(p_results jsonb) RETURNS integer
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    settled integer;
    it pending_sync;
BEGIN
    UPDATE pending_sync p SET synced_at = now(), error = NULL
      FROM jsonb_to_recordset(p_results) AS r (id uuid, outcome text)
     WHERE p.id = r.id AND r.outcome <> 'refused' AND p.synced_at IS NULL;
    GET DIAGNOSTICS settled = ROW_COUNT;
    -- The master has another version, which may have an earlier time than one that was made here by a
    -- clock that is ahead: what is here gives way to it, however it comes.
    LOOP
        -- Of several that were made one of the other each gives way.
        UPDATE sync_rows k
           SET version = p.base_version, sent_version = greatest(k.sent_version, p.version),
               column_versions = k.column_versions || coalesce(p.base_columns, '{}')
          FROM jsonb_to_recordset(p_results) AS r (id uuid, is_behind boolean)
          JOIN pending_sync p ON p.id = r.id
         WHERE r.is_behind AND k.table_name = p.table_name AND k.row_key = p.row_key
           AND k.version = p.version AND p.base_version < p.version COLLATE "C";
        EXIT WHEN NOT FOUND;
    END LOOP;
    -- The same change under an earlier time: what comes later may have one in between.
    UPDATE sync_rows k
       SET version = r.version, sent_version = greatest(k.sent_version, p.version),
           column_versions = (SELECT jsonb_object_agg(c.key, least(c.value, r.version COLLATE "C"))
                                FROM jsonb_each_text(k.column_versions) AS c)
      FROM jsonb_to_recordset(p_results) AS r (id uuid, is_behind boolean, version text)
      JOIN pending_sync p ON p.id = r.id
     WHERE r.is_behind IS NOT TRUE AND k.table_name = p.table_name AND k.row_key = p.row_key
       AND k.version = p.version AND r.version < p.version COLLATE "C";
    UPDATE pending_sync p
       SET error = coalesce(r.reason, 'refused'), retry_count = p.retry_count + 1,
           last_retry = now(), sent_at = NULL,
           needs = CASE WHEN r.sqlstate = '23503' AND p.operation = 'UPSERT' THEN
               (SELECT array_agg(sync_named(n.parent, n.wanted))
                  FROM sync_parents(p.table_name, p.data) AS n) END
      FROM jsonb_to_recordset(p_results) AS r (id uuid, outcome text, reason text, sqlstate text)
     WHERE p.id = r.id AND r.outcome = 'refused' AND p.synced_at IS NULL;
    FOR it IN
        SELECT p.* FROM pending_sync p
          JOIN jsonb_to_recordset(p_results) AS r (id uuid, outcome text) ON p.id = r.id
         WHERE r.outcome = 'refused' AND p.synced_at IS NULL
    LOOP
        UPDATE pending_sync p
           SET base_version = it.base_version, base_columns = p.base_columns || it.base_columns
         WHERE p.id = (SELECT later.id FROM pending_sync later
                        WHERE later.table_name = it.table_name AND later.row_key = it.row_key
                          AND later.synced_at IS NULL AND later.position > it.position
                          AND later.base_version = it.version AND later.sent_at IS NULL
                        ORDER BY later.position LIMIT 1);
        IF FOUND THEN
            DELETE FROM pending_sync WHERE id = it.id;
        END IF;
    END LOOP;
    PERFORM sync_has_come(p.table_name, p.data) FROM pending_sync p
       JOIN jsonb_to_recordset(p_results) AS r (id uuid, outcome text) ON p.id = r.id
      WHERE r.outcome <> 'refused' AND p.operation = 'UPSERT';
    RETURN settled;
END
$$;

-- A row by some of its columns, as pending_sync.needs has it.
CREATE OR REPLACE FUNCTION sync_named(the_table text, columns jsonb) RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT the_table || ' ' || columns::text $$;

-- The master has this row: what it refused since that was missing there is sent at once.
CREATE OR REPLACE FUNCTION sync_has_come(the_table text, content jsonb) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pending_sync p WHERE p.synced_at IS NULL AND p.needs IS NOT NULL) THEN
        RETURN;
    END IF;
    UPDATE pending_sync p SET last_retry = NULL
     WHERE p.synced_at IS NULL AND p.last_retry IS NOT NULL AND p.needs && ARRAY(
               SELECT sync_named(the_table, (SELECT jsonb_object_agg(name, content -> name)
                                               FROM unnest(c.parents) AS name))
                 FROM sync_children(the_table) AS c);
    IF FOUND THEN
        PERFORM pg_notify('sync_pending', '');
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION sync_outbox_state(
    OUT waiting bigint, OUT refused bigint, OUT oldest_at timestamptz, OUT bytes bigint
)
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT count(*), count(error), min(created_at), coalesce(sum(pg_column_size(data)), 0)::bigint
      FROM pending_sync WHERE synced_at IS NULL AND row_key IS NOT NULL
$$;


-- 7  The master applies what a node sends -------------------------------------------------------

-- The node that calls, if it may. The owner may speak for every node.
CREATE OR REPLACE FUNCTION sync_caller(p_node text) RETURNS sync_nodes
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
    node sync_nodes;
BEGIN
    IF NOT EXISTS (SELECT FROM sync_self WHERE is_master) THEN
        RAISE EXCEPTION 'this database is not the master of a sync'
              USING ERRCODE = 'object_not_in_prerequisite_state',
                    HINT = 'Run `robbieblocks sync init-master` on the master.';
    END IF;
    SELECT * INTO node FROM sync_nodes n
     WHERE n.node_id = p_node
       AND (n.database_role = session_user OR pg_has_role(session_user, current_user, 'MEMBER'));
    IF node.node_id IS NULL THEN
        RAISE EXCEPTION 'the role % does not sync the node %', quote_ident(session_user),
              coalesce(quote_literal(p_node), 'null')
              USING ERRCODE = 'insufficient_privilege',
                    HINT = coalesce(
                        (SELECT format('That role is of the node %L: name that node, or use the '
                                       'address of the other one''s role.', n.node_id)
                           FROM sync_nodes n WHERE n.database_role = session_user),
                        'Have the master''s owner run `robbieblocks sync admit`.');
    ELSIF node.locked_out_at IS NOT NULL THEN
        RAISE EXCEPTION 'the node % is locked out since %', quote_literal(p_node),
              node.locked_out_at
              USING ERRCODE = 'insufficient_privilege',
                    HINT = 'The master''s owner lets it in again with sync_let_in().';
    END IF;
    RETURN node;
END
$$;

-- Keeps both versions of a row of which one loses. A side that is no row is JSON null.
CREATE OR REPLACE FUNCTION sync_audit(
    the_table text, the_key text, node text, masters jsonb, theirs jsonb, p_resolution text,
    p_rule text, p_master_version text, p_replica_version text, resolved jsonb
) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    record uuid;
BEGIN
    BEGIN
        record := the_key::uuid;
    EXCEPTION WHEN invalid_text_representation THEN
        record := md5(the_key)::uuid;
    END;
    INSERT INTO sync_conflicts (table_name, record_id, source_node, master_data, replica_data,
                                resolution, resolved_data, row_key, rule, master_version,
                                replica_version, created_at)
    VALUES (the_table, record, node, coalesce(masters, 'null'), coalesce(theirs, 'null'),
            p_resolution, resolved, the_key, p_rule, p_master_version, p_replica_version,
            clock_timestamp());
END
$$;

-- Gives a row of the master its version, and tells it to the nodes. `after` NULL: it is gone. Where
-- the node has sent `p_sent`, its row becomes this version whatever its clock says. `stands`: this
-- is the node's own change under another version, so what the node makes of it has seen it.
-- `gone` is the row that was deleted.
DROP FUNCTION IF EXISTS sync_note(text, text, jsonb, text, text, jsonb, text, boolean);
CREATE OR REPLACE FUNCTION sync_note(
    the_table text, the_key text, after jsonb, p_version text, p_sent text, p_columns jsonb,
    node text, stands boolean DEFAULT false, gone jsonb DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    last sync_rows;
    was text;
    town text;
BEGIN
    last := sync_row(the_table, the_key);
    was := coalesce(last.row_town, sync_town_of(gone));
    INSERT INTO sync_rows AS r (table_name, row_key, version, sent_version, is_deleted,
                                column_versions, row_town, left_towns)
    VALUES (the_table, the_key, p_version, CASE WHEN stands THEN nullif(p_sent, p_version) END,
            after IS NULL, p_columns, sync_town_of(coalesce(after, gone)),
            sync_left(last.left_towns, was, coalesce(sync_town_of(after), was)))
    ON CONFLICT (table_name, row_key) DO UPDATE
       SET version = EXCLUDED.version,
           sent_version = CASE WHEN NOT stands AND r.version = EXCLUDED.version
                               THEN r.sent_version ELSE EXCLUDED.sent_version END,
           is_deleted = EXCLUDED.is_deleted, column_versions = EXCLUDED.column_versions,
           row_town = coalesce(EXCLUDED.row_town, r.row_town), left_towns = EXCLUDED.left_towns,
           applying_xid = NULL, changed_at = now()
    RETURNING r.row_town INTO town;
    PERFORM sync_tell_left(the_table, the_key, was, town, p_version, node)
       FROM sync_tables t WHERE t.table_name = the_table AND t.direction = 'both';
    INSERT INTO sync_log (table_name, row_key, operation, data, version, sent_version,
                          column_versions, origin)
    SELECT the_table, the_key, CASE WHEN after IS NULL THEN 'DELETE' ELSE 'UPSERT' END,
           coalesce(after, sync_gone(town)), p_version, nullif(p_sent, p_version), p_columns, node
      FROM sync_tables t WHERE t.table_name = the_table AND t.direction = 'both';
END
$$;

-- Writes a row while capture leaves it alone.
CREATE OR REPLACE FUNCTION sync_write_quietly(
    the_table text, the_key text, content jsonb, is_there boolean
) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO sync_rows AS r (table_name, row_key, applying_xid)
    VALUES (the_table, the_key, pg_current_xact_id())
    ON CONFLICT (table_name, row_key) DO UPDATE SET applying_xid = EXCLUDED.applying_xid;
    IF NOT sync_write(the_table, the_key, content, is_there) AND (content IS NOT NULL OR is_there)
    THEN
        RAISE EXCEPTION 'the table % took no row %', the_table, the_key
              USING ERRCODE = 'insufficient_privilege',
                    HINT = 'A trigger or policy of the master''s table keeps it.';
    END IF;
    INSERT INTO sync_rows AS r (table_name, row_key) VALUES (the_table, the_key)
    ON CONFLICT (table_name, row_key) DO UPDATE SET applying_xid = NULL;
END
$$;

-- Keeps rows that go with one, or are emptied, and that nobody else notes: the sync does not capture
-- their tables here. Returns how many of them the node that deletes it did not know.
CREATE OR REPLACE FUNCTION sync_keep_taken(
    the_table text, content jsonb, node text, path text[] DEFAULT '{}'
) RETURNS bigint
LANGUAGE plpgsql SET search_path FROM CURRENT SET TimeZone = 'UTC' SET DateStyle = 'ISO, YMD'
SET IntervalStyle = 'postgres' SET extra_float_digits = 3 SET bytea_output = 'hex' AS $$
DECLARE
    it record;
    taken jsonb;
    the_key text;
    last sync_rows;
    unknown bigint := 0;
BEGIN
    FOR it IN
        SELECT c.*, (sync_table(c.child)).keys AS keys FROM sync_children(the_table) AS c
         WHERE c.action IN ('c', 'n', 'd')
           AND (NOT c.is_told OR c.action = 'c' AND sync_takes_untold(c.child))
    LOOP
        FOR taken IN EXECUTE format(
            'SELECT to_jsonb(t) FROM %I t, jsonb_populate_record(NULL::%I, $1) AS given WHERE %s '
            -- Somebody may be writing one: as it is then it goes.
            'FOR UPDATE OF t', it.child, the_table, it.joined) USING content
        LOOP
            -- Without a primary key a row is known by all that it has.
            the_key := coalesce(sync_key(taken, it.keys), md5(taken::text));
            CONTINUE WHEN it.child || ' ' || the_key = ANY (path);
            IF NOT it.is_told AND sync_keep(it.child, the_key, taken, CASE WHEN it.action <> 'c'
                   THEN taken || sync_emptied(it.child, it.emptied, it.action = 'd') END, true)
            THEN
                last := sync_row(it.child, the_key);
                unknown := unknown + (NOT sync_is_known(it.child, the_key, node, last))::integer;
            END IF;
            IF it.action = 'c' THEN
                unknown := unknown + sync_keep_taken(it.child, taken, node,
                                                     path || (it.child || ' ' || the_key));
            END IF;
        END LOOP;
    END LOOP;
    RETURN unknown;
END
$$;

-- A row comes back, since a change after its delete wins: so do the rows that went with it, and those
-- that were emptied name it again. Their versions are next to those of the delete, so that what was
-- made of them later wins, too. One whose place was taken meanwhile stays away.
CREATE OR REPLACE FUNCTION sync_revive(the_table text, the_key text, content jsonb, node text)
RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    it sync_gone_rows;
    rule text;
    last sync_rows;
    found jsonb;
    given jsonb;
    made text;
BEGIN
    FOR it IN SELECT (t.gone).* FROM sync_together(the_table, the_key, content, false, NULL) AS t
               WHERE NOT t.is_before
    LOOP
        CONTINUE WHEN (sync_table(it.table_name)).keys IS NULL;
        found := sync_fetch(it.table_name, it.row_key);
        CONTINUE WHEN (found IS NULL) <> (it.left_as IS NULL)
                      OR NOT found @> it.left_as - 'updated_at'::text;
        given := CASE WHEN it.left_as IS NULL THEN it.data
                      ELSE (SELECT jsonb_object_agg(k, it.data -> k)
                              FROM jsonb_object_keys(it.left_as) AS k) END;
        rule := (SELECT t.rule FROM sync_tables t
                  WHERE t.table_name = it.table_name AND t.direction = 'both');
        BEGIN
            IF rule IS NULL THEN
                PERFORM sync_write(it.table_name, it.row_key, given, found IS NOT NULL);
                CONTINUE;
            END IF;
            PERFORM sync_write_quietly(it.table_name, it.row_key, given, found IS NOT NULL);
        EXCEPTION WHEN integrity_constraint_violation THEN
            CONTINUE;
        END;
        last := sync_row(it.table_name, it.row_key);
        made := sync_version(sync_stamp(last.version) + 1, sync_me());
        PERFORM sync_note(it.table_name, it.row_key, sync_fetch(it.table_name, it.row_key), made,
                          NULL, CASE rule WHEN 'column' THEN coalesce(last.column_versions, '{}')
                              || (SELECT jsonb_object_agg(k, made)
                                    FROM jsonb_object_keys(given) AS k) END, node);
    END LOOP;
END
$$;

-- Whether rows of tables that are not captured go with a table's, at whatever remove.
CREATE OR REPLACE FUNCTION sync_takes_untold(the_table text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
    RETURN (
        WITH RECURSIVE taken (child, is_told, action) AS (
            SELECT c.child, c.is_told, c.action FROM sync_children(the_table) AS c
             WHERE c.action IN ('c', 'n', 'd')
            UNION
            SELECT c.child, c.is_told, c.action FROM taken t, sync_children(t.child) AS c
             WHERE t.action = 'c' AND c.action IN ('c', 'n', 'd'))
        SELECT coalesce(bool_or(NOT t.is_told), false) FROM taken t);
END
$$;

-- Tells the nodes again of rows that a delete would have taken along, or emptied.
CREATE OR REPLACE FUNCTION sync_tell_children(the_table text, content jsonb, node text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT SET TimeZone = 'UTC' SET DateStyle = 'ISO, YMD'
SET IntervalStyle = 'postgres' SET extra_float_digits = 3 SET bytea_output = 'hex' AS $$
DECLARE
    it record;
    child jsonb;
BEGIN
    FOR it IN
        SELECT c.child AS name, (sync_table(c.child)).keys AS keys, c.joined, c.action
          FROM sync_children(the_table) AS c
          JOIN sync_tables s ON s.table_name = c.child AND s.direction = 'both'
         WHERE c.action IN ('c', 'n', 'd')
    LOOP
        -- By one statement, which sees each row with the version that it has.
        FOR child IN EXECUTE format($query$
            INSERT INTO sync_log (table_name, row_key, operation, data, version, sent_version,
                                  column_versions, origin)
            SELECT $2, k.key, 'UPSERT', k.data, coalesce(r.version, ''), r.sent_version,
                   r.column_versions, $4
              FROM %I t, jsonb_populate_record(NULL::%I, $1) AS given,
                   LATERAL (SELECT to_jsonb(t), sync_key(to_jsonb(t), $3)) AS k (data, key)
              LEFT JOIN sync_rows r ON r.table_name = $2 AND r.row_key = k.key
             WHERE %s
            RETURNING data$query$, it.name, the_table, it.joined)
            USING content, it.name, it.keys, node
        LOOP
            IF it.action = 'c' THEN
                PERFORM sync_tell_children(it.name, child, node);
            END IF;
        END LOOP;
    END LOOP;
END
$$;

-- A version, or, where it is more than a minute ahead of the master's clock, that minute.
CREATE OR REPLACE FUNCTION sync_bounded(version text, node text) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
DECLARE
    latest CONSTANT bigint := sync_stamp_at(sync_clock() + interval '1 minute');
BEGIN
    RETURN CASE WHEN sync_stamp(version) > latest THEN sync_version(latest, node)
                ELSE version END;
END
$$;

-- The town of a row's content, by name; NULL where it has none.
CREATE OR REPLACE FUNCTION sync_town(content jsonb) RETURNS text
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
    town text;
BEGIN
    IF content ->> 'town_id' IS NULL OR to_regclass('towns') IS NULL THEN
        RETURN NULL;
    END IF;
    EXECUTE 'SELECT name FROM towns WHERE uid::text = $1 OR id::text = $1'
       INTO town USING content ->> 'town_id';
    RETURN town;
END
$$;

-- Whether a node of some towns gets what the log or sync_rows says of a row.
CREATE OR REPLACE FUNCTION sync_is_told(content jsonb, towns text[], is_gone boolean) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
    RETURN CASE
        WHEN is_gone AND content ? 'moved_to' THEN coalesce(
            sync_town(content) = ANY (towns)
            AND coalesce(sync_town(sync_gone(content ->> 'moved_to')) <> ALL (towns), true), false)
        ELSE towns IS NULL OR (content ? 'town_id') IS NOT TRUE
             OR coalesce(sync_town(content) = ANY (towns), false) END;
END
$$;

-- Refuses what a node may not write.
CREATE OR REPLACE FUNCTION sync_check_town(node sync_nodes, content jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
    IF node.towns IS NOT NULL AND content ? 'town_id'
       AND coalesce(sync_town(content) <> ALL (node.towns), true)
    THEN
        RAISE EXCEPTION 'the node % may not write this town''s rows', quote_literal(node.node_id)
              USING ERRCODE = 'insufficient_privilege';
    END IF;
END
$$;

-- Whether a row was in a town of a node that gets some alone, and is now in none of them. A row that
-- was deleted in its new town has left, too.
CREATE OR REPLACE FUNCTION sync_has_left(
    node sync_nodes, the_table text, the_key text, content jsonb
) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM sync_rows r, unnest(r.left_towns) AS town
         WHERE r.table_name = the_table AND r.row_key = the_key
           AND sync_town(sync_gone(town)) = ANY (node.towns)
           AND NOT sync_is_told(coalesce(content, sync_gone(r.row_town)), node.towns, false));
END
$$;

-- The incoming change loses, whatever its version: the master keeps what it has, and tells it anew.
CREATE OR REPLACE FUNCTION sync_reject(node sync_nodes, entry jsonb, p_rule text, why text)
RETURNS jsonb
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    the_table CONSTANT text := entry ->> 'table';
    the_key CONSTANT text := entry ->> 'row_key';
    is_delete CONSTANT boolean := entry ->> 'operation' = 'DELETE';
    found jsonb;
    last sync_rows;
    made text;
BEGIN
    IF entry ? 'parked' THEN
        PERFORM sync_unpark(node, entry);
    END IF;
    found := sync_fetch(the_table, the_key);
    last := sync_row(the_table, the_key);
    made := sync_next_version(greatest(coalesce(last.version, ''),
                                       sync_bounded(entry ->> 'version', node.node_id)), sync_me());
    PERFORM sync_audit(the_table, the_key, node.node_id, found,
                       CASE WHEN NOT is_delete THEN entry -> 'data' END, 'master_wins', p_rule,
                       last.version, entry ->> 'version', found);
    PERFORM sync_note(the_table, the_key, found, made, entry ->> 'version',
                      (SELECT jsonb_object_agg(c, made)
                         FROM jsonb_object_keys(last.column_versions || coalesce(
                                  nullif(entry -> 'column_versions', 'null'), '{}')) AS c),
                      node.node_id);
    IF is_delete AND found IS NOT NULL THEN
        PERFORM sync_tell_children(the_table, found, node.node_id);
    END IF;
    RETURN jsonb_build_object('outcome', 'lost', 'reason', why, 'is_behind', true);
END
$$;

-- Applies one change by the rules; raises where the tables refuse. `forced` are columns that get
-- another value than the change has, `before` those that the row had before it was parked.
CREATE OR REPLACE FUNCTION sync_apply_one(
    node sync_nodes, entry jsonb, forced jsonb DEFAULT NULL, before jsonb DEFAULT NULL
) RETURNS jsonb
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    the_table CONSTANT text := entry ->> 'table';
    the_key CONSTANT text := entry ->> 'row_key';
    sent CONSTANT text := entry ->> 'version';
    base CONSTANT text := coalesce(entry ->> 'base_version', '');
    is_delete CONSTANT boolean := entry ->> 'operation' = 'DELETE';
    made text;
    content jsonb := CASE WHEN NOT is_delete THEN entry -> 'data' END;
    settings sync_tables;
    shape record;
    found jsonb;
    masters jsonb;
    last sync_rows;
    unknown text;
    is_conflict boolean;
    is_kept boolean := false;
    wins boolean;
    all_columns jsonb := nullif(entry -> 'column_versions', 'null');
    merge record;
BEGIN
    SELECT * INTO settings FROM sync_tables t
     WHERE t.table_name = the_table AND t.direction IN ('both', 'up');
    IF settings.table_name IS NULL OR the_table <> ALL (node.tables) THEN
        RAISE EXCEPTION 'the node % may not write the table %', quote_literal(node.node_id),
              coalesce(quote_literal(the_table), 'null')
              USING ERRCODE = 'insufficient_privilege',
                    HINT = 'sync_configure() and sync_admit() say which tables go up.';
    END IF;
    SELECT * INTO shape FROM sync_table(the_table);
    IF entry ->> 'operation' NOT IN ('UPSERT', 'DELETE') OR entry ->> 'operation' IS NULL
       OR coalesce(jsonb_typeof(entry -> 'data'), '') <> 'object'
       OR sync_key(entry -> 'data', shape.keys) IS DISTINCT FROM the_key
       OR sync_own_key(the_table, entry -> 'data', shape.keys) IS DISTINCT FROM the_key
       OR coalesce(jsonb_typeof(entry -> 'column_versions'), 'null') NOT IN ('object', 'null')
       OR coalesce(sent, '') !~ '^[0-7][0-9a-f]{15}@' OR substr(sent, 18) <> node.node_id
    THEN
        RAISE EXCEPTION 'this is no change that the node % makes', quote_literal(node.node_id)
              USING ERRCODE = 'invalid_parameter_value',
                    DETAIL = left((entry - 'data')::text, 500);
    END IF;
    SELECT min(name) INTO unknown FROM jsonb_object_keys(content) AS name
     WHERE NOT EXISTS (SELECT FROM pg_attribute a
                        WHERE a.attrelid = to_regclass(quote_ident(the_table)) AND a.attnum > 0
                          AND a.attname = name AND NOT a.attisdropped);
    IF unknown IS NOT NULL THEN
        RAISE EXCEPTION 'the master''s table % has no column %', the_table, unknown
              USING ERRCODE = 'undefined_column',
                    HINT = 'Bring the master''s schema to the node''s: robbieblocks db upgrade.';
    END IF;
    made := sync_bounded(sent, node.node_id);
    PERFORM sync_check_town(node, entry -> 'data');
    PERFORM set_config('app.town', coalesce(sync_town(entry -> 'data'), '*'), true);
    found := sync_fetch(the_table, the_key);
    IF sync_has_left(node, the_table, the_key, found) THEN
        made := (SELECT r.row_town FROM sync_rows r
                  WHERE r.table_name = the_table AND r.row_key = the_key);
        all_columns := sync_reject(node, entry, 'moved away', 'the row is in another town now');
        PERFORM sync_tell_left(the_table, the_key, entry -> 'data' ->> 'town_id', made, r.version,
                               node.node_id)
           FROM sync_rows r WHERE r.table_name = the_table AND r.row_key = the_key;
        RETURN all_columns;
    END IF;
    PERFORM sync_check_town(node, CASE WHEN found IS NULL AND 'town_id' = ANY (shape.columns)
                                       THEN '{"town_id": null}' || (entry -> 'data')
                                       ELSE found END);
    masters := found || coalesce(before, '{}');
    last := sync_row(the_table, the_key);
    IF sent IN (last.version, last.sent_version) THEN
        RETURN jsonb_build_object('outcome', 'duplicate');
    ELSIF (sync_version_at(sent) <= node.let_in_at
           OR node.let_in_at IS NOT NULL AND made <> sent)
          -- What goes up alone tells of the node itself.
          AND (settings.direction = 'both' OR found IS NOT NULL)
    THEN
        RETURN sync_reject(node, entry, 'locked out', 'it was made while the node was locked out');
    END IF;
    is_conflict := base NOT IN (coalesce(last.version, ''),
                                coalesce(last.sent_version, last.version, ''));
    IF made <= coalesce(last.version, '')
       AND (NOT is_conflict
            -- A clock that is ahead is not to turn the node's own changes round.
            OR (sent > last.sent_version AND substr(last.sent_version, 18) = node.node_id))
    THEN
        -- Under the master's name: the node may make the same stamp for its next change.
        made := sync_version(sync_stamp(last.version) + 1, sync_me());
    END IF;

    IF settings.rule = 'column' AND content IS NOT NULL AND found IS NOT NULL
       AND jsonb_typeof(entry -> 'base_columns') = 'object'
    THEN
        -- Each column that the node has changed by itself.
        SELECT jsonb_object_agg(c.name, entry -> 'data' -> c.name) FILTER (WHERE c.wins) AS won,
               jsonb_object_agg(c.name, greatest(c.own, c.version)) FILTER (WHERE c.wins)
                   AS won_columns,
               jsonb_object_agg(c.name, entry -> 'data' -> c.name)
                   FILTER (WHERE NOT c.is_conflict) AS undisputed,
               jsonb_object_agg(c.name, entry -> 'data' -> c.name)
                   FILTER (WHERE c.is_conflict AND c.differs) AS disputed,
               -- When a row was written says nothing of what was.
               bool_or(c.is_conflict AND c.differs AND c.name <> 'updated_at') AS is_conflict,
               bool_and(c.wins OR NOT c.differs) AS has_won
          INTO merge
          FROM (SELECT f.key AS name, o.own, m.version, m.is_conflict,
                       NOT m.is_conflict OR o.own > m.version COLLATE "C" AS wins,
                       masters -> f.key IS DISTINCT FROM content -> f.key AS differs
                  FROM jsonb_each_text(entry -> 'base_columns') AS f,
                       -- A later edit of another column makes this one no newer.
                       LATERAL (SELECT CASE WHEN given.version = sent
                                              OR given.version > made COLLATE "C" THEN made
                                            ELSE given.version COLLATE "C" END
                                  FROM (SELECT coalesce(all_columns ->> f.key, sent))
                                       AS given (version)) AS o (own),
                       LATERAL (SELECT v.version,
                                       f.value NOT IN (v.version, CASE v.version
                                           WHEN last.version
                                           THEN coalesce(last.sent_version, last.version)
                                           ELSE v.version END) AS is_conflict
                                  FROM (SELECT coalesce(last.column_versions ->> f.key, ''))
                                       AS v (version)) AS m) AS c;
        IF merge.is_conflict THEN
            -- Both sides as the row is now, but for the columns that both have changed: what else
            -- the node's row has may be older than what the master has.
            masters := masters || coalesce(merge.undisputed, '{}');
            PERFORM sync_audit(the_table, the_key, node.node_id, masters,
                               masters || merge.disputed, 'merge', 'newer column', last.version,
                               sent, masters || coalesce(merge.won, '{}'));
        END IF;
        IF merge.won IS NOT NULL THEN
            PERFORM sync_write_quietly(the_table, the_key, merge.won || coalesce(forced, '{}'), true);
        END IF;
        PERFORM sync_note(the_table, the_key, sync_fetch(the_table, the_key),
                          greatest(made, last.version), sent,
                          coalesce(last.column_versions, '{}') || coalesce(merge.won_columns, '{}'),
                          node.node_id, merge.won IS NOT NULL AND made >= coalesce(last.version, ''),
                          found);
        RETURN jsonb_build_object(
            'is_behind', merge.won IS NULL OR made < coalesce(last.version, ''),
            'outcome', CASE WHEN merge.won IS NULL THEN 'lost'
                            WHEN merge.is_conflict AND NOT merge.has_won THEN 'merged'
                            ELSE 'applied' END);
    END IF;

    wins := NOT is_conflict OR made > coalesce(last.version, '');
    IF is_conflict AND (found IS NOT NULL OR content IS NOT NULL)
       AND (found IS NOT NULL OR last.version IS NOT NULL)
       AND NOT sync_same(masters, content, shape.columns)
    THEN
        PERFORM sync_audit(the_table, the_key, node.node_id, masters, content,
                           CASE WHEN wins THEN 'replica_wins' ELSE 'master_wins' END, 'newer row',
                           last.version, sent,
                           CASE WHEN wins THEN content || coalesce(forced, '{}') ELSE masters END);
        is_kept := true;
    END IF;
    IF NOT wins THEN
        -- The node gets the version that won, also where its clock thinks itself ahead.
        PERFORM sync_note(the_table, the_key, found, last.version, sent, last.column_versions,
                          node.node_id);
        -- What the node makes of the version that lost has not seen the one that won.
        UPDATE sync_rows r SET sent_version = last.sent_version
         WHERE r.table_name = the_table AND r.row_key = the_key;
        IF is_delete AND found IS NOT NULL THEN
            PERFORM sync_tell_children(the_table, found, node.node_id);
        END IF;
        RETURN jsonb_build_object('outcome', 'lost', 'reason', 'the master has a newer version',
                                  'is_behind', true);
    END IF;
    IF forced IS NOT NULL THEN
        -- What the master gives is a version of its own. Both sides are kept once.
        PERFORM sync_audit(the_table, the_key, node.node_id, masters, content, 'merge',
                           'unique key', last.version, sent, content || forced)
          WHERE NOT is_kept;
        made := sync_next_version(made, sync_me());
    END IF;
    IF is_delete AND found IS NOT NULL THEN
        PERFORM sync_keep(the_table, the_key, found, NULL, false);
        IF sync_keep_taken(the_table, found, node.node_id) > 0 AND NOT is_conflict THEN
            PERFORM sync_audit(the_table, the_key, node.node_id, masters, NULL, 'replica_wins',
                               'took along', last.version, sent, NULL);
        END IF;
        PERFORM set_config('sync.deleting', made, true);
    END IF;
    IF content IS NOT NULL OR found IS NOT NULL THEN
        PERFORM sync_write_quietly(the_table, the_key, content || coalesce(forced, '{}'),
                                   found IS NOT NULL);
        PERFORM set_config('sync.deleting', '', true);
    END IF;
    -- None is newer than the row: an earlier edit of a clock that is ahead may be among them.
    all_columns := (SELECT jsonb_object_agg(c.key, CASE WHEN c.value = sent OR c.value > made
                                                              COLLATE "C" THEN made
                                                        ELSE c.value END)
                      FROM jsonb_each_text(all_columns) AS c);
    PERFORM sync_note(the_table, the_key,
                      CASE WHEN content IS NOT NULL THEN sync_fetch(the_table, the_key) END,
                      made, sent, all_columns, node.node_id, true,
                      coalesce(found, entry -> 'data'));
    IF content IS NOT NULL AND found IS NULL AND last.is_deleted AND is_conflict THEN
        -- Who knew of the delete makes the row anew, and means it without what went with it.
        PERFORM sync_revive(the_table, the_key, content, node.node_id);
    ELSIF content IS NULL AND found IS NULL THEN
        -- It went with another row, and is to be gone by itself now: it comes back with none.
        UPDATE sync_gone_rows g SET is_taken_along = false
         WHERE g.table_name = the_table AND g.row_key = the_key;
    END IF;
    RETURN jsonb_build_object('outcome', CASE WHEN forced IS NULL THEN 'applied' ELSE 'merged' END);
END
$$;

-- Applies one change, or says why not. What another change of the same batch may make possible (a
-- key that is taken, a row that is referred to) is `deferred` the first time.
CREATE OR REPLACE FUNCTION sync_apply_safely(node sync_nodes, entry jsonb, is_last boolean)
RETURNS jsonb
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    the_table CONSTANT text := entry ->> 'table';
    the_key CONSTANT text := entry ->> 'row_key';
    result jsonb;
    state text;
    said text;
    by_name text;
    by_table text;
    key_columns text[];
    key_place text;
    is_key boolean;
    found jsonb;
    parent text;
BEGIN
    IF coalesce(entry ->> 'id', '') !~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN
        RETURN jsonb_build_object('outcome', 'refused', 'reason', 'the change has no id',
                                  'sqlstate', '22023');
    ELSIF sync_outcome((entry ->> 'id')::uuid) IS NOT NULL THEN
        RETURN jsonb_build_object('outcome', 'duplicate',
                                  'is_behind', sync_outcome((entry ->> 'id')::uuid) = 'lost');
    ELSIF entry ->> 'is_cascade' = 'true' AND the_key IS NOT NULL AND EXISTS (
        SELECT FROM sync_tables t
         WHERE t.table_name = the_table AND t.direction IN ('both', 'up')
           AND (the_table <> ALL (node.tables)) IS NOT TRUE)
    THEN
        -- Its parent's change decides. The note tells what the node knew of it.
        RETURN jsonb_build_object('outcome', 'noted');
    END IF;
    BEGIN
        RETURN sync_apply_one(node, entry, NULL, entry -> 'parked');
    EXCEPTION
        WHEN unique_violation OR foreign_key_violation THEN
            GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, said = MESSAGE_TEXT,
                                    by_name = CONSTRAINT_NAME, by_table = TABLE_NAME;
        WHEN transaction_rollback OR insufficient_resources OR operator_intervention
             OR system_error OR internal_error THEN
            RAISE;
        WHEN OTHERS THEN
            RETURN jsonb_build_object('outcome', 'refused', 'reason', SQLERRM, 'sqlstate', SQLSTATE);
    END;
    IF state = '23505' AND by_table = the_table THEN
        SELECT * INTO key_columns, key_place, is_key FROM sync_unique(the_table, by_name);
    END IF;
    IF NOT is_last THEN
        found := sync_fetch(the_table, the_key);
        IF key_place IS NOT NULL AND NOT is_key AND found IS NOT NULL THEN
            BEGIN
                -- Out of the way, for rows that change their places with this one.
                PERFORM sync_write_quietly(the_table, the_key, jsonb_build_object(key_place,
                    sync_last_place(the_table, key_columns, key_place, found)), true);
                result := jsonb_build_object('parked',
                                             jsonb_build_object(key_place, found -> key_place));
            EXCEPTION WHEN integrity_constraint_violation OR data_exception OR raise_exception THEN
                -- It stays where it is, and the second pass says what becomes of the change.
                result := NULL;
            END;
        END IF;
        RETURN coalesce(result, '{}') || jsonb_build_object('outcome', 'deferred');
    END IF;
    BEGIN
        IF NOT is_key AND key_place IS NOT NULL THEN
            BEGIN
                RETURN sync_apply_one(node, entry, jsonb_build_object(key_place,
                    sync_last_place(the_table, key_columns, key_place, entry -> 'data')),
                    entry -> 'parked');
            EXCEPTION WHEN unique_violation OR foreign_key_violation THEN
                -- It has a place now, and fails for another reason: that one decides.
                GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, said = MESSAGE_TEXT,
                                        by_name = CONSTRAINT_NAME, by_table = TABLE_NAME;
                is_key := CASE WHEN state = '23505' AND by_table = the_table
                               THEN (sync_unique(the_table, by_name)).is_key END;
            END;
        END IF;
        IF NOT is_key THEN
            RETURN sync_reject(node, entry, 'unique key', said);
        ELSIF state = '23503' AND entry ->> 'operation' = 'DELETE' THEN
            RETURN sync_reject(node, entry, 'in use', said);
        ELSIF state = '23503' AND by_table = the_table THEN
            SELECT r.row_key INTO parent
              FROM pg_constraint f
              JOIN pg_class p ON p.oid = f.confrelid
              JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = f.conkey[1]
              JOIN sync_rows r ON r.table_name = p.relname AND r.is_deleted
                              AND r.row_key = entry -> 'data' ->> a.attname::text
             WHERE f.conrelid = to_regclass(quote_ident(the_table)) AND f.conname = by_name;
            IF parent IS NOT NULL AND EXISTS (
                SELECT FROM sync_received g
                 WHERE g.is_cascade AND g.table_name = the_table AND g.row_key = the_key
                   AND g.node_id = node.node_id AND g.base_version = entry ->> 'version')
            THEN
                -- The node itself deleted it with its parent, after this edit.
                RETURN jsonb_build_object('outcome', 'noted');
            ELSIF parent IS NOT NULL THEN
                RETURN sync_reject(node, entry, 'parent is gone', said);
            END IF;
        END IF;
    EXCEPTION
        WHEN transaction_rollback OR insufficient_resources OR operator_intervention
             OR system_error OR internal_error THEN
            RAISE;
        WHEN OTHERS THEN
            said := SQLERRM;
            state := SQLSTATE;
    END;
    RETURN jsonb_build_object('outcome', 'refused', 'reason', said, 'sqlstate', state);
END
$$;

-- Puts a row that was parked back, where its change was refused after all.
CREATE OR REPLACE FUNCTION sync_unpark(node sync_nodes, entry jsonb) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    the_table CONSTANT text := entry ->> 'table';
    the_key CONSTANT text := entry ->> 'row_key';
BEGIN
    PERFORM sync_write_quietly(the_table, the_key, entry -> 'parked', true);
EXCEPTION WHEN integrity_constraint_violation OR data_exception OR raise_exception THEN
    PERFORM sync_note(the_table, the_key, sync_fetch(the_table, the_key),
                      sync_next_version(r.version, sync_me()), NULL, r.column_versions,
                      node.node_id)
       FROM sync_rows r WHERE r.table_name = the_table AND r.row_key = the_key;
END
$$;

-- How long a batch is worked on: far less than a node waits for the answer (60 seconds).
CREATE OR REPLACE FUNCTION sync_batch_time() RETURNS interval
LANGUAGE sql IMMUTABLE AS $$ SELECT interval '15 seconds' $$;

-- What a node sends. One transaction, in order; each change has its answer, and one that is refused
-- changes nothing and stops no other. What was applied before is not applied again. After
-- sync_batch_time() the rest is left: what has no answer is sent again with the next batch. Where a
-- change waits for others, none of them is left.
CREATE OR REPLACE FUNCTION sync_apply(
    p_node text, p_entries jsonb, p_node_at timestamptz DEFAULT NULL
) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    node sync_nodes := sync_caller(p_node);
    entry jsonb;
    result jsonb;
    results jsonb[];
    now_due jsonb[];
    later jsonb[];
    deferred text[] := '{}';
    until CONSTANT timestamptz := clock_timestamp() + sync_batch_time();
BEGIN
    IF jsonb_typeof(p_entries) IS DISTINCT FROM 'array' THEN
        RAISE EXCEPTION 'the changes are no JSON array'
              USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- One batch of a node at a time: one whose line broke may still run while it is sent again.
    PERFORM pg_advisory_xact_lock(hashtextextended('sync_apply ' || p_node, 0));
    PERFORM sync_heard(p_node, p_node_at);
    -- It may have been locked out while this waited; from here on a lock-out waits for this.
    node := sync_caller(p_node);
    PERFORM set_config('sync.origin', p_node, true);
    PERFORM set_config('sync.deleting', '', true);
    -- What is checked at the end of a transaction would fail the whole batch, each time.
    SET CONSTRAINTS ALL IMMEDIATE;
    -- But what waits in the queue for the end: it can't fail.
    SET CONSTRAINTS robbieblocks_lay_over DEFERRED;
    -- What the node knew of rows that go with others first: the others' changes look at it.
    now_due := ARRAY(SELECT g.value FROM jsonb_array_elements(p_entries) WITH ORDINALITY AS g
                      ORDER BY g.value ->> 'is_cascade' IS DISTINCT FROM 'true', g.ordinality);
    FOR pass IN 1 .. 2 LOOP
        FOREACH entry IN ARRAY now_due LOOP
            IF jsonb_typeof(entry) <> 'object' THEN
                entry := '{}';
            ELSIF pass = 1 THEN
                entry := entry - 'parked';
            END IF;
            IF pass = 1 AND concat_ws(' ', entry ->> 'table', entry ->> 'row_key') = ANY (deferred)
            THEN
                -- It was made of one that waits.
                later := later || entry;
                CONTINUE;
            END IF;
            result := sync_apply_safely(node, entry, pass = 2);
            IF result ->> 'outcome' = 'deferred' THEN
                later := later || (entry || (result - 'outcome'));
                deferred := deferred || concat_ws(' ', entry ->> 'table', entry ->> 'row_key');
                CONTINUE;
            ELSIF result ->> 'outcome' = 'refused' THEN
                IF pass = 2 AND entry ? 'parked' THEN
                    PERFORM sync_unpark(node, entry);
                END IF;
            ELSIF result ->> 'outcome' <> 'duplicate' THEN
                INSERT INTO sync_received (id, node_id, table_name, row_key, base_version, outcome,
                                           is_cascade)
                VALUES ((entry ->> 'id')::uuid, p_node, entry ->> 'table', entry ->> 'row_key',
                        entry ->> 'base_version', result ->> 'outcome',
                        coalesce(entry ->> 'is_cascade' = 'true', false));
            END IF;
            -- The version that it has become, as the log says it.
            results := results || (result || jsonb_build_object('id', entry -> 'id', 'version', (
                SELECT r.version FROM sync_rows r
                 WHERE r.table_name = entry ->> 'table' AND r.row_key = entry ->> 'row_key'
                   AND r.sent_version = entry ->> 'version')));
            EXIT WHEN later IS NULL AND clock_timestamp() >= until;
        END LOOP;
        now_due := coalesce(later, '{}');
    END LOOP;
    PERFORM set_config('sync.origin', '', true);
    RETURN coalesce(to_jsonb(results), '[]');
END
$$;

-- Notes that a node was there, in which transaction, and how far its clock is off.
CREATE OR REPLACE FUNCTION sync_heard(p_node text, p_node_at timestamptz) RETURNS void
LANGUAGE sql SET search_path FROM CURRENT AS $$
    UPDATE sync_nodes n
       SET last_seen = now(), is_online = true, applying_xid = pg_current_xact_id(),
           clock_skew_ms = coalesce(
               round(extract(epoch FROM p_node_at - sync_clock()) * 1000)::bigint, n.clock_skew_ms)
     WHERE n.node_id = p_node
$$;


-- 8  What the master gives ----------------------------------------------------------------------

-- How old the oldest tombstones are that are kept: what is missing and older was deleted earlier.
CREATE OR REPLACE FUNCTION sync_tombstones_from() RETURNS timestamptz
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT greatest(now() - interval '90 days', (SELECT started_at FROM sync_self))
$$;

-- The public keys with which nodes sign the results that they share. A node says its own at each
-- hello; that of a node which is locked out, or has left, is believed no more.
CREATE OR REPLACE FUNCTION sync_cache_keys() RETURNS jsonb
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT coalesce(jsonb_object_agg(n.node_id, sync_cache_key(n)), '{}')
      FROM sync_nodes n WHERE sync_cache_key(n) IS NOT NULL
$$;

-- Those of some nodes, of which the log has told; NULL: of all. Who is missing has none. A stream
-- brings a transaction a moment before others see it here: `p_told` are those that are waited for.
CREATE OR REPLACE FUNCTION sync_keys_of(
    p_node text, p_of text[] DEFAULT NULL, p_told xid8[] DEFAULT '{}'
) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM sync_caller(p_node);
    FOR waited IN 1 .. 200 LOOP
        EXIT WHEN NOT EXISTS (SELECT FROM unnest(p_told[:100]) AS told
                               WHERE NOT pg_visible_in_snapshot(told, pg_current_snapshot()));
        PERFORM pg_sleep(0.005);
    END LOOP;
    RETURN (SELECT coalesce(jsonb_object_agg(n.node_id, sync_cache_key(n)), '{}')
              FROM sync_nodes n
             WHERE (p_of IS NULL OR n.node_id = ANY (p_of)) AND sync_cache_key(n) IS NOT NULL);
END
$$;

-- What is kept of what a node says of itself: all of it up to 16 KB. Of more, values of up to 200
-- bytes, the findings as far as they fit, and a finding that says so.
CREATE OR REPLACE FUNCTION sync_bounded_report(p_report jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN octet_length(p_report::text) <= 16384 THEN p_report
        WHEN jsonb_typeof(p_report) <> 'object' THEN '{}'
        ELSE (SELECT coalesce(jsonb_object_agg(few.key, few.value), '{}')
                FROM (SELECT e.key, e.value FROM jsonb_each(p_report) AS e
                       WHERE octet_length(e.key) + octet_length(e.value::text) <= 200
                         AND e.key <> 'findings'
                       ORDER BY octet_length(e.key), e.key LIMIT 30) AS few)
             || jsonb_build_object('findings', jsonb_build_array(format(
                    'it says %s bytes of itself, of which the master keeps 16384: see '
                    '`robbieblocks sync status` there', octet_length(p_report::text)))
                || coalesce((SELECT jsonb_agg(left(f.value, 500) ORDER BY f.place)
                               FROM jsonb_array_elements_text(
                                        CASE jsonb_typeof(p_report -> 'findings') WHEN 'array'
                                             THEN p_report -> 'findings' ELSE '[]' END)
                                    WITH ORDINALITY AS f (value, place)
                              WHERE f.place <= 4), '[]')) END
$$;

CREATE OR REPLACE FUNCTION sync_hello(
    p_node text, p_node_at timestamptz, p_report jsonb DEFAULT '{}'
) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    node sync_nodes := sync_caller(p_node);
    said CONSTANT jsonb := sync_bounded_report(p_report);
    -- A node says a word of its own at each hello, and the one before. A copy of its database does
    -- not know what the other said meanwhile.
    is_other CONSTANT boolean := coalesce(
        said ? 'turn' AND node.metadata ->> 'turn' NOT IN (
            said ->> 'turn', coalesce(said ->> 'turn_before', '')), false);
BEGIN
    PERFORM sync_heard(p_node, p_node_at);
    UPDATE sync_nodes n
       SET let_in_at = CASE WHEN said ->> 'waiting' = '0' THEN NULL
                             WHEN n.let_in_at IS NOT NULL
                             THEN least(n.let_in_at, greatest(sync_clock(), p_node_at)) END,
           metadata = coalesce(n.metadata, '{}') || CASE WHEN said = '{}' THEN '{}'
               ELSE jsonb_build_object('report', said) END
               || CASE WHEN said ? 'turn' THEN jsonb_build_object('turn', said -> 'turn')
                       ELSE '{}' END
               || CASE WHEN is_other THEN jsonb_build_object('other_at', now()) ELSE '{}' END,
           schema_version = coalesce(left(said ->> 'schema_version', 64), n.schema_version)
     WHERE n.node_id = p_node
    RETURNING n.* INTO node;
    -- Who holds its row sends something: it is there.
    UPDATE sync_nodes n SET is_online = false
     WHERE n.node_id IN (SELECT s.node_id FROM sync_nodes s
                          WHERE s.is_online AND s.last_seen < now() - interval '15 minutes'
                            FOR UPDATE SKIP LOCKED);
    RETURN jsonb_build_object(
        'master', sync_me(), 'at', sync_clock(), 'skew_ms', node.clock_skew_ms,
        'is_skewed', coalesce(abs(node.clock_skew_ms) > 60000, false),
        'schema_version', (SELECT md5(string_agg(sync_schema(t.table_name)::text, ','
                                                 ORDER BY t.table_name COLLATE "C"))
                             FROM sync_tables t WHERE t.direction <> 'never'),
        'tombstones_from', sync_tombstones_from(), 'is_other', is_other,
        'cache_keys', sync_cache_keys());
END
$$;

CREATE OR REPLACE FUNCTION sync_settings()
RETURNS TABLE (table_name varchar, direction varchar, rule varchar, has_deletes boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    -- The queue always: without it a node would not build what comes.
    SELECT t.table_name, t.direction, t.rule, t.has_deletes FROM sync_tables t
     WHERE (t.table_name = 'robbieblocks_change_triggers' OR NOT EXISTS (
               SELECT FROM sync_nodes n
                WHERE n.database_role = session_user AND t.table_name <> ALL (n.tables)))
       -- One that was dropped is kept in step no more.
       AND to_regclass(quote_ident(t.table_name)) IS NOT NULL
     ORDER BY t.table_name
$$;

-- Columns and types of a table, to compare two databases.
CREATE OR REPLACE FUNCTION sync_schema(p_table text) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT jsonb_object_agg(a.attname, format_type(a.atttypid, a.atttypmod))
      FROM pg_attribute a JOIN sync_tables t ON t.table_name = p_table
     WHERE a.attrelid = to_regclass(quote_ident(p_table)) AND a.attnum > 0 AND NOT a.attisdropped
       AND a.attgenerated = ''
$$;

-- Whether a node gets a table's rows; sets the session's town.
CREATE OR REPLACE FUNCTION sync_may_read(node sync_nodes, p_table text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF p_table <> ALL (node.tables) OR NOT EXISTS (
        SELECT FROM sync_tables t WHERE t.table_name = p_table AND t.direction IN ('both', 'down'))
    THEN
        RAISE EXCEPTION 'the node % does not get the table %', quote_literal(node.node_id),
              coalesce(quote_literal(p_table), 'null')
              USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM set_config('app.town', CASE WHEN cardinality(node.towns) = 1 THEN node.towns[1]
                                        ELSE '*' END, true);
END
$$;

-- The SELECT of all rows of a table with their keys, above $1 and up to $2.
CREATE OR REPLACE FUNCTION sync_range(p_table text) RETURNS text
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT format('SELECT k.row_key, to_jsonb(t) AS data FROM %I t, LATERAL (SELECT (%s) '
                  'COLLATE "C" AS row_key) k WHERE ',
                  p_table, CASE WHEN cardinality(s.keys) = 1 THEN format('t.%I::text', s.keys[1])
                                ELSE format('sync_key(to_jsonb(t), %L)', s.keys) END)
           || CASE WHEN cardinality(s.keys) = 1 AND EXISTS (
                       SELECT FROM pg_attribute a
                        WHERE a.attrelid = to_regclass(quote_ident(p_table))
                          AND a.attname = s.keys[1] AND a.atttypid = 'uuid'::regtype)
                   -- In the order of their texts, and with an index.
                   THEN format('($1 IS NULL OR t.%1$I > $1::uuid) AND ($2 IS NULL OR t.%1$I <= '
                               '$2::uuid) ORDER BY t.%1$I', s.keys[1])
                   ELSE '($1 IS NULL OR k.row_key > $1) AND ($2 IS NULL OR k.row_key <= $2) '
                        'ORDER BY k.row_key' END
      FROM sync_table(p_table) AS s
$$;

-- Rows and tombstones of a table in the order of their keys, as sync_receive() takes them: at most
-- `p_limit`, and sync_bytes(). `is_more` of the last one says whether others may follow.
CREATE OR REPLACE FUNCTION sync_copy(
    p_node text, p_table text, p_after text DEFAULT NULL, p_to text DEFAULT NULL,
    p_limit integer DEFAULT 500
) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path FROM CURRENT SET TimeZone = 'UTC'
SET DateStyle = 'ISO, YMD' SET IntervalStyle = 'postgres' SET extra_float_digits = 3 SET bytea_output = 'hex' AS $$
DECLARE
    node CONSTANT sync_nodes := sync_caller(p_node);
    entries jsonb;
BEGIN
    PERFORM sync_may_read(node, p_table);
    EXECUTE format($query$
        SELECT jsonb_agg(jsonb_build_object(
                   'table', $3, 'row_key', e.row_key,
                   'operation', CASE WHEN e.data IS NULL THEN 'DELETE' ELSE 'UPSERT' END,
                   'data', e.data, 'version', coalesce(r.version, ''),
                   'sent_version', r.sent_version, 'column_versions', r.column_versions,
                   'origin', $5, 'is_more', e.place < e.number OR e.number = $4)
                   ORDER BY e.row_key)
          FROM (SELECT g.row_key, g.data::jsonb AS data, row_number() OVER w AS place,
                       sum(octet_length(g.data)) OVER w AS up_to_it, count(*) OVER () AS number
                  FROM (SELECT found.row_key, max(found.data::text) AS data
                  FROM ((SELECT row_key, data FROM (%s) AS t%s LIMIT $4)
                        UNION ALL
                        (SELECT g.row_key, NULL FROM sync_rows g
                          WHERE g.table_name = $3 AND g.is_deleted
                            AND ($1 IS NULL OR g.row_key > $1) AND ($2 IS NULL OR g.row_key <= $2)
                            AND ($6 IS NULL OR g.row_town IS NULL
                                 OR sync_town(sync_gone(g.row_town)) = ANY ($6))
                          ORDER BY g.row_key LIMIT $4)
                        UNION ALL
                        (SELECT g.row_key, NULL FROM sync_rows g
                          WHERE g.table_name = $3 AND g.left_towns IS NOT NULL
                            AND ($1 IS NULL OR g.row_key > $1) AND ($2 IS NULL OR g.row_key <= $2)
                            AND EXISTS (SELECT FROM unnest(g.left_towns) AS town
                                         WHERE sync_town(sync_gone(town)) = ANY ($6))
                          ORDER BY g.row_key LIMIT $4)) AS found
                 GROUP BY found.row_key ORDER BY found.row_key LIMIT $4) AS g
                WINDOW w AS (ORDER BY g.row_key)) AS e
          LEFT JOIN sync_rows r ON r.table_name = $3 AND r.row_key = e.row_key
         WHERE e.place = 1 OR coalesce(e.up_to_it, 0) < sync_bytes()$query$,
        sync_range(p_table), CASE WHEN node.towns IS NOT NULL THEN
            ' WHERE NOT (data ? ''town_id'') OR sync_town(data) = ANY ($6) ORDER BY row_key'
        ELSE '' END)
       INTO entries USING p_after, p_to, p_table, p_limit, sync_me(), node.towns::text[];
    RETURN coalesce(entries, '[]');
END
$$;

-- What changes whenever rows of a table do: what the server counts of it, some seconds later.
CREATE OR REPLACE FUNCTION sync_mark(p_table text) RETURNS text
LANGUAGE sql VOLATILE SET search_path FROM CURRENT AS $$
    SELECT concat_ws(' ', c.oid, c.relfilenode, pg_stat_get_tuples_inserted(c.oid),
                     pg_stat_get_tuples_updated(c.oid), pg_stat_get_tuples_deleted(c.oid),
                     pg_postmaster_start_time())
      FROM pg_class c WHERE c.oid = to_regclass(quote_ident(p_table))
$$;

-- Hashes of a table's rows in ranges of keys with about equally many rows each. Nodes that compare
-- large tables ask the same: of 10,000 rows and more the answer is kept while the table stays as it
-- is, for an hour at most, and who asks meanwhile waits for it. A change of the last seconds may be
-- missing in it: then a range seems to differ, and its rows are fetched as they are.
CREATE OR REPLACE FUNCTION sync_hashes(
    p_node text, p_table text, p_from text DEFAULT NULL, p_to text DEFAULT NULL,
    p_parts integer DEFAULT 16
) RETURNS TABLE (part integer, from_key text, to_key text, row_count bigint, hash text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    node CONSTANT sync_nodes := sync_caller(p_node);
    -- A hash, since keys may be longer than what an index takes.
    this CONSTANT text := encode(sha256(convert_to(
        jsonb_build_array(p_from, p_to, p_parts, node.towns)::text, 'UTF8')), 'hex');
    before CONSTANT text := current_setting('lock_timeout');
    is_large CONSTANT boolean := coalesce((
        SELECT c.reltuples >= 10000 FROM pg_class c
         WHERE c.oid = to_regclass(quote_ident(p_table))), false);
    its_mark text;
    found jsonb;
BEGIN
    PERFORM sync_may_read(node, p_table);
    -- What a transaction saw earlier is not what the mark says of the table now.
    IF is_large AND NOT pg_is_in_recovery()
       AND current_setting('transaction_isolation') = 'read committed'
    THEN
        BEGIN
            -- Whoever asks in a transaction that never ends has the others wait so long at most.
            PERFORM set_config('lock_timeout', CASE before WHEN '0' THEN '5s' ELSE before END, true);
            PERFORM pg_advisory_xact_lock(hashtextextended('sync_hashes ' || p_table || this, 0));
            PERFORM set_config('lock_timeout', before, true);
            its_mark := sync_mark(p_table);
            SELECT h.parts INTO found FROM sync_hashed h
             WHERE h.table_name = p_table AND h.asked = this AND h.mark = its_mark
               AND h.created_at > now() - interval '1 hour';
        EXCEPTION WHEN lock_not_available THEN
            NULL;
        END;
    END IF;
    IF found IS NULL THEN
        SELECT jsonb_agg(to_jsonb(h)) INTO found
          FROM sync_hashes_now(node, p_table, p_from, p_to, p_parts) AS h;
        -- A node asks for few ranges; one that asks for many fills no disk.
        IF its_mark IS NOT NULL
           AND (SELECT sum((e ->> 'row_count')::bigint) >= 10000 AND count(*) <= 1000
                  FROM jsonb_array_elements(found) AS e)
           AND (SELECT count(*) < 1000 FROM sync_hashed h WHERE h.table_name = p_table)
        THEN
            INSERT INTO sync_hashed AS h (table_name, asked, mark, parts)
            VALUES (p_table, this, its_mark, found)
            ON CONFLICT (table_name, asked) DO UPDATE
               SET mark = EXCLUDED.mark, parts = EXCLUDED.parts, created_at = now();
        END IF;
    END IF;
    RETURN QUERY SELECT * FROM jsonb_to_recordset(found)
        AS h (part integer, from_key text, to_key text, row_count bigint, hash text);
END
$$;

CREATE OR REPLACE FUNCTION sync_hashes_now(
    node sync_nodes, p_table text, p_from text, p_to text, p_parts integer
) RETURNS TABLE (part integer, from_key text, to_key text, row_count bigint, hash text)
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET TimeZone = 'UTC'
SET DateStyle = 'ISO, YMD' SET IntervalStyle = 'postgres' SET extra_float_digits = 3 SET bytea_output = 'hex' AS $$
BEGIN
    RETURN QUERY EXECUTE format($query$
        WITH parts AS (
            SELECT t.part, max(t.row_key) AS last, count(*) AS row_count,
                   md5(string_agg(t.row_key || md5(t.data::text), ',' ORDER BY t.row_key)) AS hash
              FROM (SELECT row_key, data - $4 AS data,
                           ntile($3) OVER (ORDER BY row_key) AS part FROM (%s) AS t
                     WHERE NOT (data ? 'town_id') OR $5 IS NULL OR sync_town(data) = ANY ($5)) AS t
             GROUP BY t.part)
        SELECT p.part, coalesce(lag(p.last) OVER w, $1),
               CASE WHEN lead(p.part) OVER w IS NULL THEN $2 ELSE p.last END,
               p.row_count, p.hash
          FROM parts p WINDOW w AS (ORDER BY p.part)$query$, sync_range(p_table))
      USING p_from, p_to, p_parts, sync_left_out(p_table), node.towns;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 1, p_from, p_to, 0::bigint, NULL::text;
    END IF;
END
$$;

-- Columns that are no part of a row's content: they are made of the others.
CREATE OR REPLACE FUNCTION sync_left_out(p_table text) RETURNS text[]
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT ARRAY(SELECT a.attname::text FROM pg_attribute a
                  WHERE a.attrelid = to_regclass(quote_ident(p_table)) AND a.attgenerated <> '')
$$;

-- Whether the log has rows that `reading` sees and `seen` does not, and the first position of those
-- whose transactions had not begun at `seen`. It looks in between the numbers of transactions that
-- run: one of them may have written many rows, which are to be passed over.
CREATE OR REPLACE FUNCTION sync_new(
    seen pg_snapshot, reading pg_snapshot, OUT is_new boolean, OUT low bigint
)
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
    SELECT min(found.position) INTO low
      FROM (SELECT b.xid AS behind, lead(b.xid) OVER (ORDER BY b.xid) AS before
              FROM (SELECT (pg_snapshot_xmax(seen)::text::bigint - 1)::text::xid8
                     UNION ALL SELECT pg_snapshot_xmax(reading)
                     UNION ALL SELECT pg_snapshot_xip(reading)) AS b (xid)
             WHERE b.xid::text::bigint >= pg_snapshot_xmax(seen)::text::bigint - 1) AS gap,
           -- OFFSET: else the least position is looked for from the beginning of the log.
           LATERAL (SELECT l.position FROM sync_log l
                     WHERE l.xid > gap.behind AND l.xid < gap.before OFFSET 0) AS found;
    is_new := low IS NOT NULL OR EXISTS (
        SELECT FROM pg_snapshot_xip(seen) AS ran (xid),
               LATERAL (SELECT FROM sync_log l WHERE l.xid = ran.xid
                         ORDER BY l.position LIMIT 1) AS found
         WHERE pg_visible_in_snapshot(ran.xid, reading));
END
$$;

-- The transactions of a round that come next, in the order of their last rows, and whether the round
-- has no others. A round is what `reading` sees and `seen` does not. Those with a last row up to
-- `done` were given, and who had not begun at `seen` has no row below `low`. So the next ones end
-- within the next rows above both, or ran at `seen`.
CREATE OR REPLACE FUNCTION sync_next_ended(
    seen pg_snapshot, reading pg_snapshot, low bigint, done bigint, p_limit integer,
    OUT xids xid8[], OUT ends bigint[], OUT is_all boolean
)
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
    wide bigint := p_limit;
    ended_rows bigint;
BEGIN
    LOOP
        WITH ahead AS MATERIALIZED (
            SELECT l.xid, l.position FROM sync_log l
             WHERE l.position >= low AND l.position > done
               AND pg_visible_in_snapshot(l.xid, reading)
               AND NOT pg_visible_in_snapshot(l.xid, seen)
             ORDER BY l.position LIMIT wide + 1
        ), horizon AS (
            SELECT count(*) <= wide AS is_end, max(a.position) AS up_to FROM ahead a
        ), met AS (
            SELECT m.xid, sum(m.rows) AS rows
              FROM (SELECT a.xid, 1 FROM ahead a
                     UNION ALL
                    SELECT ran.xid, 0 FROM pg_snapshot_xip(seen) AS ran (xid)
                     WHERE pg_visible_in_snapshot(ran.xid, reading)) AS m (xid, rows)
             GROUP BY m.xid
        )
        SELECT array_agg(m.xid ORDER BY m.ended), array_agg(m.ended ORDER BY m.ended),
               (SELECT h.is_end FROM horizon h), coalesce(sum(m.rows), 0)
          INTO xids, ends, is_all, ended_rows
          FROM (SELECT met.*, (SELECT max(l.position) FROM sync_log l WHERE l.xid = met.xid) AS ended
                  FROM met) AS m, horizon h
         WHERE m.ended > done AND (h.is_end OR m.ended <= h.up_to);
        EXIT WHEN is_all OR ended_rows * 2 >= p_limit;
        -- Long transactions, which end further on, are around the short ones.
        wide := wide * 4;
    END LOOP;
END
$$;

-- Which database this is, on which timeline: a standby begins one as it is promoted, and so does a
-- server that is restored up to an instant.
CREATE OR REPLACE FUNCTION sync_server() RETURNS text
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8) || ' ' || d.oid
      FROM pg_database d WHERE d.datname = current_database()
$$;

-- The log for a node that can't subscribe, in rounds: each gives what a snapshot sees that the one
-- of the round before did not see. So a transaction that runs on holds up nothing but its own rows,
-- which come in the round after its end. Transactions stay whole up to 5,000 rows and sync_bytes(),
-- as a subscription has them; a longer one comes in parts.
--
-- They come in the order of their last rows. That is an order in which each row has its versions,
-- and each unique key its holders, as they were: who writes over a row, or takes a key, had to wait
-- for the end of who held it, and a number of the log is drawn after that wait. A snapshot has all
-- that somebody in it waited for, so rounds are in that order, too.
--
-- A place is what was seen; within a round also what is read, the last row of the last transaction
-- that was given, and which part of a long one was. `server` tells a database from another one that
-- took its place, as a promoted standby: its numbers of transactions are others'. `is_anew` says that
-- what was before has to be compared.
CREATE OR REPLACE FUNCTION sync_changes(
    p_node text, p_after jsonb DEFAULT NULL, p_limit integer DEFAULT 500
) RETURNS jsonb
-- STABLE: all of it sees what `present` sees.
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    node CONSTANT sync_nodes := sync_caller(p_node);
    few CONSTANT integer := greatest(1, least(p_limit, 5000));
    present CONSTANT pg_snapshot := pg_current_snapshot();
    -- A place of an earlier version of this file: what was below a transaction was given.
    is_earlier CONSTANT boolean := p_after ->> 'xid' IS NOT NULL;
    seen CONSTANT pg_snapshot := CASE WHEN is_earlier
        THEN format('%1$s:%1$s:', p_after ->> 'xid') ELSE p_after ->> 'seen' END;
    is_within CONSTANT boolean := coalesce(p_after ? 'reading', false);
    reading CONSTANT pg_snapshot := coalesce((p_after ->> 'reading')::pg_snapshot, present);
    long CONSTANT xid8 := p_after ->> 'long';
    part CONSTANT bigint := coalesce((p_after ->> 'part')::bigint, 0);
    server jsonb;
    done bigint := coalesce((p_after ->> 'ended')::bigint, 0);
    low bigint;
    begun record;
    coming record;
    page record;
    after jsonb;
BEGIN
    IF pg_is_in_recovery() OR pg_current_xact_id_if_assigned() IS NOT NULL THEN
        -- Their snapshots do not say which transactions run: a standby's lists none, and what runs
        -- here itself is in none.
        RAISE EXCEPTION 'sync_changes() can''t tell here what is settled'
              USING ERRCODE = 'object_not_in_prerequisite_state',
                    HINT = 'Ask the master, not a standby, in a transaction that writes nothing.';
    END IF;
    server := jsonb_build_object('server', sync_server());
    -- A place above what there is belongs to another server, from which this database was restored.
    IF seen IS NULL OR p_after -> 'server' <> server -> 'server'
       OR greatest(pg_snapshot_xmax(seen), pg_snapshot_xmax(reading)) > pg_snapshot_xmax(present)
    THEN
        RETURN jsonb_build_object('entries', '[]'::jsonb, 'is_more', false, 'is_anew', true,
                                  'after', server || jsonb_build_object('seen', present::text));
    END IF;
    SELECT * INTO begun FROM sync_new(seen, present) WHERE NOT is_within;
    IF NOT begun.is_new THEN
        -- At rest a place stays, and who notes it has nothing to write.
        RETURN jsonb_build_object('entries', '[]'::jsonb, 'is_more', false, 'is_anew', false,
                                  'after', jsonb_build_object('seen', seen::text)
                                           || CASE WHEN p_after ? 'server' THEN server
                                                   ELSE '{}' END);
    END IF;
    low := CASE WHEN is_within THEN p_after ->> 'low' ELSE begun.low::text END;
    IF long IS NULL THEN
        SELECT * INTO coming FROM sync_next_ended(seen, reading, low, done, few);
    ELSE
        SELECT ARRAY[long] AS xids,
               ARRAY[greatest(part, (SELECT max(l.position) FROM sync_log l WHERE l.xid = long))]
                   AS ends, false AS is_all
          INTO coming;
    END IF;
    WITH read AS (
        SELECT l.*, t.ended, t.turn, row_number() OVER w AS place,
               sum(coalesce(octet_length(l.data::text), 0)) OVER w AS bytes
          FROM unnest(coming.xids, coming.ends) WITH ORDINALITY AS t (xid, ended, turn),
               LATERAL (SELECT * FROM sync_log g WHERE g.xid = t.xid AND g.position > part
                         ORDER BY g.position LIMIT 5001) AS l
        WINDOW w AS (ORDER BY t.turn, l.position)
    ), taken AS (
        SELECT r.*
          FROM (SELECT r.*, min(r.place) OVER w - 1 AS rows_before, max(r.place) OVER w AS rows_up_to,
                       max(r.bytes) OVER w AS bytes_up_to
                  FROM read r WINDOW w AS (PARTITION BY r.turn)) AS r
         WHERE CASE r.turn
               WHEN 1 THEN r.place = 1 OR r.place <= 5000 AND r.bytes < sync_bytes()
               ELSE r.rows_before < few AND r.rows_up_to <= 5000
                    AND r.bytes_up_to < sync_bytes() END
    )
    SELECT jsonb_agg(jsonb_build_object(
               'table', t.table_name, 'row_key', t.row_key, 'operation', t.operation,
               'data', t.data, 'version', t.version, 'sent_version', t.sent_version,
               'column_versions', t.column_versions, 'origin', t.origin, 'xid', t.xid)
               ORDER BY t.place) FILTER (
               WHERE (node.tables IS NULL OR t.table_name = ANY (
                          node.tables || '{robbieblocks_change_triggers,sync_nodes}'::text[]))
                 AND sync_is_told(t.data, node.towns, t.operation = 'DELETE')) AS entries,
           max(t.turn) AS turns, max(t.ended) AS ended, max(t.position) AS up_to
      INTO page
      FROM taken t;
    after := jsonb_build_object('seen', seen::text, 'reading', reading::text, 'low', low);
    IF page.turns = 1 AND page.up_to < page.ended THEN
        after := after || jsonb_build_object('ended', done, 'long', coming.xids[1]::text,
                                             'part', page.up_to);
    ELSE
        done := coalesce(page.ended, coming.ends[1], done);
        IF coming.is_all AND coalesce(page.turns, 0) = coalesce(cardinality(coming.xids), 0) THEN
            after := jsonb_build_object('seen', reading::text);
        ELSE
            after := after || jsonb_build_object('ended', done);
        END IF;
    END IF;
    RETURN jsonb_build_object(
        'entries', coalesce(page.entries, '[]'), 'is_anew', false, 'after', after || server,
        -- What was committed while the round was read comes in the next one.
        'is_more', after ? 'reading' OR is_within AND (sync_new(reading, present)).is_new);
END
$$;


-- 9  A node merges what the master gives --------------------------------------------------------
-- By the subscription, by polling, by the first copy, and by repairs: all end here. Under
-- session_replication_role = replica: no foreign key is checked, nothing is captured, and what
-- follows from a change at the master comes as a change of its own.

-- Makes room for the master's row, where a row of this node has the key that is unique.
CREATE OR REPLACE FUNCTION sync_make_way(the_table text, content jsonb, by_name text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT SET TimeZone = 'UTC' SET DateStyle = 'ISO, YMD'
SET IntervalStyle = 'postgres' SET extra_float_digits = 3 SET bytea_output = 'hex' AS $$
DECLARE
    shape record;
    broken record;
    holder jsonb;
    the_key text;
BEGIN
    SELECT * INTO shape FROM sync_table(the_table);
    SELECT * INTO broken FROM sync_unique(the_table, by_name);
    holder := sync_holder(the_table, content, broken.columns);
    the_key := sync_key(holder, shape.keys);
    IF broken.is_key IS NOT FALSE OR the_key IS NULL OR the_key = sync_key(content, shape.keys) THEN
        RAISE EXCEPTION 'the row % of % can''t take its place', sync_key(content, shape.keys),
              the_table
              USING ERRCODE = 'unique_violation', CONSTRAINT = by_name;
    ELSIF broken.place IS NOT NULL THEN
        PERFORM sync_write(the_table, the_key, jsonb_build_object(broken.place,
            sync_last_place(the_table, broken.columns, broken.place, holder)), true);
    ELSIF EXISTS (SELECT FROM sync_rows r WHERE r.table_name = the_table AND r.row_key = the_key) THEN
        -- The master knows it, or gets it from the outbox, and says what becomes of it.
        PERFORM sync_write(the_table, the_key, NULL, true);
    ELSE
        PERFORM sync_displace(the_table, holder);
    END IF;
END
$$;

-- Removes a row from before the sync, and those that refer to it, and keeps what they were.
DROP FUNCTION IF EXISTS sync_displace(text, jsonb);
CREATE OR REPLACE FUNCTION sync_displace(
    the_table text, content jsonb, is_child boolean DEFAULT false
) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT SET TimeZone = 'UTC' SET DateStyle = 'ISO, YMD'
SET IntervalStyle = 'postgres' SET extra_float_digits = 3 SET bytea_output = 'hex' AS $$
DECLARE
    the_key CONSTANT text := sync_key(content, (sync_table(the_table)).keys);
    it record;
    child jsonb;
BEGIN
    PERFORM sync_audit(the_table, the_key, sync_me(), NULL, content, 'master_wins',
                       'before the sync', NULL, '', NULL);
    PERFORM sync_keep(the_table, the_key, content, NULL, is_child);
    PERFORM sync_write(the_table, the_key, NULL, true);
    FOR it IN SELECT c.child, c.joined FROM sync_children(the_table) AS c LOOP
        FOR child IN EXECUTE format(
            'SELECT to_jsonb(t) FROM %I t, jsonb_populate_record(NULL::%I, $1) AS given WHERE %s '
            'FOR UPDATE OF t', it.child, the_table, it.joined) USING content
        LOOP
            PERFORM sync_displace(it.child, child, true);
        END LOOP;
    END LOOP;
END
$$;

-- What the master's delete of a row does to rows of tables that do not come down: the foreign keys
-- of this node, which no trigger obeys while rows are merged. What they were is kept.
CREATE OR REPLACE FUNCTION sync_take_along(the_table text, content jsonb, p_version text)
RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT SET TimeZone = 'UTC' SET DateStyle = 'ISO, YMD'
SET IntervalStyle = 'postgres' SET extra_float_digits = 3 SET bytea_output = 'hex' AS $$
DECLARE
    it record;
    taken jsonb;
    given jsonb;
    the_key text;
BEGIN
    FOR it IN
        SELECT c.*, (sync_table(c.child)).keys AS keys
          FROM sync_children(the_table) AS c
          LEFT JOIN sync_tables s ON s.table_name = c.child
         WHERE s.direction IS NULL OR s.direction NOT IN ('both', 'down')
         ORDER BY c.action NOT IN ('a', 'r')
    LOOP
        FOR taken IN EXECUTE format(
            'SELECT to_jsonb(t) FROM %I t, jsonb_populate_record(NULL::%I, $1) AS given WHERE %s '
            'FOR UPDATE OF t', it.child, the_table, it.joined) USING content
        LOOP
            IF it.action IN ('a', 'r') OR it.keys IS NULL THEN
                RAISE EXCEPTION 'rows of % refer to it', it.child
                      USING ERRCODE = 'foreign_key_violation';
            END IF;
            the_key := sync_key(taken, it.keys);
            given := CASE WHEN it.action <> 'c'
                          THEN sync_emptied(it.child, it.emptied, it.action = 'd') END;
            PERFORM sync_audit(it.child, the_key, sync_me(), taken || given, taken, 'master_wins',
                               'parent is gone', p_version, NULL, taken || given);
            PERFORM sync_write(it.child, the_key, given, true);
            IF it.action = 'c' THEN
                PERFORM sync_take_along(it.child, taken, p_version);
            END IF;
        END LOOP;
    END LOOP;
END
$$;

-- Writes the master's row; rows of this node that are in its way make room.
CREATE OR REPLACE FUNCTION sync_put(the_table text, the_key text, content jsonb, is_there boolean)
RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    by_name text;
BEGIN
    FOR attempt IN 1 .. 10 LOOP
        BEGIN
            PERFORM sync_write(the_table, the_key, content, is_there);
            RETURN;
        EXCEPTION WHEN unique_violation THEN
            GET STACKED DIAGNOSTICS by_name = CONSTRAINT_NAME;
            IF attempt = 10 THEN
                RAISE;
            END IF;
        END;
        PERFORM sync_make_way(the_table, content, by_name);
    END LOOP;
END
$$;

-- Merges one change: `changed`, `same` (this node has it), or `older`.
CREATE OR REPLACE FUNCTION sync_merge(entry jsonb) RETURNS text
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    the_table CONSTANT text := entry ->> 'table';
    the_key CONSTANT text := entry ->> 'row_key';
    given CONSTANT text := entry ->> 'version';
    sent CONSTANT text := entry ->> 'sent_version';
    content jsonb := CASE WHEN entry ->> 'operation' = 'UPSERT' THEN entry -> 'data' END;
    made text := given;
    given_columns jsonb := nullif(entry -> 'column_versions', 'null');
    settings sync_tables;
    shape record;
    found jsonb;
    last sync_rows;
    unknown text;
    merged jsonb;
    is_same boolean;
BEGIN
    IF the_table = 'sync_nodes' THEN
        -- The key of a node is another one: `sync run` asks the master for it.
        PERFORM pg_notify('sync_keys', concat_ws(' ', the_key, entry ->> 'xid'));
        RETURN 'same';
    END IF;
    SELECT * INTO settings FROM sync_tables t WHERE t.table_name = the_table;
    IF settings.direction IS NULL OR settings.direction NOT IN ('both', 'down') THEN
        RETURN 'same';
    END IF;
    SELECT * INTO shape FROM sync_table(the_table);
    SELECT min(name) INTO unknown FROM jsonb_object_keys(content) AS name
     WHERE NOT EXISTS (SELECT FROM pg_attribute a
                        WHERE a.attrelid = to_regclass(quote_ident(the_table)) AND a.attnum > 0
                          AND a.attname = name AND NOT a.attisdropped);
    IF unknown IS NOT NULL OR shape.keys IS NULL THEN
        RAISE EXCEPTION 'this node''s table % has no %', the_table,
              coalesce('column ' || unknown, 'primary key')
              USING ERRCODE = 'undefined_column',
                    HINT = 'Bring this node''s schema to the master''s: robbieblocks db upgrade. '
                           'Nothing is lost meanwhile.';
    END IF;
    IF the_table = 'robbieblocks_change_triggers' THEN
        RETURN sync_queue(entry);
    END IF;
    found := sync_fetch(the_table, the_key);
    last := sync_row(the_table, the_key);

    IF settings.rule = 'column' AND content IS NOT NULL AND found IS NOT NULL
       AND given_columns IS NOT NULL AND last.column_versions IS NOT NULL
    THEN
        -- Each column by itself: what is newer here is still on its way to the master.
        SELECT jsonb_object_agg(c.key, c.value) FILTER (WHERE c.is_taken),
               jsonb_object_agg(c.key, CASE WHEN c.is_taken THEN c.theirs ELSE c.ours END)
          INTO merged, given_columns
          FROM (SELECT f.key, f.value, coalesce(given_columns ->> f.key, '') AS theirs,
                       coalesce(last.column_versions ->> f.key, '') AS ours,
                       coalesce(given_columns ->> f.key, '')
                           >= coalesce(last.column_versions ->> f.key, '') COLLATE "C"
                       -- The master has decided of all that this node made of the row.
                       OR coalesce(sent IN (last.version, last.column_versions ->> f.key), false)
                       AS is_taken
                  FROM jsonb_each(content) AS f) AS c;
        content := merged;
        IF last.version > made AND last.version IS DISTINCT FROM sent THEN
            made := last.version;
        END IF;
    ELSIF made < coalesce(last.version, '') AND last.version IS DISTINCT FROM sent THEN
        RETURN 'older';
    END IF;

    is_same := CASE WHEN content IS NULL THEN found IS NULL
                    ELSE coalesce(sync_same(found, content, shape.columns), false) END;
    IF NOT is_same THEN
        IF last.version IS NULL AND found IS NOT NULL THEN
            PERFORM sync_audit(the_table, the_key, sync_me(), content, found, 'master_wins',
                               'before the sync', given, '', content);
        END IF;
        IF content IS NULL THEN
            PERFORM sync_take_along(the_table, found, given);
        END IF;
        PERFORM sync_put(the_table, the_key, content, found IS NOT NULL);
        IF entry ->> 'origin' = sync_me()
           AND current_setting('sync.altered', true) IS DISTINCT FROM 'told'
        THEN
            PERFORM set_config('sync.altered', 'on', true);
        END IF;
    END IF;
    INSERT INTO sync_rows AS r (table_name, row_key, version, is_deleted, column_versions)
    VALUES (the_table, the_key, made, entry ->> 'operation' = 'DELETE', given_columns)
    ON CONFLICT (table_name, row_key) DO UPDATE
       SET version = EXCLUDED.version, is_deleted = EXCLUDED.is_deleted,
           column_versions = EXCLUDED.column_versions, changed_at = now(),
           sent_version = CASE WHEN r.sent_version > EXCLUDED.version THEN r.sent_version END
     WHERE (r.version, r.is_deleted, r.column_versions) IS DISTINCT FROM
           (EXCLUDED.version, EXCLUDED.is_deleted, EXCLUDED.column_versions);
    IF content IS NOT NULL THEN
        PERFORM sync_has_come(the_table, entry -> 'data');
    END IF;
    RETURN CASE WHEN is_same THEN 'same' ELSE 'changed' END;
END
$$;

-- A row of the master's change queue. What this node has changed itself stands in its queue
-- already; where the master has made something else of it, sync_look_again() says so.
CREATE OR REPLACE FUNCTION sync_queue(entry jsonb) RETURNS text
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF entry ->> 'origin' = sync_me() THEN
        RETURN 'same';
    END IF;
    INSERT INTO robbieblocks_change_triggers AS q
           (id, trigger_type, entity_type, entity_id, affected_apps, affected_nodes, auto_deploy,
            created_at, changed_by, before, after)
    SELECT g.id, g.trigger_type, g.entity_type, g.entity_id, g.affected_apps, g.affected_nodes,
           g.auto_deploy, g.created_at, g.changed_by, g.before, g.after
      FROM jsonb_populate_record(NULL::robbieblocks_change_triggers, entry -> 'data') AS g
    ON CONFLICT (id) DO UPDATE
       SET affected_apps = EXCLUDED.affected_apps, affected_nodes = EXCLUDED.affected_nodes,
           auto_deploy = EXCLUDED.auto_deploy, before = EXCLUDED.before, after = EXCLUDED.after;
    RETURN 'changed';
END
$$;

-- Has this node look at all that it shows, where rows came that no row of the queue speaks of: a
-- copy, or what the master made of an edit of this node, of which it may have changed nothing.
CREATE OR REPLACE FUNCTION sync_look_again() RETURNS void
LANGUAGE sql SET search_path FROM CURRENT AS $$
    INSERT INTO robbieblocks_change_triggers
           (trigger_type, entity_type, entity_id, affected_nodes, changed_by)
    SELECT 'branding_change', 'node_branding', b.id, ARRAY[b.node_id::text], 'sync'
      FROM robbieblocks_node_branding b WHERE b.node_id = sync_me()
$$;

-- Merges one change; one that this node's table refuses stops no other. Its table's row in
-- sync_status says why, and the next repair tries again.
CREATE OR REPLACE FUNCTION sync_merge_safely(entry jsonb) RETURNS text
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    said text;
BEGIN
    BEGIN
        RETURN sync_merge(entry);
    EXCEPTION WHEN integrity_constraint_violation OR data_exception OR raise_exception
                   OR program_limit_exceeded THEN
        said := format('this node refused the row %s: %s', entry ->> 'row_key', SQLERRM);
    END;
    RAISE WARNING '%: %', entry ->> 'table', said;
    INSERT INTO sync_status AS t (table_name, last_error) VALUES (entry ->> 'table', said)
    ON CONFLICT (table_name) DO UPDATE SET last_error = EXCLUDED.last_error;
    RETURN 'refused';
END
$$;

-- What the subscription brings. Nothing of it is kept in this node's log.
CREATE OR REPLACE FUNCTION sync_arrive() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM sync_self WHERE NOT is_master) THEN
        RAISE EXCEPTION 'this database is not a node of a sync'
              USING ERRCODE = 'object_not_in_prerequisite_state',
                    HINT = 'Run `robbieblocks sync join`, or drop the subscription.';
    END IF;
    IF NEW.operation = 'DELETE' AND NEW.data ? 'moved_to' THEN
        -- For nodes that get some towns alone; this one gets the whole log.
        RETURN NULL;
    END IF;
    PERFORM set_config('app.town', '*', true);
    PERFORM sync_merge_safely(jsonb_build_object(
        'table', NEW.table_name, 'row_key', NEW.row_key, 'operation', NEW.operation,
        'data', NEW.data, 'version', NEW.version, 'sent_version', NEW.sent_version,
        'column_versions', NEW.column_versions, 'origin', NEW.origin, 'xid', NEW.xid));
    IF current_setting('sync.altered', true) = 'on' THEN
        -- Once a transaction.
        PERFORM set_config('sync.altered', 'told', true), sync_look_again();
    END IF;
    RETURN NULL;
END
$$;

-- Sets the session's role to replica, until the transaction ends.
CREATE OR REPLACE FUNCTION sync_as_replica() RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM sync_self WHERE NOT is_master) THEN
        RAISE EXCEPTION 'this database is not a node of a sync'
              USING ERRCODE = 'object_not_in_prerequisite_state',
                    HINT = 'Run `robbieblocks sync join`.';
    END IF;
    PERFORM set_config('session_replication_role', 'replica', true);
    PERFORM set_config('app.town', '*', true);
EXCEPTION WHEN insufficient_privilege THEN
    RAISE EXCEPTION 'the role % may not apply rows as a replica', quote_ident(current_user)
          USING ERRCODE = 'insufficient_privilege',
                HINT = format('As a superuser of this node: GRANT SET ON PARAMETER '
                              'session_replication_role TO %I.', current_user);
END
$$;

-- Merges entries of sync_copy() and sync_changes(), in one transaction.
CREATE OR REPLACE FUNCTION sync_receive(p_entries jsonb) RETURNS jsonb
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    role CONSTANT text := current_setting('session_replication_role');
    entry jsonb;
    changed integer := 0;
    same integer := 0;
    older integer := 0;
    refused integer := 0;
    told boolean := false;
BEGIN
    PERFORM sync_as_replica();
    PERFORM set_config('sync.altered', '', true);
    FOR entry IN SELECT jsonb_array_elements(p_entries) LOOP
        CASE sync_merge_safely(entry)
            WHEN 'changed' THEN changed := changed + 1;
            WHEN 'older' THEN older := older + 1;
            WHEN 'refused' THEN refused := refused + 1;
            ELSE same := same + 1;
        END CASE;
        told := told OR entry ? 'xid';
    END LOOP;
    -- A copy brings no rows of the queue, as the log does.
    IF (changed > 0 AND NOT told) OR current_setting('sync.altered', true) = 'on' THEN
        PERFORM sync_look_again();
    END IF;
    PERFORM set_config('session_replication_role', role, true);
    RETURN jsonb_build_object('changed', changed, 'same', same, 'older', older,
                              'refused', refused);
END
$$;

-- This node's hashes of the ranges that sync_hashes() of the master has answered. `p_columns` are the
-- master's, NULL: all that are here. A node has columns first, and may have some of its own.
DROP FUNCTION IF EXISTS sync_hashes_of(text, jsonb);
CREATE OR REPLACE FUNCTION sync_hashes_of(
    p_table text, p_parts jsonb, p_columns text[] DEFAULT NULL
) RETURNS TABLE (part integer, row_count bigint, hash text)
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET TimeZone = 'UTC' SET DateStyle = 'ISO, YMD'
SET IntervalStyle = 'postgres' SET extra_float_digits = 3 SET bytea_output = 'hex' AS $$
BEGIN
    PERFORM set_config('app.town', '*', true);
    RETURN QUERY EXECUTE format($query$
        WITH own AS MATERIALIZED (SELECT row_key, md5((data - $3)::text) AS hash
                                    FROM (%s) AS t)
        SELECT p.part, count(o.row_key),
               md5(string_agg(o.row_key || o.hash, ',' ORDER BY o.row_key))
          FROM jsonb_to_recordset($4) AS p (part integer, from_key text, to_key text)
          LEFT JOIN own o ON (p.from_key IS NULL OR o.row_key > p.from_key)
                         AND (p.to_key IS NULL OR o.row_key <= p.to_key)
         GROUP BY p.part ORDER BY p.part$query$, sync_range(p_table))
      -- What lies outside of all ranges is not read.
      USING (SELECT CASE WHEN bool_and(g.low IS NOT NULL) THEN min(g.low) END
               FROM jsonb_array_elements(p_parts) AS e,
                    LATERAL (SELECT (e ->> 'from_key') COLLATE "C") AS g (low)),
            (SELECT CASE WHEN bool_and(g.high IS NOT NULL) THEN max(g.high) END
               FROM jsonb_array_elements(p_parts) AS e,
                    LATERAL (SELECT (e ->> 'to_key') COLLATE "C") AS g (high)),
            sync_left_out(p_table) || ARRAY(
                SELECT name FROM unnest((sync_table(p_table)).columns) AS name
                 WHERE name <> ALL (p_columns)),
            p_parts;
END
$$;

-- The key of the row that is `p_rows` rows behind a key, here; NULL where the table ends before.
CREATE OR REPLACE FUNCTION sync_step(p_table text, p_after text, p_rows integer) RETURNS text
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET TimeZone = 'UTC' SET DateStyle = 'ISO, YMD'
SET IntervalStyle = 'postgres' SET extra_float_digits = 3 SET bytea_output = 'hex' AS $$
DECLARE
    found text;
BEGIN
    PERFORM set_config('app.town', '*', true);
    EXECUTE format('SELECT t.row_key FROM (%s) AS t OFFSET $3 LIMIT 1', sync_range(p_table))
       INTO found USING p_after, NULL::text, p_rows - 1;
    RETURN found;
END
$$;

-- Puts rows of this node into its outbox, as edits of now. One that is gone here is deleted, where
-- `p_entries` of the master have it.
DROP FUNCTION IF EXISTS sync_send(text, text[]);
CREATE OR REPLACE FUNCTION sync_send(
    p_table text, p_keys text[], p_entries jsonb DEFAULT '[]'
) RETURNS integer
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    settings sync_tables;
    the_key text;
    content jsonb;
    theirs jsonb;
    sent integer := 0;
BEGIN
    SELECT * INTO settings FROM sync_tables t
     WHERE t.table_name = p_table AND t.direction IN ('both', 'up');
    FOREACH the_key IN ARRAY p_keys LOOP
        content := sync_fetch(p_table, the_key);
        theirs := NULL;
        IF content IS NULL AND settings.has_deletes THEN
            SELECT e -> 'data' INTO theirs FROM jsonb_array_elements(p_entries) AS e
             WHERE e ->> 'row_key' = the_key AND e ->> 'operation' = 'UPSERT';
        END IF;
        CONTINUE WHEN coalesce(content, theirs) IS NULL OR settings.table_name IS NULL;
        PERFORM sync_record(p_table, the_key, theirs, content, sync_told(p_table));
        sent := sent + 1;
    END LOOP;
    RETURN sent;
END
$$;

-- Brings a range of keys to what the master has: `p_entries` are all that sync_copy() gives of it.
-- `p_all` sends what the master has lost of other databases' changes, too: one node does.
DROP FUNCTION IF EXISTS sync_repair(text, text, text, jsonb, timestamptz);
CREATE OR REPLACE FUNCTION sync_repair(
    p_table text, p_from text, p_to text, p_entries jsonb, p_tombstones_from timestamptz,
    p_all boolean DEFAULT false
) RETURNS jsonb
LANGUAGE plpgsql SET search_path FROM CURRENT SET TimeZone = 'UTC' SET DateStyle = 'ISO, YMD'
SET IntervalStyle = 'postgres' SET extra_float_digits = 3 SET bytea_output = 'hex' AS $$
DECLARE
    me CONSTANT text := sync_me();
    -- What was changed since may be on its way. Who asks for all has waited for it.
    settled_at CONSTANT timestamptz := now() - CASE WHEN p_all THEN interval '1 minute'
                                                    ELSE interval '15 minutes' END;
    result jsonb := sync_receive(p_entries);
    it record;
    gone text[] := '{}';
    own text[] := '{}';
    unknown integer := 0;
    alone text[] := '{}';
    lost text[];
BEGIN
    -- What the master once had and has no more, as after its restore from a backup: this node's own
    -- changes go up again. What was changed a moment ago may be on its way.
    SELECT coalesce(array_agg(r.row_key) FILTER (WHERE substr(r.version, 18) = me), '{}'),
           coalesce(array_agg(r.row_key) FILTER (WHERE substr(r.version, 18) <> me), '{}')
      INTO own, lost
      FROM jsonb_array_elements(p_entries) AS e
      JOIN sync_rows r ON r.table_name = p_table AND r.row_key = e ->> 'row_key'
     WHERE r.version > (e ->> 'version') COLLATE "C"
       AND r.version IS DISTINCT FROM e ->> 'sent_version'
       AND r.changed_at < settled_at
       AND NOT EXISTS (SELECT FROM pending_sync p
                        WHERE p.table_name = p_table AND p.row_key = r.row_key
                          AND p.synced_at IS NULL);
    FOR it IN EXECUTE format($query$
        SELECT t.row_key, r.version, r.changed_at FROM (%s) AS t
          LEFT JOIN sync_rows r ON r.table_name = $3 AND r.row_key = t.row_key
         WHERE t.row_key NOT IN (SELECT e ->> 'row_key' FROM jsonb_array_elements($4) AS e)
           AND NOT EXISTS (SELECT FROM pending_sync p
                            WHERE p.table_name = $3 AND p.row_key = t.row_key
                              AND p.synced_at IS NULL)$query$, sync_range(p_table))
      USING p_from, p_to, p_table, p_entries
    LOOP
        IF coalesce(it.version, '') = '' THEN
            unknown := unknown + 1;
            alone := (alone || it.row_key)[:5];
        ELSIF substr(it.version, 18) = me THEN
            own := own || it.row_key;
        ELSIF sync_version_at(it.version) < p_tombstones_from THEN
            gone := gone || it.row_key;
        ELSIF it.changed_at < settled_at THEN
            lost := lost || it.row_key;
        END IF;
    END LOOP;
    IF p_all THEN
        own := own || lost;
        lost := '{}';
    END IF;
    PERFORM sync_as_replica();
    PERFORM sync_write(p_table, key, NULL, true) FROM unnest(gone) AS key;
    UPDATE sync_rows r SET is_deleted = true, changed_at = now()
     WHERE r.table_name = p_table AND r.row_key = ANY (gone);
    PERFORM set_config('session_replication_role', 'origin', true);
    IF (result ->> 'refused')::integer = 0 THEN
        UPDATE sync_status t SET last_error = NULL
         WHERE t.table_name = p_table AND t.last_error LIKE 'this node refused the row %';
    END IF;
    RETURN result || jsonb_build_object('removed', cardinality(gone), 'unknown', unknown,
                                        'alone', alone, 'lost', cardinality(lost),
                                        'sent', sync_send(p_table, own, p_entries));
END
$$;


-- 10  Set up, and shut out ----------------------------------------------------------------------

-- Puts triggers on the tables of sync_tables, as this database's part in the sync needs them.
CREATE OR REPLACE FUNCTION sync_attach() RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    self sync_self;
    it record;
    told text;
BEGIN
    SELECT * INTO self FROM sync_self;
    DROP TRIGGER IF EXISTS sync_queue_elsewhere ON robbieblocks_change_triggers;
    IF self.node_id IS NOT NULL THEN
        CREATE TRIGGER sync_queue_elsewhere BEFORE INSERT ON robbieblocks_change_triggers
               FOR EACH ROW EXECUTE FUNCTION sync_queue_elsewhere();
        ALTER TABLE robbieblocks_change_triggers ENABLE ALWAYS TRIGGER sync_queue_elsewhere;
    END IF;
    FOR it IN
        SELECT c.relname::text AS name, t.has_deletes,
               self.node_id IS NOT NULL AND t.direction IN (
                   'both', CASE WHEN self.is_master THEN 'down' ELSE 'up' END) AS is_told
          FROM pg_class c
          LEFT JOIN sync_tables t ON t.table_name = c.relname
         WHERE c.relnamespace = quote_ident(current_schema())::regnamespace
           AND c.relkind IN ('r', 'p')
           AND (t.table_name IS NOT NULL OR EXISTS (
                   SELECT FROM pg_trigger g WHERE g.tgrelid = c.oid AND g.tgname = 'sync_capture'
                      AND g.tgparentid = 0))
    LOOP
        IF it.is_told IS NOT TRUE THEN
            UPDATE sync_tables t SET stopped_xid = pg_snapshot_xmin(pg_current_snapshot())
             WHERE t.table_name = it.name AND sync_is_captured(it.name);
            EXECUTE format('DROP TRIGGER IF EXISTS sync_capture ON %I', it.name);
            EXECUTE format('DROP TRIGGER IF EXISTS sync_capture_truncate ON %I', it.name);
            CONTINUE;
        END IF;
        SELECT string_agg(quote_literal(value), ', ' ORDER BY place) INTO told
          FROM unnest(sync_told(it.name)) WITH ORDINALITY AS given (value, place);
        IF it.name = 'robbieblocks_change_triggers' THEN
            EXECUTE format(
                'CREATE OR REPLACE TRIGGER sync_capture AFTER INSERT OR UPDATE OF affected_apps, '
                'affected_nodes, auto_deploy, before, after ON %I FOR EACH ROW '
                'EXECUTE FUNCTION sync_capture_queue(%s)', it.name, told);
            CONTINUE;
        END IF;
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER sync_capture AFTER INSERT OR UPDATE OR DELETE ON %I '
            'FOR EACH ROW EXECUTE FUNCTION sync_capture(%s)', it.name, told);
        IF it.has_deletes THEN
            EXECUTE format(
                'CREATE OR REPLACE TRIGGER sync_capture_truncate BEFORE TRUNCATE ON %I '
                'FOR EACH STATEMENT EXECUTE FUNCTION sync_capture_truncate(%s)', it.name, told);
        END IF;
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION sync_configure(
    p_table text, p_direction text, p_rule text DEFAULT 'row', p_deletes boolean DEFAULT true
) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    was_told CONSTANT boolean := sync_is_captured(p_table);
BEGIN
    -- What people and services log in with: whoever steals one node is to have none of it.
    IF p_table IN ('secrets', 'sessions', 'user_sessions', 'api_keys')
       AND p_direction IS DISTINCT FROM 'never'
    THEN
        RAISE EXCEPTION 'the table % has what people or services log in with, which never travels',
              p_table
              USING ERRCODE = 'invalid_parameter_value',
                    HINT = 'Leave it out, or write "never": each database has its own.';
    ELSIF NOT EXISTS (
                   SELECT FROM pg_class c
                    WHERE c.oid = to_regclass(quote_ident(p_table)) AND c.relkind IN ('r', 'p')
                      AND c.relnamespace = quote_ident(current_schema())::regnamespace)
    THEN
        RAISE EXCEPTION 'there is no table % in the schema %',
              coalesce(quote_literal(p_table), 'null'), quote_ident(current_schema())
              USING ERRCODE = 'invalid_parameter_value',
                    HINT = 'Write the name of a table there, without its schema.';
    ELSIF (sync_table(p_table)).keys IS NULL THEN
        RAISE EXCEPTION 'the table % has no primary key, by which rows are known', p_table
              USING ERRCODE = 'object_not_in_prerequisite_state',
                    HINT = 'Give it one on the master and on each node, of uuids.';
    ELSIF p_table LIKE 'sync\_%' OR p_table = 'pending_sync' THEN
        RAISE EXCEPTION 'the table % is the sync''s own', p_table
              USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave it out.';
    ELSIF p_table = 'robbieblocks_change_triggers' AND p_direction IS DISTINCT FROM 'down' THEN
        RAISE EXCEPTION 'the queue % goes down alone: by it nodes build what comes', p_table
              USING ERRCODE = 'invalid_parameter_value',
                    HINT = 'Leave it out, or write "down".';
    END IF;
    INSERT INTO sync_tables (table_name, direction, rule, has_deletes)
    VALUES (p_table, p_direction, p_rule, p_deletes)
    ON CONFLICT (table_name) DO UPDATE
       SET direction = EXCLUDED.direction, rule = EXCLUDED.rule,
           has_deletes = EXCLUDED.has_deletes, updated_at = now();
    PERFORM sync_attach();
    IF NOT was_told AND sync_is_captured(p_table) THEN
        PERFORM sync_begin_anew(p_table);
    END IF;
END
$$;

-- Whether changes of a table are captured here.
CREATE OR REPLACE FUNCTION sync_is_captured(p_table text) RETURNS boolean
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT EXISTS (SELECT FROM pg_trigger t
                    WHERE t.tgrelid = to_regclass(quote_ident(p_table)) AND t.tgname = 'sync_capture')
$$;

-- A table was out of step for a while. The master's rows stand: what was written there since
-- `stopped_xid` is an edit of now (without it, each row). A node knows no version of its own, but
-- of what waits: what was made of such a row since goes up, too.
CREATE OR REPLACE FUNCTION sync_begin_anew(p_table text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT SET TimeZone = 'UTC' SET DateStyle = 'ISO, YMD'
SET IntervalStyle = 'postgres' SET extra_float_digits = 3 SET bytea_output = 'hex' AS $$
DECLARE
    since xid8 := (SELECT t.stopped_xid FROM sync_tables t WHERE t.table_name = p_table);
    now_is CONSTANT xid8 := pg_current_xact_id();
    it record;
    content jsonb;
BEGIN
    UPDATE sync_tables t SET stopped_xid = NULL WHERE t.table_name = p_table;
    IF NOT EXISTS (SELECT FROM sync_self WHERE is_master) THEN
        DELETE FROM sync_rows r
         WHERE r.table_name = p_table AND NOT EXISTS (
                   SELECT FROM pending_sync p
                    WHERE p.table_name = p_table AND p.row_key = r.row_key AND p.synced_at IS NULL);
        FOR it IN
            SELECT p.row_key, p.data, CASE p.operation WHEN 'UPSERT' THEN p.data END AS before
              FROM pending_sync p
              JOIN sync_rows r ON r.table_name = p_table AND r.row_key = p.row_key
                              AND r.version = p.version
             WHERE p.table_name = p_table AND p.synced_at IS NULL AND NOT p.is_cascade
        LOOP
            content := sync_fetch(p_table, it.row_key);
            CONTINUE WHEN content IS NOT DISTINCT FROM it.before;
            PERFORM sync_record(p_table, it.row_key,
                                CASE WHEN content IS NULL THEN it.data ELSE it.before END, content,
                                sync_told(p_table));
        END LOOP;
        RETURN;
    ELSIF since IS NULL AND NOT EXISTS (SELECT FROM sync_rows r WHERE r.table_name = p_table) THEN
        RETURN;
    ELSIF since > now_is OR now_is::text::numeric - since::text::numeric > 2000000000 THEN
        -- Of another server, or from so long ago that numbers of transactions have come again.
        since := NULL;
    END IF;
    EXECUTE format($query$
        WITH there AS MATERIALIZED (
            SELECT k.row_key, $1 IS NULL OR age(t.xmin) <= age($1::xid) AS is_changed
              FROM %I t, LATERAL (SELECT sync_key(to_jsonb(t), $2) COLLATE "C") AS k (row_key)
        ), changed AS (
            INSERT INTO sync_rows AS r (table_name, row_key, version)
            SELECT $3, t.row_key, sync_next_version('', sync_me()) FROM there t WHERE t.is_changed
            ON CONFLICT (table_name, row_key) DO UPDATE
               SET version = sync_next_version(r.version, sync_me()), sent_version = NULL,
                   column_versions = NULL, changed_at = now(), is_deleted = false
        )
        UPDATE sync_rows r
           SET version = sync_next_version(r.version, sync_me()), sent_version = NULL,
               column_versions = NULL, changed_at = now(), is_deleted = true
         WHERE r.table_name = $3 AND NOT r.is_deleted
           AND r.row_key NOT IN (SELECT t.row_key FROM there t)$query$, p_table)
      USING since, (sync_table(p_table)).keys, p_table;
END
$$;

-- Raises where a text is no name of a node.
CREATE OR REPLACE FUNCTION sync_check_name(p_node text) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS $$
BEGIN
    IF coalesce(p_node, '') !~ '^[a-z0-9][a-z0-9._-]{0,99}$' THEN
        RAISE EXCEPTION '% is no name of a node', coalesce(quote_literal(p_node), 'null')
              USING ERRCODE = 'invalid_parameter_value',
                    HINT = 'Small letters, digits, dots, hyphens and underscores.';
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION sync_start(p_node text, p_master boolean) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    self sync_self;
BEGIN
    SELECT * INTO self FROM sync_self;
    PERFORM sync_check_name(p_node);
    IF self.node_id IS NOT NULL AND (self.node_id, self.is_master) <> (p_node, p_master) THEN
        RAISE EXCEPTION 'this database is the % % already',
              CASE WHEN self.is_master THEN 'master' ELSE 'node' END, quote_literal(self.node_id)
              USING ERRCODE = 'object_not_in_prerequisite_state',
                    HINT = 'Run `robbieblocks sync leave` first.';
    END IF;
    IF self.node_id IS NULL AND NOT p_master THEN
        -- It may have left a sync, or be a copy of the master. What was edited since has no version:
        -- all rows are from before.
        DELETE FROM sync_rows;
        DELETE FROM sync_log;
        DELETE FROM sync_received;
        DELETE FROM sync_hashed;
        DELETE FROM sync_nodes WHERE node_id <> p_node AND database_role IS NOT NULL;
        DELETE FROM pending_sync WHERE row_key IS NOT NULL AND synced_at IS NULL;
    END IF;
    INSERT INTO sync_self (node_id, is_master) VALUES (p_node, p_master) ON CONFLICT DO NOTHING;
    INSERT INTO sync_nodes (node_id, node_name, node_type)
    VALUES (p_node, p_node, CASE WHEN p_master THEN 'master' ELSE 'replica' END)
    ON CONFLICT (node_id) DO UPDATE SET node_type = EXCLUDED.node_type;
    PERFORM sync_attach();
    IF self.node_id IS NULL AND p_master THEN
        -- It may have been one before, and its nodes know versions of then.
        PERFORM sync_begin_anew(t.table_name) FROM sync_tables t
          WHERE t.table_name <> 'robbieblocks_change_triggers' AND sync_is_captured(t.table_name);
    END IF;
    UPDATE sync_tables t SET stopped_xid = NULL WHERE t.stopped_xid IS NOT NULL;
END
$$;

CREATE OR REPLACE FUNCTION sync_stop() RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    DELETE FROM sync_self;
    PERFORM sync_attach();
END
$$;

-- Lets the role of a node call what nodes call.
CREATE OR REPLACE FUNCTION sync_grant(p_role name) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), p_role);
    EXECUTE format('GRANT EXECUTE ON FUNCTION sync_apply, sync_hello, sync_keys_of, sync_settings, '
                   'sync_schema, sync_copy, sync_hashes, sync_changes TO %I', p_role);
END
$$;

CREATE OR REPLACE FUNCTION sync_admit(
    p_node text, p_name text, p_role name, p_tables text[] DEFAULT NULL,
    p_towns text[] DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    other text;
BEGIN
    IF NOT EXISTS (SELECT FROM sync_self WHERE is_master) THEN
        RAISE EXCEPTION 'this database is not the master of a sync'
              USING ERRCODE = 'object_not_in_prerequisite_state',
                    HINT = 'Run `robbieblocks sync init-master` first.';
    ELSIF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = p_role) THEN
        RAISE EXCEPTION 'there is no role %', coalesce(quote_ident(p_role), 'null')
              USING ERRCODE = 'undefined_object',
                    HINT = format('CREATE ROLE %I LOGIN REPLICATION.', p_role);
    ELSIF pg_has_role(p_role, (SELECT c.relowner FROM pg_class c
                                WHERE c.oid = 'sync_nodes'::regclass), 'MEMBER') THEN
        RAISE EXCEPTION 'the role % may do all that the owner of the master may',
              quote_ident(p_role)
              USING ERRCODE = 'invalid_parameter_value',
                    HINT = 'Give the node a role of its own, which can be locked out.';
    END IF;
    PERFORM sync_check_name(p_node);
    SELECT n.node_id INTO other FROM sync_nodes n
     WHERE n.database_role = p_role AND n.node_id <> p_node;
    IF other IS NOT NULL THEN
        RAISE EXCEPTION 'the role % is that of the node %', quote_ident(p_role),
              quote_literal(other)
              USING ERRCODE = 'invalid_parameter_value', HINT = 'Give each node a role of its own.';
    END IF;
    SELECT min(name) INTO other FROM unnest(p_tables) AS name
     WHERE NOT EXISTS (SELECT FROM sync_tables t
                        WHERE t.table_name = name AND t.direction <> 'never');
    IF other IS NOT NULL THEN
        RAISE EXCEPTION 'the table % is not kept in step', quote_literal(other)
              USING ERRCODE = 'invalid_parameter_value',
                    HINT = 'Name tables that `robbieblocks sync status` lists.';
    END IF;
    IF p_towns IS NOT NULL THEN
        -- By a statement of its own: file 21 alone has no towns.
        IF to_regclass('towns') IS NULL THEN
            other := p_towns[1];
        ELSE
            EXECUTE 'SELECT min(name) FROM unnest($1) AS name '
                    'WHERE NOT EXISTS (SELECT FROM towns t WHERE t.name = name.name)'
               INTO other USING p_towns;
        END IF;
        IF other IS NOT NULL THEN
            RAISE EXCEPTION 'there is no town %', quote_literal(other)
                  USING ERRCODE = 'invalid_parameter_value',
                        HINT = 'Write it as it stands in the table towns: SELECT name FROM towns.';
        END IF;
    END IF;
    INSERT INTO sync_nodes (node_id, node_name, node_type, database_role, tables, towns)
    VALUES (p_node, coalesce(p_name, p_node), 'replica', p_role, p_tables, p_towns)
    ON CONFLICT (node_id) DO UPDATE
       SET node_name = EXCLUDED.node_name, database_role = EXCLUDED.database_role,
           tables = EXCLUDED.tables, towns = EXCLUDED.towns;
    PERFORM sync_grant(p_role);
END
$$;

-- The replication slot that a node of ours reads: subscription.py makes the same name.
CREATE OR REPLACE FUNCTION sync_slot(p_node text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT 'sync_' || left(regexp_replace(lower(p_node), '[^a-z0-9_]', '_', 'g'), 40) || '_'
           || left(encode(sha256(convert_to(p_node, 'UTF8')), 'hex'), 8)
$$;

-- Ends a node's part: from here on the master answers it nothing. What needs other rights than the
-- caller has is tried, and told.
CREATE OR REPLACE FUNCTION sync_lock_out(p_node text)
RETURNS TABLE (step text, is_done boolean, detail text)
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    before CONSTANT text := current_setting('lock_timeout');
    node sync_nodes;
    it record;
BEGIN
    -- A node knows itself, too: there nothing would be shut out, and it would say that it was.
    IF NOT EXISTS (SELECT FROM sync_self WHERE is_master) THEN
        RAISE EXCEPTION 'this database is not the master of the sync'
              USING ERRCODE = 'object_not_in_prerequisite_state',
                    HINT = 'Lock the node out on the master.';
    ELSIF p_node = sync_me() THEN
        RAISE EXCEPTION '% is the master itself', quote_literal(p_node)
              USING ERRCODE = 'invalid_parameter_value', HINT = 'Name a node.';
    END IF;
    -- A session of the node may hold its row for as long as it likes.
    PERFORM set_config('lock_timeout', '1s', true);
    FOR attempt IN 1 .. 5 LOOP
        BEGIN
            UPDATE sync_nodes n
               SET locked_out_at = coalesce(n.locked_out_at, now()), is_online = false
             WHERE n.node_id = p_node
            RETURNING n.* INTO node;
            EXIT;
        EXCEPTION WHEN lock_not_available THEN
            IF attempt = 5 THEN
                RAISE;
            END IF;
        END;
        SELECT n.* INTO node FROM sync_nodes n WHERE n.node_id = p_node;
        BEGIN
            PERFORM pg_terminate_backend(a.pid, 1000) FROM pg_stat_activity a
              WHERE a.usename = node.database_role;
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE EXCEPTION 'the node % is not locked out: a session of its role % holds its row',
                  quote_literal(p_node), quote_ident(node.database_role)
                  USING ERRCODE = 'insufficient_privilege',
                        HINT = format('As a superuser: SELECT pg_terminate_backend(pid) FROM '
                                      'pg_stat_activity WHERE usename = %L; then lock it out again.',
                                      node.database_role);
        END;
    END LOOP;
    PERFORM set_config('lock_timeout', before, true);
    IF node.node_id IS NULL THEN
        RAISE EXCEPTION 'there is no node %', coalesce(quote_literal(p_node), 'null')
              USING ERRCODE = 'no_data_found';
    END IF;
    RETURN QUERY SELECT 'the master answers it no more', true, NULL::text;
    IF node.database_role IS NULL THEN
        RETURN;
    END IF;
    FOR it IN
        SELECT s.place, s.name, s.statement
          FROM (VALUES
              (1, 'its role may not log in', format('ALTER ROLE %I NOLOGIN', node.database_role)),
              (2, 'its sessions are ended',
               format('SELECT count(pg_terminate_backend(pid, 1000)) FROM pg_stat_activity '
                      'WHERE usename = %L', node.database_role)),
              (3, 'its replication slot is dropped',
               format('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots '
                      'WHERE slot_name = %L AND database = current_database()',
                      sync_slot(node.node_id)))) AS s (place, name, statement)
         WHERE s.statement IS NOT NULL ORDER BY s.place
    LOOP
        BEGIN
            EXECUTE it.statement;
            RETURN QUERY SELECT it.name, true, NULL::text;
        EXCEPTION WHEN insufficient_privilege OR undefined_object OR object_in_use THEN
            RETURN QUERY SELECT it.name, false, SQLERRM || ': ' || it.statement;
        END;
    END LOOP;
END
$$;

-- Lets a node in again. What waits there was made while it was locked out, by whoever had it: it
-- loses, and is kept, unless `p_take`. That ends once the node has said that nothing waits; what is
-- edited after it was heard again is an edit as any other, unless its time lies ahead.
DROP FUNCTION IF EXISTS sync_let_in(text);
CREATE OR REPLACE FUNCTION sync_let_in(p_node text, p_take boolean DEFAULT false) RETURNS void
LANGUAGE sql SET search_path FROM CURRENT AS $$
    -- The key with which it signed may be stolen: it says its own anew. What a node says of itself
    -- may be anything.
    UPDATE sync_nodes SET locked_out_at = NULL,
           let_in_at = CASE WHEN p_take THEN NULL WHEN locked_out_at IS NULL THEN let_in_at
                             ELSE 'infinity' END,
           metadata = CASE WHEN jsonb_typeof(metadata -> 'report') = 'object'
                           THEN metadata #- '{report,cache_key}' ELSE metadata - 'report' END
     WHERE node_id = p_node
$$;

-- Removes what is no longer needed: changes that were brought over, the log after a week, what is
-- known of ids and rows that are gone after 90 days. Returns how many rows.
CREATE OR REPLACE FUNCTION sync_prune() RETURNS bigint
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    gone bigint;
    removed bigint := 0;
BEGIN
    DELETE FROM pending_sync WHERE synced_at < now() - interval '7 days';
    GET DIAGNOSTICS gone = ROW_COUNT;
    removed := removed + gone;
    -- Of a transaction that ran for days, nodes that ask get the rows when it has ended, and its rows
    -- have the time of its beginning. So it is noted now and then up to where all have ended.
    INSERT INTO sync_metrics (metric_name, metric_value)
    SELECT 'sync_log_ended', pg_snapshot_xmin(pg_current_snapshot())::text::numeric
      FROM sync_self s
     WHERE s.is_master AND NOT EXISTS (
               SELECT FROM sync_metrics m WHERE m.metric_name = 'sync_log_ended'
                  AND m.created_at > now() - interval '6 hours');
    DELETE FROM sync_log l
     WHERE l.created_at < now() - interval '7 days'
       AND l.xid < (SELECT m.metric_value::text::xid8 FROM sync_metrics m
                     WHERE m.metric_name = 'sync_log_ended'
                       AND m.created_at < now() - interval '7 days'
                     ORDER BY m.created_at DESC LIMIT 1);
    GET DIAGNOSTICS gone = ROW_COUNT;
    removed := removed + gone;
    DELETE FROM sync_metrics m
     WHERE m.metric_name = 'sync_log_ended' AND m.created_at < now() - interval '8 days';
    DELETE FROM sync_received WHERE created_at < now() - interval '90 days';
    GET DIAGNOSTICS gone = ROW_COUNT;
    removed := removed + gone;
    -- What went in a transaction of which a version that lost may still be brought back stays.
    DELETE FROM sync_gone_rows g
     WHERE g.created_at < now() - interval '91 days' AND NOT EXISTS (
               SELECT FROM sync_gone_rows one JOIN sync_conflicts c
                   ON c.table_name = one.table_name AND c.row_key = one.row_key
                WHERE one.xid = g.xid AND c.resolved_at IS NULL);
    GET DIAGNOSTICS gone = ROW_COUNT;
    removed := removed + gone;
    DELETE FROM sync_hashed WHERE created_at < now() - interval '1 hour';
    GET DIAGNOSTICS gone = ROW_COUNT;
    removed := removed + gone;
    -- A day more than the master says: whoever asks meanwhile finds them. `changed_at` is when the
    -- transaction began. What it deleted it may have deleted days later, and till then others had
    -- versions that are no older than the tombstones yet.
    DELETE FROM sync_rows r
     WHERE r.is_deleted AND r.changed_at < now() - interval '91 days'
       AND sync_version_at(r.version) < now() - interval '91 days';
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN removed + gone;
END
$$;


-- 11  Conflicts ---------------------------------------------------------------------------------

-- The rows to which a row refers by its foreign keys: in which table, by which columns there and
-- here, and their values.
CREATE OR REPLACE FUNCTION sync_parents(the_table text, content jsonb)
RETURNS TABLE (parent text, keys text[], parents text[], columns text[], wanted jsonb, joined text)
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT p.relname::text, (sync_table(p.relname)).keys, array_agg(pa.attname::text),
           array_agg(ca.attname::text), jsonb_object_agg(pa.attname, content -> ca.attname::text),
           string_agg(format('t.%1$I = given.%1$I', pa.attname), ' AND ')
      FROM pg_constraint f
      JOIN pg_class p ON p.oid = f.confrelid
       AND p.relnamespace = quote_ident(current_schema())::regnamespace,
           unnest(f.conkey, f.confkey) AS pair (child, parent),
           pg_attribute ca, pg_attribute pa
     WHERE f.conrelid = to_regclass(quote_ident(the_table)) AND f.contype = 'f'
       AND ca.attrelid = f.conrelid AND ca.attnum = pair.child
       AND pa.attrelid = f.confrelid AND pa.attnum = pair.parent
     GROUP BY f.oid, p.relname
    HAVING bool_and(content ->> ca.attname::text IS NOT NULL)
$$;

-- The rows that content refers to and that are gone, as they were when they went.
CREATE OR REPLACE FUNCTION sync_gone_parents(the_table text, content jsonb) RETURNS SETOF sync_gone_rows
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET TimeZone = 'UTC' SET DateStyle = 'ISO, YMD'
SET IntervalStyle = 'postgres' SET extra_float_digits = 3 SET bytea_output = 'hex' AS $$
DECLARE
    it record;
    is_there boolean;
BEGIN
    FOR it IN SELECT * FROM sync_parents(the_table, content) LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %1$I t, jsonb_populate_record(NULL::%1$I, $1) '
                       'AS given WHERE %2$s)', it.parent, it.joined) INTO is_there USING it.wanted;
        CONTINUE WHEN is_there;
        IF it.keys <@ it.parents THEN
            RETURN QUERY SELECT g.* FROM sync_gone_rows g
                          WHERE g.table_name = it.parent AND g.left_as IS NULL
                            AND g.row_key = sync_key(it.wanted, it.keys);
        ELSE
            RETURN QUERY SELECT g.* FROM sync_gone_rows g
                          WHERE g.table_name = it.parent AND g.left_as IS NULL
                            AND g.data @> it.wanted
                          ORDER BY g.created_at DESC LIMIT 1;
        END IF;
    END LOOP;
END
$$;

-- A row's content, which refers to the row that has the unique key where it referred to one that
-- lost it: that is what such a row becomes.
CREATE OR REPLACE FUNCTION sync_adopted(the_table text, content jsonb) RETURNS jsonb
LANGUAGE plpgsql SET search_path FROM CURRENT SET TimeZone = 'UTC' SET DateStyle = 'ISO, YMD'
SET IntervalStyle = 'postgres' SET extra_float_digits = 3 SET bytea_output = 'hex' AS $$
DECLARE
    adopted jsonb := content;
    it record;
    by_name text;
    broken record;
    holder jsonb;
BEGIN
    FOR it IN
        SELECT p.*, lost.loser
          FROM sync_parents(the_table, content) AS p,
               LATERAL (SELECT sync_loser(c) AS loser FROM sync_conflicts c
                         WHERE c.table_name = p.parent AND c.rule = 'unique key'
                           AND c.row_key = sync_key(p.wanted, p.keys)
                         ORDER BY c.created_at DESC LIMIT 1) AS lost
         WHERE p.keys <@ p.parents
           AND sync_fetch(p.parent, sync_key(p.wanted, p.keys)) IS NULL
    LOOP
        FOR by_name IN
            SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
             WHERE i.indrelid = to_regclass(quote_ident(it.parent)) AND i.indisunique
               AND NOT i.indisprimary AND i.indexprs IS NULL
             ORDER BY c.relname
        LOOP
            SELECT * INTO broken FROM sync_unique(it.parent, by_name);
            CONTINUE WHEN broken.place IS NOT NULL;
            holder := sync_holder(it.parent, it.loser, broken.columns);
            IF holder IS NOT NULL THEN
                adopted := adopted || (
                    SELECT jsonb_object_agg(pair.child, holder -> pair.parent)
                      FROM unnest(it.columns, it.parents) AS pair (child, parent));
                EXIT;
            END IF;
        END LOOP;
    END LOOP;
    RETURN adopted;
END
$$;

-- How many rows are brought back together.
CREATE OR REPLACE FUNCTION sync_together_max() RETURNS integer
LANGUAGE sql IMMUTABLE AS $$ SELECT 10000 $$;

-- What comes back with a row that lost: the rows that it refers to and that are gone (`is_before`),
-- and what went with them and with it, or was emptied by a foreign key then.
CREATE OR REPLACE FUNCTION sync_together(
    p_table text, p_key text, content jsonb, is_there boolean,
    p_max integer
) RETURNS TABLE (is_before boolean, gone sync_gone_rows)
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET TimeZone = 'UTC' SET DateStyle = 'ISO, YMD'
SET IntervalStyle = 'postgres' SET extra_float_digits = 3 SET bytea_output = 'hex' AS $$
DECLARE
    above sync_gone_rows[] := ARRAY(SELECT g FROM sync_gone_parents(p_table, content) AS g);
    below sync_gone_rows[] := '{}';
    level sync_gone_rows[];
    found sync_gone_rows[];
    it record;
    place integer := 0;
BEGIN
    WHILE place < cardinality(above) AND place < 100 LOOP
        place := place + 1;
        above := above || ARRAY(
            SELECT g FROM sync_gone_parents(above[place].table_name, above[place].data) AS g
             WHERE NOT EXISTS (SELECT FROM unnest(above) AS a
                                WHERE a.table_name = g.table_name AND a.row_key = g.row_key));
    END LOOP;
    level := above || ARRAY(SELECT g FROM sync_gone_rows g
                             WHERE NOT is_there AND g.table_name = p_table
                               AND g.row_key = p_key AND g.left_as IS NULL);
    WHILE cardinality(level) > 0 LOOP
        found := '{}';
        FOR it IN
            SELECT l.table_name, c.child, c.columns, c.parents
              FROM (SELECT DISTINCT u.table_name FROM unnest(level) AS u) AS l,
                   sync_children(l.table_name) AS c
        LOOP
            found := found || ARRAY(
                SELECT g FROM unnest(level) AS p
                  JOIN sync_gone_rows g ON g.xid = p.xid AND g.table_name = it.child AND g.is_taken_along
                   AND g.data -> it.columns[1] = p.data -> it.parents[1]
                 WHERE p.table_name = it.table_name
                   AND NOT EXISTS (SELECT FROM unnest(it.columns, it.parents) AS pair (child, parent)
                                    WHERE g.data -> pair.child IS DISTINCT FROM p.data -> pair.parent)
                   AND (g.table_name, g.row_key) <> (p_table, p_key)
                   AND g.row_key NOT IN (SELECT b.row_key FROM unnest(above || below || found) AS b
                                          WHERE b.table_name = it.child)
                 ORDER BY g.row_key LIMIT p_max + 1);
        END LOOP;
        below := below || found;
        IF cardinality(below) > p_max THEN
            RAISE EXCEPTION 'more than % rows went with the row % of %', p_max, p_key, p_table
                  USING ERRCODE = 'program_limit_exceeded',
                        HINT = 'Bring it back without them: --alone.';
        END IF;
        level := ARRAY(SELECT f FROM unnest(found) AS f WHERE f.left_as IS NULL);
    END LOOP;
    RETURN QUERY SELECT true, (a.table_name, a.row_key, a.data, a.left_as, a.is_taken_along, a.xid,
                               a.created_at)::sync_gone_rows
                   FROM unnest(above) WITH ORDINALITY AS a ORDER BY a.ordinality DESC;
    RETURN QUERY SELECT false, (b.table_name, b.row_key, b.data, b.left_as, b.is_taken_along, b.xid,
                                b.created_at)::sync_gone_rows
                   FROM unnest(below) WITH ORDINALITY AS b ORDER BY b.ordinality;
END
$$;

-- The side of a conflict that lost; where columns were merged, the row with the others' values.
CREATE OR REPLACE FUNCTION sync_loser(kept sync_conflicts) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN kept.rule = 'newer column' THEN kept.replica_data || coalesce((
            SELECT jsonb_object_agg(m.key, m.value) FROM jsonb_each(kept.master_data) AS m
             WHERE kept.resolved_data -> m.key IS DISTINCT FROM m.value), '{}')
        ELSE nullif(CASE kept.resolution WHEN 'replica_wins' THEN kept.master_data
                                         ELSE kept.replica_data END, 'null') END
$$;

-- Brings rows back as they were. A row that is there again stays as it is, but with `p_force`; one
-- whose other parent is gone stays away. Returns how many there are of each kind.
CREATE OR REPLACE FUNCTION sync_put_back(parts sync_gone_rows[], p_force boolean) RETURNS jsonb
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    it sync_gone_rows;
    todo sync_gone_rows[] := parts;
    again sync_gone_rows[];
    shape record;
    broken record;
    found jsonb;
    content jsonb;
    by_name text;
    back integer := 0;
    stayed integer := 0;
BEGIN
    LOOP
        again := '{}';
        FOREACH it IN ARRAY todo LOOP
            SELECT * INTO shape FROM sync_table(it.table_name);
            found := CASE WHEN shape.keys IS NOT NULL THEN sync_fetch(it.table_name, it.row_key) END;
            content := it.data;
            IF it.left_as IS NOT NULL THEN
                -- It was only emptied, and may have been edited since.
                content := (SELECT jsonb_object_agg(k, it.data -> k)
                              FROM jsonb_object_keys(it.left_as) AS k);
                IF found IS NULL OR NOT (p_force OR found @> it.left_as - 'updated_at'::text) THEN
                    stayed := stayed + 1;
                    CONTINUE;
                END IF;
            ELSIF found IS NOT NULL AND NOT p_force THEN
                stayed := stayed + 1;
                CONTINUE;
            END IF;
            BEGIN
                PERFORM sync_write(it.table_name, it.row_key, content, found IS NOT NULL);
            EXCEPTION
                WHEN foreign_key_violation THEN
                    again := again || it;
                    CONTINUE;
                WHEN unique_violation THEN
                    GET STACKED DIAGNOSTICS by_name = CONSTRAINT_NAME;
                    SELECT * INTO broken FROM sync_unique(it.table_name, by_name);
                    IF broken.place IS NULL THEN
                        RAISE EXCEPTION 'the row % of % can''t come back: %', it.row_key,
                              it.table_name, SQLERRM
                              USING ERRCODE = 'unique_violation',
                                    HINT = 'Give the row that has its key now another one, or '
                                           'bring the row that lost back without others: --alone.';
                    END IF;
                    content := content || jsonb_build_object(broken.place, sync_last_place(
                        it.table_name, broken.columns, broken.place, it.data));
                    PERFORM sync_write(it.table_name, it.row_key, content, found IS NOT NULL);
            END;
            back := back + 1;
            UPDATE sync_conflicts c
               SET restored_at = now(), resolved_at = now(), resolved_by = session_user,
                   resolved_data = content
             WHERE c.table_name = it.table_name AND c.row_key = it.row_key
               AND c.restored_at IS NULL AND sync_loser(c) = it.data;
        END LOOP;
        EXIT WHEN cardinality(again) IN (0, cardinality(todo));
        todo := again;
    END LOOP;
    RETURN jsonb_build_object('back', back, 'stayed', stayed, 'left_out', cardinality(again));
END
$$;

-- Brings the version that lost back, as an edit of now, which goes to every node. Where another row
-- has its unique key, that row becomes it; what refers to a row that lost its key refers to that
-- one. What it refers to and is gone comes back before it, and what went with a row that was gone
-- behind it, all or nothing: but with `p_alone`. Returns the row's key, and how many rows came back
-- with it (`back`), are there again and stay as they are (`stayed`), or lack a row that they refer
-- to (`left_out`).
CREATE OR REPLACE FUNCTION sync_conflicts_bring_back(
    p_id uuid, p_force boolean DEFAULT false, p_alone boolean DEFAULT false
) RETURNS jsonb
LANGUAGE plpgsql SET search_path FROM CURRENT SET TimeZone = 'UTC' SET DateStyle = 'ISO, YMD'
SET IntervalStyle = 'postgres' SET extra_float_digits = 3 SET bytea_output = 'hex' AS $$
DECLARE
    kept sync_conflicts;
    shape record;
    broken record;
    lost jsonb;
    adopted jsonb;
    found jsonb;
    the_key text;
    by_name text;
    by_table text;
    above sync_gone_rows[] := '{}';
    below sync_gone_rows[] := '{}';
    before jsonb;
    behind jsonb;
BEGIN
    SELECT * INTO kept FROM sync_conflicts c WHERE c.id = p_id FOR UPDATE;
    IF kept.id IS NULL THEN
        RAISE EXCEPTION 'there is no conflict %', p_id USING ERRCODE = 'no_data_found';
    ELSIF kept.restored_at IS NOT NULL THEN
        RAISE EXCEPTION 'the conflict % was restored at %', p_id, kept.restored_at
              USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    PERFORM set_config('app.town', '*', true);
    lost := sync_loser(kept) - 'updated_at'::text;
    the_key := kept.row_key;
    SELECT * INTO shape FROM sync_table(kept.table_name);
    IF shape.keys IS NULL THEN
        RAISE EXCEPTION 'there is no table % with a primary key any more', kept.table_name
              USING ERRCODE = 'no_data_found',
                    HINT = 'Make it again as it was, and then bring the row back.';
    END IF;
    found := sync_fetch(kept.table_name, the_key);
    IF kept.rule = 'newer column' AND found IS NOT NULL THEN
        -- The columns alone: others may have been edited since.
        lost := (SELECT jsonb_object_agg(k, lost -> k) FROM jsonb_object_keys(lost) AS k
                  WHERE kept.master_data -> k IS DISTINCT FROM kept.replica_data -> k);
    END IF;
    IF lost IS NOT NULL AND NOT p_alone THEN
        SELECT coalesce(array_agg(t.gone) FILTER (WHERE t.is_before), '{}'),
               coalesce(array_agg(t.gone) FILTER (WHERE NOT t.is_before), '{}')
          INTO above, below
          FROM sync_together(kept.table_name, the_key, lost, found IS NOT NULL,
                             sync_together_max()) AS t;
        before := sync_put_back(above, p_force);
    END IF;
    FOR attempt IN 1 .. 3 LOOP
        found := sync_fetch(kept.table_name, the_key);
        EXIT WHEN lost IS NULL AND found IS NULL;
        BEGIN
            PERFORM sync_write(kept.table_name, the_key, lost, found IS NOT NULL);
            EXIT;
        EXCEPTION
            WHEN foreign_key_violation THEN
                GET STACKED DIAGNOSTICS by_table = TABLE_NAME;
                adopted := sync_adopted(kept.table_name, lost);
                IF adopted IS NOT DISTINCT FROM lost OR attempt = 3 THEN
                    RAISE EXCEPTION '%', SQLERRM
                          USING ERRCODE = 'foreign_key_violation',
                                HINT = CASE
                                    WHEN lost IS NULL THEN format(
                                        'The version that lost is a delete: remove the rows of %s '
                                        'that refer to the row first.', by_table)
                                    WHEN p_alone THEN 'Bring it back without --alone.'
                                    ELSE 'Restore the row that it refers to first.' END;
                END IF;
                lost := adopted;
                CONTINUE;
            WHEN unique_violation THEN
                GET STACKED DIAGNOSTICS by_name = CONSTRAINT_NAME;
                IF attempt = 3 THEN
                    RAISE;
                END IF;
        END;
        SELECT * INTO broken FROM sync_unique(kept.table_name, by_name);
        IF broken.place IS NOT NULL THEN
            lost := lost || jsonb_build_object(broken.place, sync_last_place(
                kept.table_name, broken.columns, broken.place, lost));
        ELSE
            IF found IS NOT NULL AND kept.rule <> 'unique key' THEN
                RAISE EXCEPTION 'another row of % has its % now', kept.table_name,
                      array_to_string(broken.columns, ', ')
                      USING ERRCODE = 'unique_violation',
                            HINT = 'Give that row another one first, or remove it.';
            END IF;
            found := sync_holder(kept.table_name, lost, broken.columns);
            the_key := sync_key(found, shape.keys);
            lost := lost - shape.keys;
            -- What went with it refers to a row that does not come back.
            below := '{}';
        END IF;
    END LOOP;
    behind := sync_put_back(below, p_force);
    IF kept.table_name = 'robbieblocks_pages' AND found IS NULL AND lost IS NOT NULL
       AND NOT p_alone AND NOT EXISTS (SELECT FROM sync_gone_rows g
                                        WHERE g.table_name = kept.table_name
                                          AND g.row_key = the_key)
    THEN
        -- It went before rows were kept: its blocks as the queue has them, whose components are there.
        PERFORM sync_write('robbieblocks_page_blocks', b.key,
                           b.value || jsonb_build_object('page_id', the_key), false)
           FROM (SELECT q.before FROM robbieblocks_change_triggers q
                  WHERE q.entity_type = 'page' AND q.entity_id = the_key::uuid
                    AND q.before IS NOT NULL AND q.after IS NULL
                  ORDER BY q.created_at DESC LIMIT 1) AS gone,
                jsonb_each(gone.before -> 'blocks') AS b
          WHERE EXISTS (SELECT FROM robbieblocks_components c
                         WHERE c.id = (b.value ->> 'component_id')::uuid)
            AND NOT EXISTS (SELECT FROM robbieblocks_page_blocks p WHERE p.id = b.key::uuid);
    END IF;
    UPDATE sync_conflicts
       SET restored_at = now(), resolved_at = now(), resolved_by = session_user,
           resolved_data = coalesce(lost, 'null')
     WHERE id = p_id;
    RETURN jsonb_build_object('key', the_key) || (
        SELECT jsonb_object_agg(n.key, n.value + coalesce((before ->> n.key)::integer, 0))
          FROM (SELECT b.key, b.value::text::integer AS value FROM jsonb_each(behind) AS b) AS n);
END
$$;

-- What comes back with a version that lost, by table.
CREATE OR REPLACE FUNCTION sync_conflicts_with(p_id uuid)
RETURNS TABLE (table_name varchar, row_count bigint)
LANGUAGE sql VOLATILE SET search_path FROM CURRENT AS $$
    SELECT (t.gone).table_name, count(*)
      FROM (SELECT * FROM sync_conflicts k
             WHERE to_regclass(quote_ident(k.table_name)) IS NOT NULL OFFSET 0) AS c,
           sync_together(c.table_name, c.row_key, sync_loser(c::sync_conflicts),
                         sync_fetch(c.table_name, c.row_key) IS NOT NULL,
                         sync_together_max()) AS t
     WHERE c.id = p_id AND c.restored_at IS NULL AND sync_loser(c::sync_conflicts) IS NOT NULL
     GROUP BY 1 ORDER BY 1
$$;

-- The same as sync_conflicts_bring_back(); returns the row's key.
CREATE OR REPLACE FUNCTION sync_conflicts_restore(p_id uuid) RETURNS text
LANGUAGE sql SET search_path FROM CURRENT AS $$
    SELECT sync_conflicts_bring_back(p_id) ->> 'key'
$$;


-- 12  Rights and comments -----------------------------------------------------------------------

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_trigger
                    WHERE tgrelid = 'sync_log'::regclass AND tgname = 'sync_arrive') THEN
        CREATE TRIGGER sync_arrive BEFORE INSERT ON sync_log
               FOR EACH ROW EXECUTE FUNCTION sync_arrive();
        ALTER TABLE sync_log ENABLE REPLICA TRIGGER sync_arrive;
        CREATE TRIGGER sync_notify_log AFTER INSERT ON sync_log
               FOR EACH STATEMENT EXECUTE FUNCTION sync_notify_log();
    END IF;
    IF NOT EXISTS (SELECT FROM pg_trigger
                    WHERE tgrelid = 'sync_nodes'::regclass AND tgname = 'sync_capture_key') THEN
        CREATE TRIGGER sync_capture_key AFTER UPDATE OF locked_out_at, metadata ON sync_nodes
               FOR EACH ROW WHEN (OLD.locked_out_at IS DISTINCT FROM NEW.locked_out_at
                   OR OLD.metadata #> '{report}' IS DISTINCT FROM NEW.metadata #> '{report}')
               EXECUTE FUNCTION sync_capture_key();
        CREATE TRIGGER sync_capture_key_gone AFTER DELETE ON sync_nodes
               FOR EACH ROW EXECUTE FUNCTION sync_capture_key();
    END IF;
END
$$;

-- Triggers of an earlier version of this file are given less.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
                WHERE t.tgname = 'sync_capture' AND t.tgnargs < 8
                  AND c.relnamespace = quote_ident(current_schema())::regnamespace) THEN
        PERFORM sync_attach();
    END IF;
END
$$;

-- Where file 20 is not applied, what it says of the sync.
DO $outer$
BEGIN
    IF to_regprocedure('update_sync_status_trigger()') IS NULL THEN
        CREATE FUNCTION update_sync_status_trigger() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
        BEGIN
            INSERT INTO sync_status AS s (table_name, last_sync_at, last_sync_record_count,
                                          last_error)
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
                   last_error = EXCLUDED.last_error, updated_at = now();
            RETURN NULL;
        END
        $$;
        CREATE TRIGGER trigger_update_sync_status AFTER UPDATE ON pending_sync
               REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows
               FOR EACH STATEMENT EXECUTE FUNCTION update_sync_status_trigger();
        REVOKE ALL ON FUNCTION update_sync_status_trigger FROM PUBLIC;
    END IF;
    IF to_regclass('sync_dashboard') IS NULL THEN
        CREATE VIEW sync_dashboard WITH (security_invoker = true) AS
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
          FULL JOIN sync_status s ON s.table_name = p.table_name;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_proc p
                    WHERE p.oid = to_regprocedure('get_sync_health_score()')
                      AND p.prosrc LIKE '%has_left%') THEN
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
    END IF;
END
$outer$;

-- Nobody but the owner, whatever rights others have on every table of the schema; sync_admit() gives
-- a node's role what it calls. Not forced: a subscription can't write to what is.
DO $$
DECLARE
    it record;
BEGIN
    FOR it IN
        SELECT c.relname AS name FROM pg_class c
         WHERE c.relnamespace = quote_ident(current_schema())::regnamespace
           AND c.relname IN ('sync_self', 'sync_tables', 'sync_rows', 'sync_log', 'sync_received',
                             'sync_conflicts', 'pending_sync', 'sync_hashed', 'sync_gone_rows')
           AND NOT c.relrowsecurity
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', it.name);
    END LOOP;
    FOR it IN
        SELECT p.oid::regprocedure AS signature
          FROM pg_proc p
         WHERE p.pronamespace = quote_ident(current_schema())::regnamespace
           AND p.proname LIKE 'sync\_%'
           AND p.proname NOT IN ('sync_version_at', 'sync_stamp')
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', it.signature);
    END LOOP;
    -- Nodes that were admitted before call what is new here, too.
    PERFORM sync_grant(n.database_role) FROM sync_nodes n
      JOIN pg_roles r ON r.rolname = n.database_role;
END
$$;

COMMENT ON TABLE sync_nodes IS 'The databases that are kept in step: the master and those of the nodes.';
COMMENT ON COLUMN sync_nodes.database_role IS 'The role with which the node logs in on the master.';
COMMENT ON COLUMN sync_nodes.tables IS 'The tables that the node gets and writes; NULL: all of sync_tables.';
COMMENT ON COLUMN sync_nodes.towns IS 'The towns whose rows the node gets and writes, by name; NULL: all.';
COMMENT ON COLUMN sync_nodes.clock_skew_ms IS 'How far the node''s clock was ahead of the master''s.';
COMMENT ON COLUMN sync_nodes.applying_xid IS 'The transaction in which it was last heard: changes in it are the node''s.';
COMMENT ON COLUMN sync_nodes.locked_out_at IS 'Since when the master answers the node no more.';
COMMENT ON COLUMN sync_nodes.let_in_at IS 'What the node, which was locked out, has made up to then loses.';
COMMENT ON TABLE pending_sync IS 'Changes that wait to be brought to other databases. Only the owner sees them.';
COMMENT ON COLUMN pending_sync.position IS 'The order in which changes are sent.';
COMMENT ON COLUMN pending_sync.base_version IS 'The version of the row that was changed.';
COMMENT ON COLUMN pending_sync.base_columns IS 'The columns that were changed, with the versions that they had.';
COMMENT ON COLUMN pending_sync.is_cascade IS 'What a foreign key made of the row, as the one that it refers to was deleted.';
COMMENT ON COLUMN pending_sync.sent_at IS 'When it was last sent. From then on later changes do not join it.';
COMMENT ON COLUMN pending_sync.needs IS 'The rows that the master lacked as it refused the change.';
COMMENT ON TABLE sync_status IS 'How far each table is in step.';
COMMENT ON TABLE sync_conflicts IS 'Rows that were changed in two places at once, with both versions. Only the owner sees them.';
COMMENT ON COLUMN sync_conflicts.row_key IS 'The row''s primary key, as a text.';
COMMENT ON COLUMN sync_conflicts.rule IS 'What decided: newer row, newer column, unique key, in use, parent is gone, took along, moved away, locked out, before the sync.';
COMMENT ON COLUMN sync_conflicts.master_version IS 'The version that the master had.';
COMMENT ON COLUMN sync_conflicts.replica_version IS 'The version that the node sent.';
COMMENT ON TABLE sync_metrics IS 'What was measured of the sync.';
COMMENT ON TABLE sync_self IS 'Which database of the sync this is. No row: none.';
COMMENT ON COLUMN sync_self.clock_offset_ms IS 'Added to the clock, for tests.';
COMMENT ON COLUMN sync_self.paused_at IS 'Since when nothing is sent or taken.';
COMMENT ON TABLE sync_tables IS 'Which tables are kept in step, in which direction, and by which rule.';
COMMENT ON COLUMN sync_tables.rule IS 'row: the newer row wins. column: of each column the newer value.';
COMMENT ON COLUMN sync_tables.stopped_xid IS 'Since which transaction changes are captured no more; NULL: they are, or never were.';
COMMENT ON COLUMN sync_tables.has_deletes IS 'Whether deletes are told; where not, each database removes for itself.';
COMMENT ON TABLE sync_rows IS 'The version of each row, and of rows that were deleted.';
COMMENT ON COLUMN sync_rows.version IS 'Time of a hybrid logical clock in 16 hexadecimal digits, @, and the node. It sorts as text.';
COMMENT ON COLUMN sync_rows.row_town IS 'The town of the row, also once it is gone: NULL where its table has none.';
COMMENT ON COLUMN sync_rows.left_towns IS 'The towns in which the row was before: nodes of those alone are told that it is gone.';
COMMENT ON COLUMN sync_rows.sent_version IS 'What the node had sent, where the master has given another one; on a node the greatest that it made, where the row has an earlier one.';
COMMENT ON COLUMN sync_rows.applying_xid IS 'The transaction that brings a node''s change: capture leaves the row to it.';
COMMENT ON TABLE sync_log IS 'The master''s changes in order, with whole rows: what nodes subscribe to.';
COMMENT ON COLUMN sync_log.origin IS 'The node whose change it is.';
COMMENT ON TABLE sync_gone_rows IS 'Rows of tables with foreign keys as they were when they went, for 90 days: a restore brings them back.';
COMMENT ON COLUMN sync_gone_rows.left_as IS 'What a foreign key left in its columns; NULL: the row is gone.';
COMMENT ON COLUMN sync_gone_rows.is_taken_along IS 'It went with a row that it refers to.';
COMMENT ON COLUMN sync_gone_rows.xid IS 'The transaction in which it went.';
COMMENT ON TABLE sync_hashed IS 'Hashes of large tables of the master, for all nodes that ask for the same.';
COMMENT ON TABLE sync_received IS 'The changes of nodes that the master has taken: none is applied twice.';
COMMENT ON FUNCTION sync_apply(text, jsonb, timestamptz) IS
    'Applies what a node sends; returns for each change id, outcome and reason.';
COMMENT ON FUNCTION sync_conflicts_restore(uuid) IS
    'Brings the losing version of a conflict back as a new edit; returns the row''s key.';
COMMENT ON FUNCTION sync_lock_out(text) IS 'Ends a node''s part in the sync; returns what could be done.';

COMMIT;
