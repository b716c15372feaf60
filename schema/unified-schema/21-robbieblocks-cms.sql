-- RobbieBlocks: web pages as rows.
--
--      1  Where things are created
--      2  Tables
--      3  What an earlier database lacks
--      4  Checks
--      5  Indexes
--      6  Comments
--      7  Seeds (generated from schema/content/tokens.toml and node_branding/)
--      8  Views and functions for readers
--      9  The change queue
--     10  Change capture: functions
--     11  Change capture: triggers
--     12  Functions for editors
--
-- PostgreSQL 15 to 18, no extension, no superuser. The file may be run any number of times, over
-- an empty database and over an earlier version of it; rows are never changed or lost. It is one
-- transaction, and where two sessions run it at once, the second waits for the first.
--
--     psql -v ON_ERROR_STOP=1 -f schema/unified-schema/21-robbieblocks-cms.sql

BEGIN ISOLATION LEVEL READ COMMITTED;

SET LOCAL client_min_messages = warning;

-- 1  Where things are created -------------------------------------------------------------------

DO $$
DECLARE
    home text;
BEGIN
    -- CREATE ... IF NOT EXISTS still fails when two sessions create the same thing at once.
    PERFORM pg_advisory_xact_lock(7249104361285521);
    -- The schema that holds the tables already, else the one in which this session creates things.
    -- Functions below keep this search_path (SET search_path FROM CURRENT), whatever the path of
    -- the session that calls them. pg_temp comes last, so that no temporary table hides one of
    -- ours.
    SELECT n.nspname INTO home
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid = to_regclass('robbieblocks_pages');
    home := coalesce(home, current_schema());
    IF home IS NULL THEN
        RAISE EXCEPTION 'no schema to create the tables in'
              USING HINT = 'Set search_path to a schema that exists, or create schema public.';
    END IF;
    PERFORM set_config('search_path', quote_ident(home) || ', pg_temp', true);
    -- Part 7 puts rows into tables that this file creates, never into a database that has tables,
    -- and not with PGOPTIONS='-c robbieblocks.demo=off'.
    PERFORM set_config('robbieblocks.created', (
        current_setting('robbieblocks.demo', true) IS DISTINCT FROM 'off' AND NOT EXISTS (
        SELECT FROM pg_class
         WHERE relnamespace = quote_ident(current_schema())::regnamespace AND relkind IN ('r', 'p')
           AND relname LIKE 'robbieblocks\_%'))::text, true);
END
$$;


-- 2  Tables -------------------------------------------------------------------------------------
-- As in the first version of this file, column by column. Part 3 adds the columns that came later.

CREATE TABLE IF NOT EXISTS robbieblocks_pages (
    id               uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    page_key         varchar(255) NOT NULL UNIQUE,
    app_namespace    varchar(50)  NOT NULL,
    page_name        varchar(255) NOT NULL,
    page_route       varchar(255) NOT NULL,
    layout_template  varchar(50)  NOT NULL,
    meta_title       varchar(255),
    meta_description text,
    status           varchar(50) DEFAULT 'draft',
    version          integer     DEFAULT 1,
    published_at     timestamptz,
    created_by       integer,
    metadata         jsonb       DEFAULT '{}',
    created_at       timestamptz DEFAULT now(),
    updated_at       timestamptz DEFAULT now()
);

CREATE TABLE IF NOT EXISTS robbieblocks_components (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    component_key  varchar(255) NOT NULL UNIQUE,
    component_name varchar(255) NOT NULL,
    component_type varchar(50)  NOT NULL,
    react_code     text         NOT NULL,
    props_schema   jsonb        NOT NULL,
    css_styles     text,
    dependencies   text[]       DEFAULT '{}',
    version        varchar(20)  DEFAULT '1.0.0',
    is_published   boolean      DEFAULT false,
    preview_url    varchar(500),
    metadata       jsonb        DEFAULT '{}',
    created_at     timestamptz  DEFAULT now(),
    updated_at     timestamptz  DEFAULT now()
);

CREATE TABLE IF NOT EXISTS robbieblocks_page_blocks (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    page_id      uuid REFERENCES robbieblocks_pages (id) ON DELETE CASCADE,
    component_id uuid REFERENCES robbieblocks_components (id),
    block_order  integer     NOT NULL,
    zone         varchar(50) NOT NULL,
    props        jsonb       DEFAULT '{}',
    conditions   jsonb       DEFAULT '{}',
    created_at   timestamptz DEFAULT now(),
    updated_at   timestamptz DEFAULT now(),
    UNIQUE (page_id, block_order)
);

CREATE TABLE IF NOT EXISTS robbieblocks_style_tokens (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    token_key      varchar(255) NOT NULL UNIQUE,
    token_category varchar(50)  NOT NULL,
    default_value  text         NOT NULL,
    description    text,
    created_at     timestamptz  DEFAULT now(),
    updated_at     timestamptz  DEFAULT now()
);

CREATE TABLE IF NOT EXISTS robbieblocks_node_branding (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    node_id         varchar(100) NOT NULL UNIQUE,
    node_name       varchar(255) NOT NULL,
    style_overrides jsonb        NOT NULL,
    enabled_apps    text[]       DEFAULT '{}',
    custom_css      text,
    custom_scripts  text,
    created_at      timestamptz  DEFAULT now(),
    updated_at      timestamptz  DEFAULT now()
);

CREATE TABLE IF NOT EXISTS robbieblocks_deploys (
    id                 uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    node_id            varchar(100),
    app_namespace      varchar(50)  NOT NULL,
    build_hash         varchar(64)  NOT NULL,
    pages_count        integer,
    components_count   integer,
    deploy_status      varchar(50)  DEFAULT 'pending',
    build_duration_ms  integer,
    deploy_duration_ms integer,
    error_message      text,
    build_log          text,
    started_at         timestamptz  DEFAULT now(),
    completed_at       timestamptz,
    triggered_by       varchar(50)  NOT NULL
);

CREATE TABLE IF NOT EXISTS robbieblocks_change_triggers (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    trigger_type   varchar(50) NOT NULL,
    entity_type    varchar(50) NOT NULL,
    entity_id      uuid        NOT NULL,
    affected_apps  text[],
    affected_nodes text[],
    auto_deploy    boolean     DEFAULT true,
    created_at     timestamptz DEFAULT now(),
    processed_at   timestamptz
);


-- 3  What an earlier database lacks -------------------------------------------------------------
-- The columns that came later, wider types, and defaults. Before anything is altered every table
-- is locked, all of them or none: waiting for one lock while holding another could deadlock with a
-- session that edits the tables in another order. Editors wait until the transaction ends; readers
-- wait only where a column or constraint is altered or an index replaced. Where ids came from
-- uuid-ossp, or had no default at all, they get the built-in generator.
DO $$
DECLARE
    it record;
    missing text[];
    narrow text[];
    dropped_views text := 'DROP VIEW IF EXISTS robbieblocks_active_deploys, '
                          'robbieblocks_published_pages';
    tables text[] := ARRAY['robbieblocks_pages', 'robbieblocks_components',
                           'robbieblocks_page_blocks', 'robbieblocks_style_tokens',
                           'robbieblocks_node_branding', 'robbieblocks_deploys',
                           'robbieblocks_change_triggers'];
    replaced_index text := 'robbieblocks_deploys_unfinished_idx';
    deadline timestamptz := clock_timestamp() + interval '30 seconds';
BEGIN
    SELECT array_agg(format('ALTER TABLE %I ADD COLUMN %I %s',
                            added.on_table, added.column_name, added.definition))
      INTO missing
      FROM (VALUES
          ('robbieblocks_pages',           'imported_hash', 'varchar(64)'),
          ('robbieblocks_components',      'imported_hash', 'varchar(64)'),
          ('robbieblocks_page_blocks',     'imported_hash', 'varchar(64)'),
          ('robbieblocks_style_tokens',    'imported_hash', 'varchar(64)'),
          ('robbieblocks_node_branding',   'imported_hash', 'varchar(64)'),
          ('robbieblocks_node_branding',   'base_url',      'varchar(500)'),
          ('robbieblocks_node_branding',   'settings',
           'jsonb CHECK (jsonb_typeof(settings) = ''object'')'),
          ('robbieblocks_deploys',         'incarnation',   'uuid'),
          ('robbieblocks_deploys',         'worker',        'text'),
          ('robbieblocks_deploys',         'heartbeat_at',  'timestamptz'),
          ('robbieblocks_deploys',         'trigger_ids',   'uuid[]'),
          ('robbieblocks_deploys',         'details',       'jsonb'),
          ('robbieblocks_change_triggers', 'handled_nodes', 'text[] NOT NULL DEFAULT ''{}'''),
          ('robbieblocks_change_triggers', 'change_xid',    'xid8'),
          ('robbieblocks_change_triggers', 'changed_by',    'text'),
          ('robbieblocks_change_triggers', 'before',        'jsonb'),
          ('robbieblocks_change_triggers', 'after',         'jsonb'),
          ('robbieblocks_change_triggers', 'pending',       'jsonb')
      ) AS added (on_table, column_name, definition)
     WHERE NOT EXISTS (SELECT FROM pg_attribute a
                        WHERE a.attrelid = to_regclass(added.on_table)
                          AND a.attname = added.column_name AND NOT a.attisdropped);

    -- Earlier versions were stricter. The queue keeps whatever rows an earlier database has: a
    -- check would refuse to acknowledge them, and the program branches on none of these words.
    SELECT missing || array_agg(format('ALTER TABLE %s DROP CONSTRAINT %I',
                                       k.conrelid::regclass, k.conname))
      INTO missing
      FROM pg_constraint k
     WHERE k.conrelid = to_regclass('robbieblocks_change_triggers')
       AND k.conname IN ('robbieblocks_change_triggers_trigger_type_check',
                         'robbieblocks_change_triggers_entity_type_check');
    SELECT missing || array_agg(format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL',
                                       a.attrelid::regclass, a.attname))
      INTO missing
      FROM pg_attribute a
     WHERE a.attrelid = to_regclass('robbieblocks_deploys')
       AND a.attname = 'node_id' AND a.attnotnull;
    SELECT array_agg(format('ALTER TABLE %s ALTER COLUMN %I TYPE varchar(50)',
                            a.attrelid::regclass, a.attname))
      INTO narrow
      FROM pg_attribute a
     WHERE (a.attrelid, a.attname) IN ((to_regclass('robbieblocks_pages'), 'status'),
                                       (to_regclass('robbieblocks_deploys'), 'deploy_status'))
       AND a.atttypid = 'varchar'::regtype AND a.atttypmod BETWEEN 0 AND 53;

    LOOP
        BEGIN
            EXECUTE format('LOCK TABLE %s IN %s MODE NOWAIT', array_to_string(tables, ', '),
                           CASE WHEN missing IS NULL AND narrow IS NULL
                                     AND to_regclass(replaced_index) IS NULL
                                THEN 'SHARE ROW EXCLUSIVE' ELSE 'ACCESS EXCLUSIVE' END);
            EXIT;
        EXCEPTION WHEN lock_not_available THEN
            -- The exception has released the locks that were taken.
            IF clock_timestamp() > deadline THEN
                RAISE EXCEPTION 'other sessions have kept the tables in use for 30 seconds (%)',
                      SQLERRM
                      USING ERRCODE = 'lock_not_available',
                            HINT = 'Let them end their transactions: see pg_stat_activity.';
            END IF;
        END;
        PERFORM pg_sleep(0.02);
    END LOOP;

    FOR it IN SELECT statement FROM unnest(missing) AS statement LOOP
        EXECUTE it.statement;
    END LOOP;

    -- The views go first: Postgres alters no type of a column that a view shows. Part 8 makes them
    -- again, and gives the rights on them back. Where a view of somebody else's shows such a
    -- column, the column stays as it is, which is wide enough for the words in use.
    PERFORM set_config('robbieblocks.view_rights', coalesce((
        SELECT json_agg(json_build_object(
                   'view', c.relname, 'oid', c.oid::bigint,
                   'statement', format('GRANT %s ON %I TO %s%s', held.privilege_type, c.relname,
                                       CASE WHEN held.grantee = 0 THEN 'PUBLIC'
                                            ELSE held.grantee::regrole::text END,
                                       CASE WHEN held.is_grantable
                                            THEN ' WITH GRANT OPTION' ELSE '' END)))
          FROM pg_class c, aclexplode(c.relacl) held
         WHERE c.oid IN (to_regclass('robbieblocks_active_deploys'),
                         to_regclass('robbieblocks_published_pages'))), '[]')::text, true);
    IF narrow IS NOT NULL THEN
        BEGIN
            EXECUTE dropped_views;
            FOR it IN SELECT statement FROM unnest(narrow) AS statement LOOP
                EXECUTE it.statement;
            END LOOP;
        EXCEPTION WHEN dependent_objects_still_exist OR feature_not_supported THEN
            NULL;
        END;
    END IF;

    -- Part 5 makes one with another name, whose condition Postgres does not rewrite.
    EXECUTE format('DROP INDEX IF EXISTS %I', replaced_index);

    FOR it IN
        SELECT c.relname
          FROM unnest(tables) AS ours (name)
          JOIN pg_class c ON c.oid = to_regclass(ours.name)
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'id'
          LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         WHERE pg_get_expr(d.adbin, d.adrelid) IS DISTINCT FROM 'gen_random_uuid()'
    LOOP
        EXECUTE format('ALTER TABLE %I ALTER COLUMN id SET DEFAULT gen_random_uuid()', it.relname);
    END LOOP;

    -- The first version's triggers missed most changes. update_updated_at_column() stays: other
    -- tables of the database may use it.
    FOR it IN
        SELECT t.tgname, t.tgrelid::regclass AS on_table
          FROM unnest(tables) AS ours (name)
          JOIN pg_trigger t ON t.tgrelid = to_regclass(ours.name) AND NOT t.tgisinternal
          JOIN pg_proc p ON p.oid = t.tgfoid
         WHERE p.proname IN ('trigger_page_rebuild', 'trigger_component_rebuild',
                             'trigger_branding_rebuild', 'update_updated_at_column')
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', it.tgname, it.on_table);
    END LOOP;

    FOR it IN
        SELECT p.oid::regprocedure AS signature
          FROM pg_proc p
         WHERE p.pronamespace = quote_ident(current_schema())::regnamespace
           AND p.proname IN ('trigger_page_rebuild', 'trigger_component_rebuild',
                             'trigger_branding_rebuild')
           AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgfoid = p.oid)
    LOOP
        EXECUTE format('DROP FUNCTION %s', it.signature);
    END LOOP;
END
$$;


-- 4  Checks -------------------------------------------------------------------------------------
-- Only for columns whose words the program branches on. Whatever else can be wrong with content is
-- reported by the build, with the row and the fix: a check would also stop logical replication
-- from a publisher that lacks it. Existing rows may break a check (NOT VALID); where none does, it
-- is validated.
DO $$
DECLARE
    it record;
BEGIN
    FOR it IN
        SELECT wanted.on_table, wanted.column_name, wanted.words,
               wanted.on_table || '_' || wanted.column_name || '_check' AS name,
               k.oid AS found, k.convalidated
          FROM (VALUES
              ('robbieblocks_pages', 'status', ARRAY['draft', 'published', 'archived']),
              ('robbieblocks_deploys', 'deploy_status',
               ARRAY['pending', 'building', 'deploying', 'success', 'failed'])
          ) AS wanted (on_table, column_name, words)
          LEFT JOIN pg_constraint k
            ON k.conrelid = to_regclass(wanted.on_table)
           AND k.conname = wanted.on_table || '_' || wanted.column_name || '_check'
    LOOP
        IF it.found IS NULL THEN
            EXECUTE format(
                'ALTER TABLE %I ADD CONSTRAINT %I CHECK (%I::text = ANY (%L::text[])) NOT VALID',
                it.on_table, it.name, it.column_name, it.words);
        END IF;
        IF it.found IS NULL OR NOT it.convalidated THEN
            BEGIN
                EXECUTE format('ALTER TABLE %I VALIDATE CONSTRAINT %I', it.on_table, it.name);
            EXCEPTION WHEN check_violation THEN
                NULL;
            END;
        END IF;
    END LOOP;
END
$$;


-- 5  Indexes ------------------------------------------------------------------------------------

-- The pages that a snapshot of some apps reads.
CREATE INDEX IF NOT EXISTS robbieblocks_pages_published_idx
    ON robbieblocks_pages (app_namespace, page_key) WHERE status = 'published';

-- Which components import one: what stands in the text of their code after `@robbieblocks/`. That
-- finds every import that is written plainly, and may find too many. A component's key has at most
-- 255 characters. COST: without it Postgres reads all code of a small table instead of the index.
CREATE OR REPLACE FUNCTION robbieblocks_imports(code text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 100000 AS $$
    SELECT ARRAY(SELECT DISTINCT pg_catalog.left(
                            pg_catalog.substring(rest, '^[^''"`[:space:]]+'), 255)
                   FROM pg_catalog.unnest((pg_catalog.string_to_array(code, '@robbieblocks/'))[2:])
                        AS rest)
$$;

CREATE INDEX IF NOT EXISTS robbieblocks_components_imports_idx
    ON robbieblocks_components USING gin (robbieblocks_imports(react_code))
  WITH (fastupdate = off);

-- Which pages place a component. (The unique constraint serves blocks by page.)
CREATE INDEX IF NOT EXISTS robbieblocks_page_blocks_component_idx
    ON robbieblocks_page_blocks (component_id);

-- The history of a node's app, newest first.
CREATE INDEX IF NOT EXISTS robbieblocks_deploys_history_idx
    ON robbieblocks_deploys (node_id, app_namespace, started_at DESC);

-- What a node's app last published: however many of its runs have failed since.
CREATE INDEX IF NOT EXISTS robbieblocks_deploys_success_idx
    ON robbieblocks_deploys (node_id, app_namespace, started_at DESC)
 WHERE deploy_status::text = 'success'::text;

-- Runs that have not ended, as in the view below. Its condition is written as Postgres writes it
-- back (pg_get_indexdef): after a dump is restored it reads the same.
CREATE INDEX IF NOT EXISTS robbieblocks_deploys_active_idx
    ON robbieblocks_deploys (node_id, app_namespace)
 WHERE deploy_status::text = ANY ('{pending,building,deploying}'::text[]);

-- Changes that wait, oldest first.
CREATE INDEX IF NOT EXISTS robbieblocks_change_triggers_waiting_idx
    ON robbieblocks_change_triggers (created_at) WHERE processed_at IS NULL;

-- Changes since a transaction, processed or not.
CREATE INDEX IF NOT EXISTS robbieblocks_change_triggers_since_idx
    ON robbieblocks_change_triggers (change_xid);

-- Changes that were processed long ago and can be removed.
CREATE INDEX IF NOT EXISTS robbieblocks_change_triggers_processed_idx
    ON robbieblocks_change_triggers (processed_at) WHERE processed_at IS NOT NULL;

-- The changes of one page, component, token or node.
CREATE INDEX IF NOT EXISTS robbieblocks_change_triggers_entity_idx
    ON robbieblocks_change_triggers (entity_id, created_at);


-- 6  Comments -----------------------------------------------------------------------------------

COMMENT ON TABLE robbieblocks_pages IS
    'Pages. One with status published is built on every node that enables its app; app shared '
    'means every node.';
COMMENT ON COLUMN robbieblocks_pages.page_key IS
    'The page''s name: its file is content/pages/<page_key>.toml.';
COMMENT ON COLUMN robbieblocks_pages.app_namespace IS
    'The app to which it belongs; an app is published whole.';
COMMENT ON COLUMN robbieblocks_pages.page_name IS
    'What people call it; the title, where meta_title is null.';
COMMENT ON COLUMN robbieblocks_pages.page_route IS
    'URL path; /play/ is written as play/index.html.';
COMMENT ON COLUMN robbieblocks_pages.layout_template IS
    'A layout: templates/layouts/<name>.html.j2.';
COMMENT ON COLUMN robbieblocks_pages.meta_title IS
    'The title that a browser shows.';
COMMENT ON COLUMN robbieblocks_pages.meta_description IS
    'What search engines show of it.';
COMMENT ON COLUMN robbieblocks_pages.status IS
    'draft, published or archived; only published pages are built.';
COMMENT ON COLUMN robbieblocks_pages.version IS
    'For people; nothing depends on it.';
COMMENT ON COLUMN robbieblocks_pages.published_at IS
    'Null: from now on. In the future: the page appears then.';
COMMENT ON COLUMN robbieblocks_pages.created_by IS
    'For people; nothing depends on it.';
COMMENT ON COLUMN robbieblocks_pages.metadata IS
    'Further settings: lang, dir, robots, og_title, og_type, og_description, og_image, '
    'og_image_alt, json_ld, form_action, blocks by block_order, frame, settings, feed, '
    'redirect_from and redirects.';
COMMENT ON COLUMN robbieblocks_pages.imported_hash IS
    'The page as its file had it at the last `content import` or `export`; null: never.';
COMMENT ON TABLE robbieblocks_components IS
    'React components, one ES module each.';
COMMENT ON COLUMN robbieblocks_components.component_key IS
    'The component''s name: others import it as @robbieblocks/<component_key>.';
COMMENT ON COLUMN robbieblocks_components.component_name IS
    'What people call it.';
COMMENT ON COLUMN robbieblocks_components.component_type IS
    'module: other components import it, and no page may place it. Any other word is for people.';
COMMENT ON COLUMN robbieblocks_components.react_code IS
    'TypeScript or JavaScript with JSX: a module, a bare declaration, or a bare fragment that '
    'reads props.';
COMMENT ON COLUMN robbieblocks_components.props_schema IS
    'JSON Schema 2020-12, or a bare map of property to subschema.';
COMMENT ON COLUMN robbieblocks_components.css_styles IS
    'Applies to blocks of this component only.';
COMMENT ON COLUMN robbieblocks_components.dependencies IS
    'npm packages it wants; checked against the toolchain, never installed.';
COMMENT ON COLUMN robbieblocks_components.version IS
    'For people; nothing depends on it.';
COMMENT ON COLUMN robbieblocks_components.is_published IS
    'False: no published page may place it.';
COMMENT ON COLUMN robbieblocks_components.preview_url IS
    'For people; nothing depends on it.';
COMMENT ON COLUMN robbieblocks_components.metadata IS
    'Further settings: hydrate says when its blocks hydrate.';
COMMENT ON COLUMN robbieblocks_components.imported_hash IS
    'The component as its file had it at the last `content import` or `export`; null: never.';
COMMENT ON TABLE robbieblocks_page_blocks IS
    'A component placed on a page. Blocks of a zone show in block_order.';
COMMENT ON COLUMN robbieblocks_page_blocks.page_id IS
    'The page; its blocks go with it.';
COMMENT ON COLUMN robbieblocks_page_blocks.component_id IS
    'The component that is placed.';
COMMENT ON COLUMN robbieblocks_page_blocks.block_order IS
    'The place on the page; no two blocks of a page have the same.';
COMMENT ON COLUMN robbieblocks_page_blocks.zone IS
    'header, sidebar, main, footer or overlay.';
COMMENT ON COLUMN robbieblocks_page_blocks.props IS
    'The component''s props, as its props_schema describes them.';
COMMENT ON COLUMN robbieblocks_page_blocks.conditions IS
    'When the block shows; {} is always.';
COMMENT ON COLUMN robbieblocks_page_blocks.imported_hash IS
    'The block as its page''s file had it at the last `content import` or `export`; null: never.';
COMMENT ON TABLE robbieblocks_style_tokens IS
    'Design tokens: color.primary is the custom property --color-primary.';
COMMENT ON COLUMN robbieblocks_style_tokens.token_key IS
    'The token''s name, such as color.primary.';
COMMENT ON COLUMN robbieblocks_style_tokens.token_category IS
    'What kind of value it has, such as color or font.';
COMMENT ON COLUMN robbieblocks_style_tokens.default_value IS
    'The value on nodes that don''t override it.';
COMMENT ON COLUMN robbieblocks_style_tokens.description IS
    'What it is for.';
COMMENT ON COLUMN robbieblocks_style_tokens.imported_hash IS
    'The token as it was last imported, from its file or a design tool''s; null: never.';
COMMENT ON TABLE robbieblocks_node_branding IS
    'One row per node: its look and the apps it carries.';
COMMENT ON COLUMN robbieblocks_node_branding.node_id IS
    'The node''s name; its sites lie in a folder of that name.';
COMMENT ON COLUMN robbieblocks_node_branding.node_name IS
    'What people call it.';
COMMENT ON COLUMN robbieblocks_node_branding.style_overrides IS
    'Token values by token key, and "theme": "dark" or "light", "title_pattern" and "og_image".';
COMMENT ON COLUMN robbieblocks_node_branding.enabled_apps IS
    'The apps that it shows, besides shared.';
COMMENT ON COLUMN robbieblocks_node_branding.custom_css IS
    'CSS after that of all components, on every page of the node.';
COMMENT ON COLUMN robbieblocks_node_branding.custom_scripts IS
    'A script that every page of the node runs.';
COMMENT ON COLUMN robbieblocks_node_branding.imported_hash IS
    'The node as its file had it at the last `content import` or `export`; null: never.';
COMMENT ON COLUMN robbieblocks_node_branding.base_url IS
    'Where the node is reached, for canonical links and the sitemap.';
COMMENT ON COLUMN robbieblocks_node_branding.settings IS
    'What its pages may do and show besides their rows, as docs/site-settings.md lists; '
    'null: nothing.';
COMMENT ON TABLE robbieblocks_deploys IS
    'One row per run of an app on a node, written before its work starts; every one ends in '
    'success or failed.';
COMMENT ON COLUMN robbieblocks_deploys.node_id IS
    'The node; null in rows of an earlier version.';
COMMENT ON COLUMN robbieblocks_deploys.app_namespace IS
    'The app.';
COMMENT ON COLUMN robbieblocks_deploys.build_hash IS
    'What is live after the run (while it runs: before it); none before the first release.';
COMMENT ON COLUMN robbieblocks_deploys.pages_count IS
    'The pages that are live after the run.';
COMMENT ON COLUMN robbieblocks_deploys.components_count IS
    'The components that those pages place.';
COMMENT ON COLUMN robbieblocks_deploys.deploy_status IS
    'pending, building, deploying, success or failed.';
COMMENT ON COLUMN robbieblocks_deploys.build_duration_ms IS
    'Milliseconds from the start of the build to the run''s bytes.';
COMMENT ON COLUMN robbieblocks_deploys.deploy_duration_ms IS
    'Milliseconds from there until it was live.';
COMMENT ON COLUMN robbieblocks_deploys.error_message IS
    'Why the run failed, or which pages it held back.';
COMMENT ON COLUMN robbieblocks_deploys.build_log IS
    'What the run did, line by line.';
COMMENT ON COLUMN robbieblocks_deploys.started_at IS
    'When it began.';
COMMENT ON COLUMN robbieblocks_deploys.completed_at IS
    'When it ended; null: not yet.';
COMMENT ON COLUMN robbieblocks_deploys.triggered_by IS
    'What asked for it: cli for a command; for a worker the kind of change (page_update, ...), or '
    'change, retry, schedule, start or reconcile.';
COMMENT ON COLUMN robbieblocks_deploys.incarnation IS
    'The process that ran it: a new value at each start.';
COMMENT ON COLUMN robbieblocks_deploys.worker IS
    'Host and process id, for people.';
COMMENT ON COLUMN robbieblocks_deploys.heartbeat_at IS
    'Last sign of life of the run.';
COMMENT ON COLUMN robbieblocks_deploys.trigger_ids IS
    'The queue rows that asked for the run.';
COMMENT ON COLUMN robbieblocks_deploys.details IS
    'The plan of the run: each page that it touched, and why; null: from before the column.';
COMMENT ON TABLE robbieblocks_change_triggers IS
    'Who changed what, and what waits to be built. What is built follows from the content, never '
    'from these rows alone.';
COMMENT ON COLUMN robbieblocks_change_triggers.trigger_type IS
    'page_update, component_update, style_change, branding_change, media_update or '
    'collection_update.';
COMMENT ON COLUMN robbieblocks_change_triggers.entity_type IS
    'page, component, style_token, node_branding, media or collection.';
COMMENT ON COLUMN robbieblocks_change_triggers.entity_id IS
    'The id of the row that changed; of a collection, made of its name and the row''s key.';
COMMENT ON COLUMN robbieblocks_change_triggers.affected_apps IS
    'As far as known when the row was written; null: any.';
COMMENT ON COLUMN robbieblocks_change_triggers.affected_nodes IS
    'The nodes it concerns, as far as known; null: all in robbieblocks_node_branding.';
COMMENT ON COLUMN robbieblocks_change_triggers.auto_deploy IS
    'False: workers leave it to a person''s robbieblocks build.';
COMMENT ON COLUMN robbieblocks_change_triggers.processed_at IS
    'When every node that it concerns had handled it, or seven days had passed. The row goes 30 '
    'days later, but for those that a release which is kept, or a later one, needs.';
COMMENT ON COLUMN robbieblocks_change_triggers.handled_nodes IS
    'The nodes that have handled it.';
COMMENT ON COLUMN robbieblocks_change_triggers.change_xid IS
    'The transaction of this server that wrote the row; null: from before the column.';
COMMENT ON COLUMN robbieblocks_change_triggers.changed_by IS
    'The session''s user and, in parentheses, its application_name, which is whatever the session '
    'says; null: from before the column, or not written by change capture.';
COMMENT ON COLUMN robbieblocks_change_triggers.before IS
    'The row as it was before the transaction, a page with its blocks that changed; null: '
    'there was none, or nobody kept it. by_hash has the SHA-256 of what is long and did not '
    'change, left_out the bytes of a row that was too large to keep.';
COMMENT ON COLUMN robbieblocks_change_triggers.after IS
    'The row as the transaction left it, in the same form; null: deleted, or nobody kept it.';
COMMENT ON COLUMN robbieblocks_change_triggers.pending IS
    'Both sides of what the transaction changed since, where they are large; when it ends they '
    'are laid over before and after, so every committed row has null.';


-- 7  Seeds --------------------------------------------------------------------------------------
-- Only while the tables are being created (part 1). In a database that has them, a token of ours
-- may be the same custom property as one that is there, or light beside dark ones. Before the
-- triggers, so that an empty database starts with an empty queue. `make seeds` writes this part;
-- edit the TOML files instead.

-- (seeds begin)
INSERT INTO robbieblocks_style_tokens
       (token_key, token_category, default_value, description)
SELECT seed.token_key, seed.token_category, seed.default_value, seed.description
  FROM (VALUES
    ('animation.ease', 'animation', 'cubic-bezier(0.2, 0.7, 0.2, 1)', 'How things move'),
    ('animation.fast', 'animation', '120ms', 'Answers to a pointer'),
    ('animation.normal', 'animation', '240ms', 'Things that come and go'),
    ('animation.slow', 'animation', '640ms', 'Things that only decorate'),
    ('color.accent', 'color', '#7a3f9d', 'The second voice: eyebrows, highlights'),
    ('color.accent-soft', 'color', '#f1e6f7',
     'A wash of accent; running text stays readable on it'),
    ('color.background', 'color', '#f7f7f5', 'The page itself'),
    ('color.border', 'color', '#d8d8d2', 'Quiet lines that only separate'),
    ('color.border-strong', 'color', '#7a7a72',
     'Lines that show where a control is (3:1 on grounds)'),
    ('color.card', 'color', '#ffffff', 'The face of a playing card'),
    ('color.card-back', 'color', '#1f5fa8', 'The back of a playing card'),
    ('color.card-black', 'color', '#17191d', 'Clubs and spades'),
    ('color.card-red', 'color', '#b3261e', 'Hearts and diamonds'),
    ('color.chart-1', 'color', '#1f5fa8', 'First series of a chart'),
    ('color.chart-2', 'color', '#1c6b41', 'Second series of a chart'),
    ('color.chart-3', 'color', '#7a3f9d', 'Third series of a chart'),
    ('color.danger', 'color', '#b3261e', 'It went wrong; money went out'),
    ('color.felt', 'color', '#1f5a45', 'The card table'),
    ('color.felt-line', 'color', '#8fc4ad', 'What is printed on the card table'),
    ('color.focus', 'color', '#1f5fa8', 'The ring around what has the keyboard'),
    ('color.heading', 'color', '#14161a', 'Headings'),
    ('color.info', 'color', '#1f5fa8', 'Good to know'),
    ('color.link', 'color', '#1f5fa8', 'Links in running text'),
    ('color.note-1', 'color', '#fff3b8', 'Sticky note, the classic'),
    ('color.note-2', 'color', '#d9f2e3', 'Sticky note, the calm one'),
    ('color.note-3', 'color', '#fbdfe6', 'Sticky note, the urgent one'),
    ('color.note-4', 'color', '#dceafb', 'Sticky note, the blue one'),
    ('color.on-accent', 'color', '#ffffff', 'Text on accent'),
    ('color.on-felt', 'color', '#f4fbf7', 'Text on the card table'),
    ('color.on-note', 'color', '#2b2a25', 'Handwriting on any sticky note'),
    ('color.on-primary', 'color', '#ffffff', 'Text on primary'),
    ('color.primary', 'color', '#1f5fa8', 'The main action, the brand'),
    ('color.primary-soft', 'color', '#e2ecf7',
     'A wash of primary; running text stays readable on it'),
    ('color.rain', 'color', '#1c6b41', 'The glyphs of the matrix rain'),
    ('color.success', 'color', '#1c6b41', 'It went well; money came in'),
    ('color.surface', 'color', '#ffffff', 'Cards and panels on the page'),
    ('color.surface-raised', 'color', '#ffffff', 'What lies on a panel: bubbles, menus, tiles'),
    ('color.surface-sunken', 'color', '#eeeeea',
     'What is let into a panel: fields, tracks, wells'),
    ('color.text', 'color', '#23262b', 'Running text'),
    ('color.text-muted', 'color', '#585d66', 'Secondary text; still AA on every ground'),
    ('color.warning', 'color', '#855200', 'Look here soon'),
    ('font.body', 'font', '''Inter'', ui-sans-serif, system-ui, sans-serif',
     'Running text and controls'),
    ('font.case-label', 'font', 'none', 'text-transform of eyebrows and labels'),
    ('font.heading', 'font', '''Inter'', ui-sans-serif, system-ui, sans-serif', 'Headings'),
    ('font.leading', 'font', '1.6', 'Line height of running text'),
    ('font.mono', 'font', '''JetBrains Mono'', ui-monospace, monospace',
     'Code and figures that line up'),
    ('font.size-2xl', 'font', 'clamp(1.5rem, 1.25rem + 1.2vw, 2.125rem)', 'Section headings'),
    ('font.size-base', 'font', '1rem', 'Running text'),
    ('font.size-hero', 'font', 'clamp(2.125rem, 1.4rem + 3.4vw, 3.75rem)',
     'The one line a page opens with'),
    ('font.size-lg', 'font', '1.1875rem', 'Leads'),
    ('font.size-sm', 'font', '0.875rem', 'Captions and labels'),
    ('font.size-xl', 'font', 'clamp(1.25rem, 1.1rem + 0.7vw, 1.5rem)', 'Panel headings'),
    ('font.tracking-heading', 'font', '-0.015em', 'Letter spacing of headings'),
    ('font.weight-heading', 'font', '650', 'How heavy headings are'),
    ('radius.lg', 'radius', '0.875rem', 'Panels'),
    ('radius.md', 'radius', '0.625rem', 'Tiles and cards'),
    ('radius.pill', 'radius', '999px', 'Chips and badges'),
    ('radius.sm', 'radius', '0.375rem', 'Controls'),
    ('shadow.glow', 'shadow', 'none', 'Light that an active thing gives off; none by day'),
    ('shadow.panel', 'shadow',
     '0 1px 2px rgb(20 22 26 / 0.06), 0 8px 24px -16px rgb(20 22 26 / 0.2)', 'Panels on the page'),
    ('shadow.raised', 'shadow',
     '0 2px 4px rgb(20 22 26 / 0.08), 0 16px 32px -16px rgb(20 22 26 / 0.28)',
     'What is lifted: a dragged note, a menu'),
    ('shadow.text', 'shadow', 'none', 'text-shadow of the hero line'),
    ('spacing.2xl', 'spacing', '3.25rem', 'Between sections'),
    ('spacing.gutter', 'spacing', 'clamp(1rem, 0.4rem + 2.6vw, 2.5rem)', 'Page edge to content'),
    ('spacing.lg', 'spacing', '1.375rem', 'Inside a panel'),
    ('spacing.md', 'spacing', '0.875rem', 'Between things that belong together'),
    ('spacing.sm', 'spacing', '0.5rem', 'Inside a control'),
    ('spacing.xl', 'spacing', '2rem', 'Between panels'),
    ('spacing.xs', 'spacing', '0.25rem', 'Between an icon and its word')
  ) AS seed (token_key, token_category, default_value, description)
 WHERE current_setting('robbieblocks.created')::boolean;

INSERT INTO robbieblocks_node_branding (node_id, node_name, enabled_apps, style_overrides)
SELECT seed.node_id, seed.node_name, seed.enabled_apps, seed.style_overrides::jsonb
  FROM (VALUES
    ('aurora-town-local', 'Aurora Town', ARRAY['work', 'code'],
     '{"theme": "light", "title_pattern": "{title} \u00b7 {site}", "color.background": "#f7f5ef",
   "color.surface": "#fffdf9", "color.surface-raised": "#ffffff",
   "color.surface-sunken": "#efece2", "color.border": "#ddd8ca",
   "color.border-strong": "#857e6c", "color.text": "#26333b", "color.text-muted": "#54626a",
   "color.heading": "#142630", "color.link": "#1b5a85", "color.focus": "#1b5a85",
   "color.primary": "#1b5a85", "color.on-primary": "#ffffff", "color.primary-soft": "#e1ecf2",
   "color.accent": "#2a6a50", "color.on-accent": "#ffffff", "color.accent-soft": "#e0eee6",
   "color.success": "#2a6a50", "color.warning": "#82560f", "color.danger": "#a33a2c",
   "color.info": "#1b5a85", "color.chart-1": "#1b5a85", "color.chart-2": "#2a6a50",
   "color.chart-3": "#8a5a2b", "color.felt": "#2a6a50", "color.on-felt": "#f6fbf8",
   "color.felt-line": "#b5d6c6", "color.card": "#fffdf9", "color.card-black": "#1c2a32",
   "color.card-red": "#a33a2c", "color.card-back": "#1b5a85", "color.note-1": "#fbf0c4",
   "color.note-2": "#dcefe2", "color.note-3": "#f7e0d8", "color.note-4": "#dde9f3",
   "color.on-note": "#2b2c28", "color.rain": "#2a6a50",
   "font.heading": "''Source Serif 4'', ''Iowan Old Style'', Georgia, serif",
   "font.body": "''Source Sans 3'', ui-sans-serif, system-ui, sans-serif",
   "font.size-base": "1.0625rem", "font.size-sm": "0.9375rem", "font.weight-heading": "560",
   "font.tracking-heading": "-0.01em", "radius.sm": "5px", "radius.md": "7px",
   "radius.lg": "10px",
   "shadow.panel": "0 1px 0 rgb(38 51 59 / 0.05), 0 10px 28px -22px rgb(38 51 59 / 0.35)",
   "shadow.raised": "0 2px 6px rgb(38 51 59 / 0.1), 0 18px 36px -20px rgb(38 51 59 / 0.4)"}'),
    ('collaboration-local', 'Collaboration', ARRAY['work', 'play', 'code'],
     '{"theme": "light", "title_pattern": "{title} \u00b7 {site}", "color.background": "#fff8f0",
   "color.surface": "#fffdfa", "color.surface-raised": "#ffffff",
   "color.surface-sunken": "#fbeddf", "color.border": "#f0d9c4",
   "color.border-strong": "#8a5b3d", "color.text": "#3b2a20", "color.text-muted": "#705747",
   "color.heading": "#2b1a12", "color.link": "#a53d15", "color.focus": "#a53d15",
   "color.primary": "#b4431a", "color.on-primary": "#ffffff", "color.primary-soft": "#fde7d9",
   "color.accent": "#7a3b76", "color.on-accent": "#ffffff", "color.accent-soft": "#f8e6f3",
   "color.success": "#3d6622", "color.warning": "#8a5200", "color.danger": "#b0252f",
   "color.info": "#2a5f8f", "color.chart-1": "#b4431a", "color.chart-2": "#3d6622",
   "color.chart-3": "#7a3b76", "color.felt": "#7a3b4a", "color.on-felt": "#fff4ee",
   "color.felt-line": "#e3b3ac", "color.card": "#fffdfa", "color.card-black": "#2b1a12",
   "color.card-red": "#b0252f", "color.card-back": "#e08a3c", "color.note-1": "#ffe9a8",
   "color.note-2": "#dff0c8", "color.note-3": "#ffd9d2", "color.note-4": "#d8e8f5",
   "color.on-note": "#33241b", "color.rain": "#b4431a",
   "font.heading": "''Bricolage Grotesque'', ui-sans-serif, system-ui, sans-serif",
   "font.body": "''Nunito Sans'', ui-sans-serif, system-ui, sans-serif",
   "font.weight-heading": "800", "font.tracking-heading": "-0.035em",
   "font.size-hero": "clamp(2.5rem, 1.3rem + 5vw, 5.25rem)",
   "font.size-2xl": "clamp(1.75rem, 1.3rem + 1.8vw, 2.75rem)",
   "font.size-xl": "clamp(1.375rem, 1.15rem + 0.9vw, 1.75rem)", "radius.sm": "10px",
   "radius.md": "16px", "radius.lg": "22px", "shadow.panel": "4px 4px 0 #2b1a12",
   "shadow.raised": "8px 8px 0 #2b1a12"}'),
    ('fluenti-local', 'Fluenti', ARRAY['work', 'code'],
     '{"theme": "dark", "title_pattern": "{title} \u00b7 {site}", "color.background": "#0e151d",
   "color.surface": "#151f2a", "color.surface-raised": "#1c2936",
   "color.surface-sunken": "#0a1017", "color.border": "#2a3a4a",
   "color.border-strong": "#6d859c", "color.text": "#dde6ef", "color.text-muted": "#a0b2c3",
   "color.heading": "#f4f8fc", "color.link": "#7cbcff", "color.focus": "#9fd0ff",
   "color.primary": "#6db3ff", "color.on-primary": "#04192e", "color.primary-soft": "#15304b",
   "color.accent": "#63d9b6", "color.on-accent": "#03231a", "color.accent-soft": "#123630",
   "color.success": "#63d9b6", "color.warning": "#f0c265", "color.danger": "#ff9486",
   "color.info": "#7cbcff", "color.chart-1": "#6db3ff", "color.chart-2": "#63d9b6",
   "color.chart-3": "#d9a8ff", "color.felt": "#14413a", "color.on-felt": "#ecfaf5",
   "color.felt-line": "#5fa594", "color.card": "#f3f6f9", "color.card-black": "#101a24",
   "color.card-red": "#b3322a", "color.card-back": "#3f7fc0", "color.note-1": "#f0dc9a",
   "color.note-2": "#a9dcc6", "color.note-3": "#efb9ad", "color.note-4": "#abcdf0",
   "color.on-note": "#15202a", "color.rain": "#63d9b6",
   "font.heading": "''Instrument Sans'', ui-sans-serif, system-ui, sans-serif",
   "font.weight-heading": "500", "font.tracking-heading": "-0.03em",
   "font.case-label": "uppercase", "font.size-hero": "clamp(2.25rem, 1.4rem + 4vw, 4.25rem)",
   "font.size-xl": "clamp(1.25rem, 1.15rem + 0.5vw, 1.4375rem)", "spacing.xl": "2.75rem",
   "spacing.2xl": "4.5rem", "radius.sm": "2px", "radius.md": "2px", "radius.lg": "2px",
   "radius.pill": "2px", "shadow.panel": "none",
   "shadow.raised": "0 0 0 1px rgb(109 179 255 / 0.3), 0 18px 40px -20px rgb(0 0 0 / 0.9)"}'),
    ('vengeance-local', 'Vengeance', ARRAY['play', 'code'],
     '{"theme": "dark", "title_pattern": "{title} \u00b7 {site}", "color.background": "#08060f",
   "color.surface": "#120d1f", "color.surface-raised": "#1b1430",
   "color.surface-sunken": "#0b0814", "color.border": "#33265a",
   "color.border-strong": "#8264c8", "color.text": "#ece6fb", "color.text-muted": "#b0a3d0",
   "color.heading": "#ffffff", "color.link": "#37e6ff", "color.focus": "#ffe14d",
   "color.primary": "#ff4fa3", "color.on-primary": "#1c0010", "color.primary-soft": "#34102a",
   "color.accent": "#37e6ff", "color.on-accent": "#00191f", "color.accent-soft": "#0a2933",
   "color.success": "#3dffa2", "color.warning": "#ffd23d", "color.danger": "#ff7a85",
   "color.info": "#86c9ff", "color.chart-1": "#37e6ff", "color.chart-2": "#3dffa2",
   "color.chart-3": "#ff4fa3", "color.felt": "#0c2230", "color.on-felt": "#e8fbff",
   "color.felt-line": "#3f9fb8", "color.card": "#f4efff", "color.card-black": "#160f2b",
   "color.card-red": "#c4155f", "color.card-back": "#ff4fa3", "color.note-1": "#ffe36b",
   "color.note-2": "#6bf2b4", "color.note-3": "#ff9cc8", "color.note-4": "#8de9ff",
   "color.on-note": "#160f2b", "color.rain": "#3dffa2",
   "font.heading": "''Tektur'', ''Eurostile'', ui-sans-serif, sans-serif",
   "font.body": "''Space Grotesk'', ui-sans-serif, system-ui, sans-serif",
   "font.weight-heading": "700", "font.tracking-heading": "0.01em",
   "font.case-label": "uppercase", "radius.sm": "2px", "radius.md": "3px", "radius.lg": "4px",
   "radius.pill": "2px",
   "shadow.panel": "0 0 0 1px rgb(130 100 200 / 0.18), 0 20px 48px -28px rgb(255 79 163 / 0.55)",
   "shadow.raised": "0 0 0 1px rgb(55 230 255 / 0.35), 0 18px 44px -18px rgb(55 230 255 / 0.5)",
   "shadow.glow": "0 0 18px -2px rgb(255 79 163 / 0.75)",
   "shadow.text": "0 0 28px rgb(255 79 163 / 0.55)"}')
  ) AS seed (node_id, node_name, enabled_apps, style_overrides)
 WHERE current_setting('robbieblocks.created')::boolean;
-- (seeds end)


-- 8  Views and functions for readers ------------------------------------------------------------

-- CREATE OR REPLACE can't change a function's result or the names of its parameters: a function of
-- an earlier version that has others is dropped first.
DO $$
DECLARE
    it record;
BEGIN
    FOR it IN
        SELECT p.oid::regprocedure AS signature
          FROM pg_proc p
          JOIN (VALUES ('get_page_config', 'page_key_param'),
                       ('get_node_styles', 'node_id_param'))
                    AS wanted (name, parameter) ON p.proname = wanted.name
         WHERE p.pronamespace = quote_ident(current_schema())::regnamespace
           AND p.pronargs = 1
           AND (p.proargtypes[0], p.prorettype, p.proargnames)
               IS DISTINCT FROM
               ('varchar'::regtype::oid, 'json'::regtype::oid, ARRAY[wanted.parameter])
    LOOP
        EXECUTE format('DROP FUNCTION %s', it.signature);
    END LOOP;
END
$$;

-- Nor can it remove or rename a view's columns: a view of an earlier version that had others is
-- dropped and made again, and those who might read it may read it again. The columns of the first
-- version come first, as they were; ours come after them.
DO $$
DECLARE
    it record;
BEGIN
    FOR it IN
        SELECT * FROM (VALUES
            ('robbieblocks_active_deploys',
             $view$
    SELECT d.id, d.node_id, d.app_namespace, d.deploy_status, d.started_at,
           CASE WHEN isfinite(d.started_at)
                THEN least(greatest(extract(epoch FROM now() - d.started_at),
                                    -2147483648), 2147483647)::integer
            END AS running_seconds,
           d.build_duration_ms, d.deploy_duration_ms, n.node_name, d.build_hash, d.triggered_by,
           d.worker, d.heartbeat_at,
           CASE WHEN isfinite(d.started_at) THEN now() - d.started_at END AS running_for
      FROM robbieblocks_deploys d
      LEFT JOIN robbieblocks_node_branding n ON n.node_id::text = d.node_id::text
     WHERE d.deploy_status::text = ANY ('{pending,building,deploying}'::text[])
     ORDER BY d.started_at DESC
             $view$),
            ('robbieblocks_published_pages',
             $view$
    SELECT p.app_namespace, count(DISTINCT p.id) AS page_count,
           count(DISTINCT b.component_id) AS component_count, max(p.updated_at) AS last_update,
           array_agg(DISTINCT p.page_key::text) AS page_keys,
           array_agg(DISTINCT c.component_key::text)
               FILTER (WHERE c.component_key IS NOT NULL) AS component_keys
      FROM robbieblocks_pages p
      LEFT JOIN robbieblocks_page_blocks b ON b.page_id = p.id
      LEFT JOIN robbieblocks_components c ON c.id = b.component_id
     WHERE p.status::text = 'published'::text
     GROUP BY p.app_namespace
             $view$)
        ) AS wanted (name, definition)
    LOOP
        BEGIN
            EXECUTE format('CREATE OR REPLACE VIEW %I AS %s', it.name, it.definition);
        EXCEPTION WHEN invalid_table_definition THEN
            EXECUTE format('DROP VIEW %I', it.name);
            EXECUTE format('CREATE VIEW %I AS %s', it.name, it.definition);
        END;
    END LOOP;
    FOR it IN
        SELECT held.statement
          FROM json_to_recordset(current_setting('robbieblocks.view_rights')::json)
                   AS held (view text, oid bigint, statement text)
         WHERE to_regclass(held.view)::oid::bigint <> held.oid
    LOOP
        EXECUTE it.statement;
    END LOOP;
END
$$;

COMMENT ON VIEW robbieblocks_active_deploys IS
    'Runs that have not ended, newest first.';

COMMENT ON VIEW robbieblocks_published_pages IS
    'Each app''s published pages: how many, with how many components, and which.';

CREATE OR REPLACE FUNCTION get_page_config(page_key_param varchar) RETURNS json
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT json_build_object(
               'page', row_to_json(p),
               'blocks', coalesce(
                   (SELECT json_agg(json_build_object(
                               'block', row_to_json(b),
                               'component', row_to_json(c),
                               'id', b.id,
                               'block_order', b.block_order,
                               'zone', b.zone,
                               'component_key', c.component_key,
                               'component_name', c.component_name,
                               'component_type', c.component_type,
                               'props', b.props,
                               'conditions', b.conditions) ORDER BY b.block_order)
                      FROM robbieblocks_page_blocks b
                      LEFT JOIN robbieblocks_components c ON c.id = b.component_id
                     WHERE b.page_id = p.id),
                   '[]'),
               'id', p.id,
               'page_key', p.page_key,
               'app_namespace', p.app_namespace,
               'page_name', p.page_name,
               'page_route', p.page_route,
               'layout_template', p.layout_template,
               'meta_title', p.meta_title,
               'meta_description', p.meta_description,
               'status', p.status,
               'version', p.version,
               'published_at', p.published_at,
               'metadata', p.metadata)
      FROM robbieblocks_pages p
     WHERE p.page_key = get_page_config.page_key_param AND p.status = 'published'
$$;

COMMENT ON FUNCTION get_page_config(varchar) IS
    'A published page: `page`, and `blocks` in order, each with its `block` and `component`; null '
    'where there is none.';

CREATE OR REPLACE FUNCTION get_node_styles(node_id_param varchar) RETURNS json
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT (tokens.by_key
            || CASE jsonb_typeof(n.style_overrides)
                    WHEN 'object' THEN n.style_overrides ELSE '{}' END
            || jsonb_build_object('base_tokens', tokens.by_key,
                                  'overrides', n.style_overrides,
                                  'enabled_apps', n.enabled_apps))::json
      FROM robbieblocks_node_branding n,
           (SELECT coalesce(jsonb_object_agg(t.token_key, t.default_value), '{}') AS by_key
              FROM robbieblocks_style_tokens t) tokens
     WHERE n.node_id = get_node_styles.node_id_param
$$;

COMMENT ON FUNCTION get_node_styles(varchar) IS
    'A node''s `base_tokens`, `overrides` and `enabled_apps`, and beside them theme and every '
    'token''s value on the node; null where there is no such node.';


-- What a site root knows this database by, so that nobody publishes another one over it. The
-- id is part of the schema, not a row: it goes where the database goes, by pg_dump too, and no
-- role needs a right to read it (robbieblocks/database/identity.py). Drop the function and run
-- this file again for a copy that is to be a database of its own.
DO $$
BEGIN
    IF to_regprocedure('robbieblocks_database_id()') IS NULL THEN
        EXECUTE format('CREATE FUNCTION robbieblocks_database_id() RETURNS uuid LANGUAGE sql '
                       'IMMUTABLE PARALLEL SAFE AS %L',
                       format('SELECT %L::uuid', gen_random_uuid()));
    END IF;
END
$$;


-- 9  The change queue ---------------------------------------------------------------------------
-- Every statement that can alter a published page leaves one queue row per changed page,
-- component, token or node; a block counts as its page. Every column counts except updated_at. The
-- triggers fire once per statement, over its transition tables, so that a bulk edit is one more
-- INSERT. They run with the owner's rights: an editor of pages need not be allowed to write the
-- queue.
--
-- affected_apps and affected_nodes hold what was known when the row was written. An edit that is
-- committed at the same time can widen them (a block that places the component elsewhere). So they
-- tell a worker what to build first; which pages a change reaches, a build computes from its
-- content.

-- Sets updated_at, unless the statement sets it itself, as a sync does that copies times, or
-- remembers what was imported, which changes nothing of the row.
CREATE OR REPLACE FUNCTION robbieblocks_touch() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

-- A row as the journal keeps it: all columns that are content. `bytes` is what the rows of the
-- statement come to so far: beyond 64 MB they are named only, so that no statement fails because
-- JSON or an array can't hold them.
CREATE OR REPLACE FUNCTION robbieblocks_row(
    content anyelement, key_column text, key text, bytes bigint
) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF content IS NOT DISTINCT FROM NULL THEN
        RETURN NULL;
    ELSIF bytes <= 64000000 THEN
        RETURN pg_catalog.to_jsonb(content) - '{updated_at,imported_hash,page_id}'::text[];
    END IF;
    RETURN pg_catalog.jsonb_build_object(
        key_column, key, 'left_out', pg_catalog.pg_column_size(content));
END
$$;

-- All blocks of a page, by id, with the keys of their components.
CREATE OR REPLACE FUNCTION robbieblocks_placed(on_page uuid) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET enable_seqscan = off AS $$
BEGIN
    RETURN (
        SELECT coalesce(jsonb_object_agg(placed.id, placed.content), '{}')
          FROM (SELECT b.id, robbieblocks_row(b, 'id', b.id::text, sum(pg_column_size(b)) OVER
                           (ROWS UNBOUNDED PRECEDING))
                       || jsonb_build_object('component_key', (
                              SELECT c.component_key FROM robbieblocks_components c
                               WHERE c.id = b.component_id)) AS content
                  FROM robbieblocks_page_blocks b
                 WHERE b.page_id = on_page) AS placed);
END
$$;

-- What is left of a row that is too large to keep: its id and its key.
CREATE OR REPLACE FUNCTION robbieblocks_left_out(side jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_object_agg(given.key, given.value)
           || jsonb_build_object('left_out', pg_column_size(side))
      FROM jsonb_each(side) AS given
     WHERE given.key IN ('id', 'page_key', 'component_key', 'token_key', 'node_id')
$$;

-- One side of a change, as it is stored. Where one has 8,000 bytes or more, what is long (1,000)
-- and the same on both sides is kept by its hash; a row of more than 4 MB is left out.
CREATE OR REPLACE FUNCTION robbieblocks_kept(side jsonb, other jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS $$
DECLARE
    kept jsonb;
    hashes jsonb;
BEGIN
    IF side IS NULL OR greatest(pg_column_size(side), pg_column_size(other)) < 8000 THEN
        RETURN side;
    END IF;
    SELECT jsonb_object_agg(given.key, CASE WHEN given.key = 'blocks' THEN coalesce(
               (SELECT jsonb_object_agg(block.key, robbieblocks_kept(
                           block.value, other #> ARRAY['blocks', block.key]))
                  FROM jsonb_each(given.value) AS block), '{}')
               ELSE given.value END) FILTER (WHERE NOT given.is_same),
           jsonb_object_agg(given.key, encode(sha256(convert_to(given.value #>> '{}', 'UTF8')),
                                              'hex')) FILTER (WHERE given.is_same)
      INTO kept, hashes
      FROM (SELECT field.key, field.value,
                   pg_column_size(field.value) >= 1000
                   AND field.value::text IS NOT DISTINCT FROM (other -> field.key)::text AS is_same
              FROM jsonb_each(side) AS field) AS given;
    IF hashes IS NOT NULL THEN
        kept := kept || jsonb_build_object('by_hash', hashes);
    END IF;
    RETURN CASE WHEN pg_column_size(kept) <= 4000000 THEN kept
                ELSE robbieblocks_left_out(side) END;
END
$$;

-- Two changes of one transaction as one: what `upper` says of a field holds, else what `lower`
-- does. Of blocks in `decided`, upper says whether they are there.
CREATE OR REPLACE FUNCTION robbieblocks_laid_over(lower jsonb, upper jsonb, decided jsonb)
RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS $$
DECLARE
    laid jsonb := lower || upper;
    hashes jsonb := coalesce(lower -> 'by_hash', '{}') || coalesce(upper -> 'by_hash', '{}');
BEGIN
    IF lower IS NULL OR upper IS NULL THEN
        RETURN upper;
    END IF;
    IF hashes <> '{}' THEN
        hashes := hashes - ARRAY(SELECT jsonb_object_keys(laid));
        laid := laid - 'by_hash' || CASE WHEN hashes = '{}' THEN '{}'
                                         ELSE jsonb_build_object('by_hash', hashes) END;
    END IF;
    IF lower ? 'blocks' AND upper ? 'blocks' THEN
        laid := jsonb_set(laid, '{blocks}', (upper -> 'blocks') || coalesce(
            (SELECT jsonb_object_agg(block.key, coalesce(robbieblocks_laid_over(
                        block.value, upper #> ARRAY['blocks', block.key], NULL), block.value))
               FROM jsonb_each(lower -> 'blocks') AS block
              WHERE upper -> 'blocks' ? block.key OR NOT coalesce(decided ? block.key, false)),
            '{}'));
    END IF;
    RETURN CASE WHEN pg_column_size(laid) <= 4000000 THEN laid
                ELSE robbieblocks_left_out(laid) END;
END
$$;

-- What a transaction has changed of an entity since its row was queued: what waits to be laid over
-- that row (`earlier`), and this change. Whether it goes on waiting: to lay a few blocks over a
-- page of thousands takes as long as to write the page, so thousands of blocks that are placed one
-- by one wait until they are many, or the transaction ends.
CREATE OR REPLACE FUNCTION robbieblocks_since(
    earlier jsonb, INOUT before jsonb, INOUT after jsonb, row_bytes integer, OUT waits boolean
)
LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS $$
DECLARE
    large CONSTANT integer := 16000;
    said CONSTANT jsonb := before;
BEGIN
    IF earlier IS NOT NULL THEN
        before := robbieblocks_laid_over(before, earlier -> 'before', earlier #> '{after,blocks}');
        after := robbieblocks_laid_over(earlier -> 'after', after, said -> 'blocks');
    END IF;
    waits := before IS NOT NULL AND after IS NOT NULL AND row_bytes >= large
             AND pg_column_size(before) + pg_column_size(after) < large;
END
$$;

-- Writes queue rows; nothing else does. The first three arrays are parallel: an entity may stand
-- in them several times, each time with one of its apps (or nodes), and gets one row; an app that
-- is null stands for all. Where no nodes are given, they are those that enable one of the apps;
-- null, which means all, for shared pages and where no node enables any. The other three say of
-- each entity what it was and what it is.
--
-- An entity has one row in a transaction: who reads it never saw what was in between. Its id is
-- made of both, so the row is found by the index of ids, whatever statistics say: a lookup of any
-- other kind may be planned while the queue is empty, to read all of it, and a transaction of ten
-- thousand statements would read its own rows in each. A row that was processed waits again.
--
-- One plan serves every call, here and in the functions of part 10: planning takes longer than
-- most edits do. So nothing here joins two sets of rows without an index.
DROP FUNCTION IF EXISTS robbieblocks_enqueue(text, text, uuid[], text[], text[]);
CREATE OR REPLACE FUNCTION robbieblocks_enqueue(
    the_trigger text, the_entity text, ids uuid[], apps text[], nodes text[],
    kept uuid[], befores jsonb[], afters jsonb[]
) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    author CONSTANT text := session_user || coalesce(
        ' (' || nullif(current_setting('application_name', true), '') || ')', '');
    -- No other has it, not even of a copy of this database.
    this_transaction CONSTANT text := concat_ws(
        ' ', pg_current_xact_id(), pg_backend_pid(), extract(epoch FROM now()), the_trigger, '');
    no_blocks CONSTANT jsonb := CASE the_entity WHEN 'page' THEN '{"blocks": {}}' ELSE '{}' END;
BEGIN
    WITH changed AS MATERIALIZED (
        SELECT given.id,
               CASE WHEN NOT bool_or(given.queued AND given.app IS NULL)
                    THEN array_agg(DISTINCT given.app COLLATE "C") FILTER (WHERE given.queued)
               END AS apps,
               array_agg(DISTINCT given.node COLLATE "C")
                   FILTER (WHERE given.node IS NOT NULL) AS nodes,
               (array_agg(given.before) FILTER (WHERE given.before IS NOT NULL))[1] AS before,
               (array_agg(given.after) FILTER (WHERE given.after IS NOT NULL))[1] AS after
          FROM (SELECT id, app, node, true AS queued, NULL::jsonb AS before, NULL::jsonb AS after
                  FROM unnest(ids, apps, nodes) AS affected (id, app, node)
                UNION ALL
                SELECT id, NULL, NULL, false, before, after
                  FROM unnest(kept, befores, afters) AS side (id, before, after)) AS given
         GROUP BY given.id HAVING bool_or(given.queued)
    ), carriers AS MATERIALIZED (
        SELECT c.apps,
               (SELECT array_agg(n.node_id::text ORDER BY n.node_id COLLATE "C")
                  FROM robbieblocks_node_branding n WHERE n.enabled_apps && c.apps) AS nodes
          FROM (SELECT DISTINCT changed.apps FROM changed) c
         WHERE 'shared' <> ALL (c.apps)
    ), entry AS MATERIALIZED (
        SELECT changed.id, changed.apps, coalesce(changed.nodes, carriers.nodes) AS nodes,
               robbieblocks_kept(no_blocks || changed.before, changed.after) AS before,
               robbieblocks_kept(no_blocks || changed.after, changed.before) AS after
          FROM changed LEFT JOIN carriers ON carriers.apps = changed.apps
    )
    INSERT INTO robbieblocks_change_triggers AS q
           (id, trigger_type, entity_type, entity_id, affected_apps, affected_nodes, changed_by,
            before, after)
    SELECT left(encode(sha256(convert_to(this_transaction || entry.id, 'UTF8')), 'hex'), 32)::uuid,
           the_trigger, the_entity, entry.id, entry.apps, entry.nodes, author, entry.before,
           entry.after
      FROM entry
    ON CONFLICT (id) DO UPDATE
       SET affected_apps = CASE WHEN q.affected_apps IS NOT NULL
                                     AND EXCLUDED.affected_apps IS NOT NULL
               THEN ARRAY(SELECT unnest(q.affected_apps) COLLATE "C" AS app
                           UNION SELECT unnest(EXCLUDED.affected_apps) COLLATE "C"
                           ORDER BY app) END,
           affected_nodes = CASE WHEN q.affected_nodes IS NOT NULL
                                      AND EXCLUDED.affected_nodes IS NOT NULL
               THEN ARRAY(SELECT unnest(q.affected_nodes) COLLATE "C" AS node
                           UNION SELECT unnest(EXCLUDED.affected_nodes) COLLATE "C"
                           ORDER BY node) END,
           processed_at = NULL,
           handled_nodes = CASE WHEN q.processed_at IS NULL THEN q.handled_nodes
                                ELSE EXCLUDED.handled_nodes END,
           (before, after, pending) = (
               SELECT CASE WHEN it.waits THEN q.before
                           ELSE robbieblocks_laid_over(it.before, q.before, q.after -> 'blocks')
                      END,
                      CASE WHEN it.waits THEN q.after
                           WHEN q.after IS NULL THEN it.after
                           ELSE robbieblocks_laid_over(q.after, it.after, it.before -> 'blocks')
                      END,
                      CASE WHEN it.waits
                           THEN jsonb_build_object('before', it.before, 'after', it.after) END
                 FROM robbieblocks_since(q.pending, EXCLUDED.before, EXCLUDED.after,
                                         pg_column_size(q.after)) AS it);
END
$$;

-- Marks the rows as processed that every node concerned has handled; returns how many. A node
-- without a branding row does not count. Rows that another session has locked are left to it. A
-- row that may not be changed (by a check or trigger of the installation's own) stops no other.
--
-- A row that some node has not handled within seven days is marked without it, a hundred at a
-- time: that node has no worker, and one that starts there examines every app, whatever waits.
-- Rows that wait for a person (auto_deploy) are left to one.
CREATE OR REPLACE FUNCTION robbieblocks_settle() RETURNS bigint
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    handled uuid[];
    one uuid;
    settled bigint := 0;
BEGIN
    SELECT array_agg(waiting.id) INTO handled
      FROM (SELECT q.id
              FROM robbieblocks_change_triggers q
             WHERE q.processed_at IS NULL
               AND (NOT EXISTS (SELECT FROM robbieblocks_node_branding n
                                 WHERE (q.affected_nodes IS NULL
                                        OR n.node_id = ANY (q.affected_nodes))
                                   AND n.node_id <> ALL (q.handled_nodes))
                    OR q.id = ANY (ARRAY(SELECT old.id
                                           FROM robbieblocks_change_triggers old
                                          WHERE old.processed_at IS NULL
                                            AND old.created_at < now() - interval '7 days'
                                            AND old.auto_deploy IS NOT FALSE
                                          ORDER BY old.created_at LIMIT 100)))
               FOR UPDATE SKIP LOCKED) waiting;
    IF handled IS NULL THEN
        RETURN 0;
    END IF;
    BEGIN
        UPDATE robbieblocks_change_triggers SET processed_at = now() WHERE id = ANY (handled);
        GET DIAGNOSTICS settled = ROW_COUNT;
    EXCEPTION WHEN integrity_constraint_violation OR data_exception OR raise_exception THEN
        FOREACH one IN ARRAY handled LOOP
            BEGIN
                UPDATE robbieblocks_change_triggers SET processed_at = now() WHERE id = one;
                settled := settled + 1;
            EXCEPTION WHEN integrity_constraint_violation OR data_exception OR raise_exception THEN
                NULL;
            END;
        END LOOP;
    END;
    RETURN settled;
END
$$;

-- Notifies the workers, and notes which transaction of this server wrote the row: who has read the
-- content can then tell which rows its transaction did not see, however late they were committed.
-- A row from another server brings that server's number, with each update again; it is not kept.
--
-- The payload is constant: equal payloads of one transaction arrive as one notification, and stay
-- far below the limit of 8,000 bytes. It is JSON, as in the first version, whose listeners parse
-- it. What changed stands in the rows.
CREATE OR REPLACE FUNCTION robbieblocks_notify() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.change_xid := pg_catalog.pg_current_xact_id();
    ELSE
        NEW.change_xid := OLD.change_xid;
    END IF;
    IF NEW.processed_at IS NULL THEN
        PERFORM pg_catalog.pg_notify(
            'robbieblocks_change', '{"table": "robbieblocks_change_triggers"}');
    END IF;
    RETURN NEW;
END
$$;

-- Lays over a row of the queue what has waited for the end of its transaction. The statement is
-- planned for the rows that there are now: one that is kept may be of an empty queue.
CREATE OR REPLACE FUNCTION robbieblocks_lay_over() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    EXECUTE $query$
        UPDATE robbieblocks_change_triggers q
           SET before = robbieblocks_laid_over(q.pending -> 'before', q.before,
                                               q.after -> 'blocks'),
               after = robbieblocks_laid_over(q.after, q.pending -> 'after',
                                              q.pending #> '{before,blocks}'),
               pending = NULL
         WHERE q.id = $1 AND q.pending IS NOT NULL$query$ USING NEW.id;
    RETURN NULL;
END
$$;


-- 10  Change capture: functions -----------------------------------------------------------------
-- *<> compares what is stored, so that 1 changed to 1.0 in JSON is a change, and values of every
-- type can be compared. It needs records: rows it would compare column by column. Before a
-- TRUNCATE the rows still stand in the table.
--
-- Each function makes the journal's sides itself: no other one can read old_rows and new_rows. It
-- does so in UTC: JSON has a time as the session's zone shows it, and sides are compared as text.
-- Of an UPDATE only rows that it altered become sides, and count for their 64 MB. IS TRUE keeps
-- that test a lookup in a hash: a join could be planned as one over all pairs.

-- The app whose pages change with a page's row: its own; null, which means all, for a frame of
-- shared, whose blocks stand on the pages of every app.
CREATE OR REPLACE FUNCTION robbieblocks_reached_app(app text, metadata jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN app = 'shared' AND metadata -> 'frame' = 'true' THEN NULL ELSE app END
$$;

-- Pages by their ids. Found by the index of ids, as blocks are by their page
-- (robbieblocks_placed), whatever statistics say: a plan of a time when there were few pages would
-- read all of them for each block that a long transaction places. The setting is for functions
-- that read, and have an index for it: before PostgreSQL 18 a plan that has to read a whole table
-- in spite of it costs so much that each call of it is compiled (JIT), and so would be what
-- triggers do meanwhile.
CREATE OR REPLACE FUNCTION robbieblocks_pages_by_id(ids uuid[])
RETURNS TABLE (id uuid, app text, is_published boolean, content jsonb)
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET enable_seqscan = off AS $$
BEGIN
    RETURN QUERY
    SELECT p.id, robbieblocks_reached_app(p.app_namespace, p.metadata),
           coalesce(p.status = 'published', false), robbieblocks_row(p, 'page_key', p.page_key, 0)
      FROM robbieblocks_pages p WHERE p.id = ANY (ids);
END
$$;

-- Those of some pages that are not published, locked until the transaction ends.
CREATE OR REPLACE FUNCTION robbieblocks_lock_drafts(ids uuid[]) RETURNS uuid[]
LANGUAGE plpgsql SET search_path FROM CURRENT SET enable_seqscan = off AS $$
BEGIN
    RETURN (
        SELECT array_agg(held.id)
          FROM (SELECT p.id FROM robbieblocks_pages p
                 WHERE p.id = ANY (ids) AND p.status IS DISTINCT FROM 'published'
                 ORDER BY p.id FOR NO KEY UPDATE SKIP LOCKED) held);
END
$$;

-- Pages: those that are published, before or after. The app that a page leaves is affected too. A
-- DELETE is captured row by row, before it: afterwards the page's blocks are gone.
CREATE OR REPLACE FUNCTION robbieblocks_capture_page() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan SET TimeZone = 'UTC' AS $$
DECLARE
    ids uuid[];
    apps text[];
    kept uuid[];
    befores jsonb[];
    afters jsonb[];
BEGIN
    IF TG_OP = 'UPDATE' THEN
        SELECT array_agg(side.id), array_agg(side.app) INTO ids, apps
          FROM old_rows o FULL JOIN new_rows n ON n.id = o.id,
               LATERAL (VALUES (o.id, robbieblocks_reached_app(o.app_namespace, o.metadata),
                                o.status),
                               (n.id, robbieblocks_reached_app(n.app_namespace, n.metadata),
                                n.status))
                       AS side (id, app, status)
         WHERE side.status = 'published'
           AND ROW (o.id, o.page_key, o.app_namespace, o.page_name, o.page_route,
                    o.layout_template, o.meta_title, o.meta_description, o.status,
                    o.version, o.published_at, o.created_by, o.metadata, o.created_at)::record
           *<> ROW (n.id, n.page_key, n.app_namespace, n.page_name, n.page_route,
                    n.layout_template, n.meta_title, n.meta_description, n.status,
                    n.version, n.published_at, n.created_by, n.metadata, n.created_at)::record;
    ELSIF TG_OP = 'INSERT' THEN
        SELECT array_agg(id), array_agg(robbieblocks_reached_app(app_namespace, metadata))
          INTO ids, apps FROM new_rows WHERE status = 'published';
    ELSIF TG_OP = 'TRUNCATE' THEN
        SELECT array_agg(id), array_agg(robbieblocks_reached_app(app_namespace, metadata))
          INTO ids, apps FROM robbieblocks_pages WHERE status = 'published';
    ELSIF OLD.status = 'published' THEN
        ids := ARRAY[OLD.id];
        apps := ARRAY[robbieblocks_reached_app(OLD.app_namespace, OLD.metadata)];
    END IF;
    IF ids IS NULL THEN
        RETURN OLD;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        SELECT array_agg(given.id), array_agg(given.before), array_agg(given.after)
          INTO kept, befores, afters
          FROM (SELECT coalesce(o.id, n.id) AS id,
                       robbieblocks_row(o, 'page_key', o.page_key,
                                        sum(pg_column_size(o)) OVER so_far) AS before,
                       robbieblocks_row(n, 'page_key', n.page_key,
                                        sum(pg_column_size(n)) OVER so_far) AS after
                  FROM old_rows o FULL JOIN new_rows n ON n.id = o.id
                 WHERE (coalesce(o.id, n.id) IN (SELECT unnest(ids))) IS TRUE
                WINDOW so_far AS (ROWS UNBOUNDED PRECEDING)) AS given;
    ELSIF TG_OP = 'INSERT' THEN
        SELECT array_agg(given.id), array_agg(given.content) INTO kept, afters
          FROM (SELECT r.id, robbieblocks_row(r, 'page_key', r.page_key, sum(pg_column_size(r))
                           OVER (ROWS UNBOUNDED PRECEDING)) AS content
                  FROM new_rows r) AS given;
    ELSIF TG_OP = 'DELETE' THEN
        -- Its blocks go, too.
        kept := ids;
        befores := ARRAY[robbieblocks_row(OLD, 'page_key', OLD.page_key, 0)
                         || jsonb_build_object('blocks', robbieblocks_placed(OLD.id))];
    ELSE
        SELECT array_agg(given.id), array_agg(given.content || jsonb_build_object(
                   'blocks', robbieblocks_placed(given.id))) INTO kept, befores
          FROM (SELECT p.id, robbieblocks_row(p, 'page_key', p.page_key, sum(pg_column_size(p))
                           OVER (ROWS UNBOUNDED PRECEDING)) AS content
                  FROM robbieblocks_pages p WHERE p.id = ANY (ids)) AS given;
    END IF;
    PERFORM robbieblocks_enqueue('page_update', 'page', ids, apps, NULL, kept, befores, afters);
    RETURN OLD;
END
$$;

-- Blocks: the published pages that they are on, or were on. The blocks of a page that is deleted
-- find no page: the page has a row of its own. Before a TRUNCATE it is every published page.
--
-- A page that another transaction publishes at the same time still looks like a draft from here,
-- and the queue row of its publishing can be committed before these blocks. So draft pages are
-- locked until this transaction ends, which makes publishing wait for it, and a page that another
-- session has locked counts as published. In REPEATABLE READ a page may have been published since
-- the transaction began: there every page counts.
CREATE OR REPLACE FUNCTION robbieblocks_capture_block() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan SET TimeZone = 'UTC' AS $$
DECLARE
    pages uuid[];
    drafts uuid[];
    ids uuid[];
    apps text[];
    placed_on uuid[];
    were_there boolean[];
    blocks jsonb[];
    kept uuid[];
    befores jsonb[];
    afters jsonb[];
BEGIN
    IF TG_OP = 'UPDATE' THEN
        SELECT array_agg(DISTINCT side.page_id) INTO pages
          FROM old_rows o FULL JOIN new_rows n ON n.id = o.id,
               LATERAL (VALUES (o.page_id), (n.page_id)) AS side (page_id)
         WHERE ROW (o.id, o.page_id, o.component_id, o.block_order, o.zone, o.props,
                    o.conditions, o.created_at)::record
           *<> ROW (n.id, n.page_id, n.component_id, n.block_order, n.zone, n.props,
                    n.conditions, n.created_at)::record;
    ELSIF TG_OP = 'TRUNCATE' THEN
        SELECT array_agg(id) INTO pages FROM robbieblocks_pages;
    ELSIF TG_OP = 'INSERT' THEN
        SELECT array_agg(DISTINCT page_id) INTO pages FROM new_rows;
    ELSE
        SELECT array_agg(DISTINCT page_id) INTO pages FROM old_rows;
    END IF;
    SELECT array_agg(p.id), array_agg(p.app) INTO ids, apps
      FROM robbieblocks_pages_by_id(pages) p WHERE p.is_published;
    IF cardinality(ids) IS DISTINCT FROM cardinality(pages) THEN
        IF pg_catalog.current_setting('transaction_isolation') = 'read committed' THEN
            drafts := robbieblocks_lock_drafts(pages);
        END IF;
        SELECT array_agg(p.id), array_agg(p.app) INTO ids, apps
          FROM robbieblocks_pages_by_id(pages) p WHERE p.id <> ALL (coalesce(drafts, '{}'));
    END IF;
    IF ids IS NULL THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        SELECT array_agg(given.page_id), array_agg(given.was_there), array_agg(given.content)
          INTO placed_on, were_there, blocks
          FROM (SELECT side.page_id, side.was_there,
                       robbieblocks_row(side.block, 'id', side.id::text,
                           sum(pg_column_size(side.block)) OVER (ROWS UNBOUNDED PRECEDING))
                           AS content
                  FROM old_rows o FULL JOIN new_rows n ON n.id = o.id
                 CROSS JOIN LATERAL (VALUES (true, o.page_id, o.id, o),
                                            (false, n.page_id, n.id, n))
                       AS side (was_there, page_id, id, block)
                 WHERE side.id IS NOT NULL
                   AND ROW (o.id, o.page_id, o.component_id, o.block_order, o.zone, o.props,
                            o.conditions, o.created_at)::record
                   *<> ROW (n.id, n.page_id, n.component_id, n.block_order, n.zone, n.props,
                            n.conditions, n.created_at)::record) AS given;
    ELSIF TG_OP = 'INSERT' THEN
        SELECT array_agg(given.page_id), array_agg(false), array_agg(given.content)
          INTO placed_on, were_there, blocks
          FROM (SELECT b.page_id, robbieblocks_row(b, 'id', b.id::text, sum(pg_column_size(b)) OVER
                           (ROWS UNBOUNDED PRECEDING)) AS content
                  FROM new_rows b) AS given;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(given.page_id), array_agg(true), array_agg(given.content)
          INTO placed_on, were_there, blocks
          FROM (SELECT b.page_id, robbieblocks_row(b, 'id', b.id::text, sum(pg_column_size(b)) OVER
                           (ROWS UNBOUNDED PRECEDING)) AS content
                  FROM old_rows b) AS given;
    ELSE
        SELECT array_agg(given.page_id), array_agg(true), array_agg(given.content)
          INTO placed_on, were_there, blocks
          FROM (SELECT b.page_id, robbieblocks_row(b, 'id', b.id::text, sum(pg_column_size(b)) OVER
                           (ROWS UNBOUNDED PRECEDING)) AS content
                  FROM robbieblocks_page_blocks b) AS given;
    END IF;
    SELECT array_agg(altered.page_id), array_agg(altered.page || altered.before),
           array_agg(altered.page || altered.after) INTO kept, befores, afters
      FROM (SELECT block.page_id,
                   (SELECT p.content FROM robbieblocks_pages_by_id(ARRAY[block.page_id]) p)
                       AS page,
                   jsonb_build_object('blocks', coalesce(jsonb_object_agg(block.id, block.content)
                       FILTER (WHERE block.was_there), '{}')) AS before,
                   jsonb_build_object('blocks', coalesce(jsonb_object_agg(block.id, block.content)
                       FILTER (WHERE NOT block.was_there), '{}')) AS after
              FROM (SELECT given.page_id, given.was_there, given.content ->> 'id' AS id,
                           given.content || jsonb_build_object('component_key', (
                               SELECT c.component_key FROM robbieblocks_components c
                                WHERE c.id = (given.content ->> 'component_id')::uuid)) AS content
                      FROM unnest(placed_on, were_there, blocks)
                           AS given (page_id, was_there, content)) AS block
             GROUP BY block.page_id) AS altered;
    PERFORM robbieblocks_enqueue('page_update', 'page', ids, apps, NULL, kept, befores, afters);
    RETURN NULL;
END
$$;

-- Components: those that are published, before or after, or that a component on a published page
-- imports. Apps are those of the published pages that show them, also through imports; null where
-- no page does, or a frame of shared.
CREATE OR REPLACE FUNCTION robbieblocks_capture_component() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan SET TimeZone = 'UTC' AS $$
DECLARE
    changed_ids uuid[];
    changed_keys text[];
    published uuid[];
    ids uuid[];
    apps text[];
    kept uuid[];
    befores jsonb[];
    afters jsonb[];
BEGIN
    IF TG_OP = 'UPDATE' THEN
        SELECT array_agg(side.id), array_agg(side.key),
               array_agg(side.id) FILTER (WHERE side.is_published)
          INTO changed_ids, changed_keys, published
          FROM old_rows o FULL JOIN new_rows n ON n.id = o.id,
               LATERAL (VALUES (o.id, o.component_key, o.is_published),
                               (n.id, n.component_key, n.is_published))
                       AS side (id, key, is_published)
         WHERE side.id IS NOT NULL
           AND ROW (o.id, o.component_key, o.component_name, o.component_type,
                    o.react_code, o.props_schema, o.css_styles, o.dependencies, o.version,
                    o.is_published, o.preview_url, o.metadata, o.created_at)::record
           *<> ROW (n.id, n.component_key, n.component_name, n.component_type,
                    n.react_code, n.props_schema, n.css_styles, n.dependencies, n.version,
                    n.is_published, n.preview_url, n.metadata, n.created_at)::record;
    ELSIF TG_OP = 'TRUNCATE' THEN
        SELECT array_agg(id), array_agg(component_key), array_agg(id) FILTER (WHERE is_published)
          INTO changed_ids, changed_keys, published FROM robbieblocks_components;
    ELSIF TG_OP = 'INSERT' THEN
        SELECT array_agg(id), array_agg(component_key), array_agg(id) FILTER (WHERE is_published)
          INTO changed_ids, changed_keys, published FROM new_rows;
    ELSE
        SELECT array_agg(id), array_agg(component_key), array_agg(id) FILTER (WHERE is_published)
          INTO changed_ids, changed_keys, published FROM old_rows;
    END IF;
    IF changed_ids IS NULL THEN
        RETURN NULL;
    END IF;
    WITH RECURSIVE changed AS MATERIALIZED (
        SELECT DISTINCT given.id, given.key
          FROM unnest(changed_ids, changed_keys) AS given (id, key)
    ), reach (id, used_by, key, imported) AS (
        SELECT id, id, key, false FROM changed
        UNION
        SELECT reach.id, c.id, c.component_key::text, true
          FROM reach
          JOIN robbieblocks_components c
            ON robbieblocks_imports(c.react_code) @> ARRAY[reach.key]
    ), shown AS MATERIALIZED (
        SELECT DISTINCT reach.id, reach.imported,
               robbieblocks_reached_app(p.app_namespace, p.metadata) AS app
          FROM reach
          JOIN robbieblocks_page_blocks b ON b.component_id = reach.used_by
          JOIN robbieblocks_pages p ON p.id = b.page_id AND p.status = 'published'
    )
    SELECT array_agg(c.id), array_agg(shown.app) INTO ids, apps
      FROM (SELECT DISTINCT id FROM changed) c LEFT JOIN shown ON shown.id = c.id
     WHERE c.id = ANY (published)
        OR EXISTS (SELECT FROM shown s WHERE s.id = c.id AND s.imported);
    IF ids IS NULL THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        SELECT array_agg(given.id), array_agg(given.before), array_agg(given.after)
          INTO kept, befores, afters
          FROM (SELECT coalesce(o.id, n.id) AS id,
                       robbieblocks_row(o, 'component_key', o.component_key,
                                        sum(pg_column_size(o)) OVER so_far) AS before,
                       robbieblocks_row(n, 'component_key', n.component_key,
                                        sum(pg_column_size(n)) OVER so_far) AS after
                  FROM old_rows o FULL JOIN new_rows n ON n.id = o.id
                 WHERE (coalesce(o.id, n.id) IN (SELECT unnest(ids))) IS TRUE
                WINDOW so_far AS (ROWS UNBOUNDED PRECEDING)) AS given;
    ELSIF TG_OP = 'INSERT' THEN
        SELECT array_agg(given.id), array_agg(given.content) INTO kept, afters
          FROM (SELECT r.id, robbieblocks_row(r, 'component_key', r.component_key,
                           sum(pg_column_size(r)) OVER (ROWS UNBOUNDED PRECEDING)) AS content
                  FROM new_rows r) AS given;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(given.id), array_agg(given.content) INTO kept, befores
          FROM (SELECT r.id, robbieblocks_row(r, 'component_key', r.component_key,
                           sum(pg_column_size(r)) OVER (ROWS UNBOUNDED PRECEDING)) AS content
                  FROM old_rows r) AS given;
    ELSE
        SELECT array_agg(given.id), array_agg(given.content) INTO kept, befores
          FROM (SELECT r.id, robbieblocks_row(r, 'component_key', r.component_key,
                           sum(pg_column_size(r)) OVER (ROWS UNBOUNDED PRECEDING)) AS content
                  FROM robbieblocks_components r) AS given;
    END IF;
    PERFORM robbieblocks_enqueue('component_update', 'component', ids, apps, NULL, kept, befores,
                                 afters);
    RETURN NULL;
END
$$;

-- Tokens: every app and node, for each page's stylesheet holds them.
CREATE OR REPLACE FUNCTION robbieblocks_capture_token() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan SET TimeZone = 'UTC' AS $$
DECLARE
    ids uuid[];
    kept uuid[];
    befores jsonb[];
    afters jsonb[];
BEGIN
    IF TG_OP = 'UPDATE' THEN
        SELECT array_agg(side.id) INTO ids
          FROM old_rows o FULL JOIN new_rows n ON n.id = o.id,
               LATERAL (VALUES (o.id), (n.id)) AS side (id)
         WHERE side.id IS NOT NULL
           AND ROW (o.id, o.token_key, o.token_category, o.default_value, o.description,
                    o.created_at)::record
           *<> ROW (n.id, n.token_key, n.token_category, n.default_value, n.description,
                    n.created_at)::record;
    ELSIF TG_OP = 'TRUNCATE' THEN
        SELECT array_agg(id) INTO ids FROM robbieblocks_style_tokens;
    ELSIF TG_OP = 'INSERT' THEN
        SELECT array_agg(id) INTO ids FROM new_rows;
    ELSE
        SELECT array_agg(id) INTO ids FROM old_rows;
    END IF;
    IF ids IS NULL THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        SELECT array_agg(given.id), array_agg(given.before), array_agg(given.after)
          INTO kept, befores, afters
          FROM (SELECT coalesce(o.id, n.id) AS id,
                       robbieblocks_row(o, 'token_key', o.token_key,
                                        sum(pg_column_size(o)) OVER so_far) AS before,
                       robbieblocks_row(n, 'token_key', n.token_key,
                                        sum(pg_column_size(n)) OVER so_far) AS after
                  FROM old_rows o FULL JOIN new_rows n ON n.id = o.id
                 WHERE (coalesce(o.id, n.id) IN (SELECT unnest(ids))) IS TRUE
                WINDOW so_far AS (ROWS UNBOUNDED PRECEDING)) AS given;
    ELSIF TG_OP = 'INSERT' THEN
        SELECT array_agg(given.id), array_agg(given.content) INTO kept, afters
          FROM (SELECT r.id, robbieblocks_row(r, 'token_key', r.token_key, sum(pg_column_size(r))
                           OVER (ROWS UNBOUNDED PRECEDING)) AS content
                  FROM new_rows r) AS given;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(given.id), array_agg(given.content) INTO kept, befores
          FROM (SELECT r.id, robbieblocks_row(r, 'token_key', r.token_key, sum(pg_column_size(r))
                           OVER (ROWS UNBOUNDED PRECEDING)) AS content
                  FROM old_rows r) AS given;
    ELSE
        SELECT array_agg(given.id), array_agg(given.content) INTO kept, befores
          FROM (SELECT r.id, robbieblocks_row(r, 'token_key', r.token_key, sum(pg_column_size(r))
                           OVER (ROWS UNBOUNDED PRECEDING)) AS content
                  FROM robbieblocks_style_tokens r) AS given;
    END IF;
    PERFORM robbieblocks_enqueue('style_change', 'style_token', ids, NULL, NULL, kept, befores,
                                 afters);
    RETURN NULL;
END
$$;

-- Branding: the node, under its old and its new name, and the apps that it enables or enabled.
-- Where a node is removed, rows that waited for it alone are processed, its own row among them.
CREATE OR REPLACE FUNCTION robbieblocks_capture_branding() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan SET TimeZone = 'UTC' AS $$
DECLARE
    ids uuid[];
    apps text[];
    nodes text[];
    kept uuid[];
    befores jsonb[];
    afters jsonb[];
BEGIN
    IF TG_OP = 'UPDATE' THEN
        SELECT array_agg(side.id), array_agg(app), array_agg(side.node_id) INTO ids, apps, nodes
          FROM old_rows o FULL JOIN new_rows n ON n.id = o.id,
               LATERAL (VALUES (o.id, o.node_id, o.enabled_apps),
                               (n.id, n.node_id, n.enabled_apps))
                       AS side (id, node_id, enabled_apps),
               LATERAL (SELECT unnest(side.enabled_apps) UNION ALL SELECT 'shared')
                       AS enabled (app)
         WHERE side.id IS NOT NULL
           AND ROW (o.id, o.node_id, o.node_name, o.style_overrides, o.enabled_apps,
                    o.custom_css, o.custom_scripts, o.base_url, o.settings, o.created_at)::record
           *<> ROW (n.id, n.node_id, n.node_name, n.style_overrides, n.enabled_apps,
                    n.custom_css, n.custom_scripts, n.base_url, n.settings, n.created_at)::record;
    ELSIF TG_OP = 'TRUNCATE' AND TG_WHEN = 'BEFORE' THEN
        SELECT array_agg(id), array_agg(app), array_agg(node_id) INTO ids, apps, nodes
          FROM robbieblocks_node_branding,
               LATERAL (SELECT unnest(enabled_apps) UNION ALL SELECT 'shared') AS enabled (app);
    ELSIF TG_OP = 'INSERT' THEN
        SELECT array_agg(id), array_agg(app), array_agg(node_id) INTO ids, apps, nodes
          FROM new_rows,
               LATERAL (SELECT unnest(enabled_apps) UNION ALL SELECT 'shared') AS enabled (app);
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(id), array_agg(app), array_agg(node_id) INTO ids, apps, nodes
          FROM old_rows,
               LATERAL (SELECT unnest(enabled_apps) UNION ALL SELECT 'shared') AS enabled (app);
    END IF;
    IF ids IS NOT NULL THEN
        IF TG_OP = 'UPDATE' THEN
            SELECT array_agg(given.id), array_agg(given.before), array_agg(given.after)
              INTO kept, befores, afters
              FROM (SELECT coalesce(o.id, n.id) AS id,
                           robbieblocks_row(o, 'node_id', o.node_id,
                                            sum(pg_column_size(o)) OVER so_far) AS before,
                           robbieblocks_row(n, 'node_id', n.node_id,
                                            sum(pg_column_size(n)) OVER so_far) AS after
                      FROM old_rows o FULL JOIN new_rows n ON n.id = o.id
                     WHERE coalesce(o.id, n.id) = ANY (ids)
                    WINDOW so_far AS (ROWS UNBOUNDED PRECEDING)) AS given;
        ELSIF TG_OP = 'INSERT' THEN
            SELECT array_agg(given.id), array_agg(given.content) INTO kept, afters
              FROM (SELECT r.id, robbieblocks_row(r, 'node_id', r.node_id, sum(pg_column_size(r))
                           OVER (ROWS UNBOUNDED PRECEDING)) AS content
                      FROM new_rows r) AS given;
        ELSIF TG_OP = 'DELETE' THEN
            SELECT array_agg(given.id), array_agg(given.content) INTO kept, befores
              FROM (SELECT r.id, robbieblocks_row(r, 'node_id', r.node_id, sum(pg_column_size(r))
                           OVER (ROWS UNBOUNDED PRECEDING)) AS content
                      FROM old_rows r) AS given;
        ELSE
            SELECT array_agg(given.id), array_agg(given.content) INTO kept, befores
              FROM (SELECT r.id, robbieblocks_row(r, 'node_id', r.node_id, sum(pg_column_size(r))
                           OVER (ROWS UNBOUNDED PRECEDING)) AS content
                      FROM robbieblocks_node_branding r) AS given;
        END IF;
        PERFORM robbieblocks_enqueue('branding_change', 'node_branding', ids, apps, nodes, kept,
                                     befores, afters);
    END IF;
    IF TG_WHEN = 'AFTER' AND TG_OP <> 'INSERT' THEN
        PERFORM robbieblocks_settle();
    END IF;
    RETURN NULL;
END
$$;

-- Collections: rows of tables that are none of ours, of which pages are made. Its triggers are
-- made by `robbieblocks collections install`, one for each kind of statement; they say the
-- collection, the page that is its template (empty where it makes no pages), and the column that
-- names a row (empty where a row of the table is no row of the collection). The rows changed that
-- are named; where none can be, or more than a thousand are, the collection as a whole did.
CREATE OR REPLACE FUNCTION robbieblocks_capture_collection() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET TimeZone = 'UTC' AS $$
DECLARE
    collection CONSTANT text := TG_ARGV[0];
    key_column CONSTANT text := TG_ARGV[2];
    app CONSTANT text := (SELECT app_namespace FROM robbieblocks_pages
                           WHERE page_key = TG_ARGV[1]);
    keys text[] := ARRAY[NULL];
    ids uuid[];
    sides jsonb[];
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NOT EXISTS (SELECT o::text FROM old_rows o
                       EXCEPT ALL SELECT n::text FROM new_rows n) THEN
            RETURN NULL;
        END IF;
        IF key_column <> '' THEN
            EXECUTE format(
                'SELECT array_agg(DISTINCT changed.key) FROM ('
                '(SELECT o.%1$I::text AS key, o::text FROM old_rows o EXCEPT ALL '
                'SELECT n.%1$I::text, n::text FROM new_rows n) UNION ALL '
                '(SELECT n.%1$I::text, n::text FROM new_rows n EXCEPT ALL '
                'SELECT o.%1$I::text, o::text FROM old_rows o)) AS changed', key_column) INTO keys;
        END IF;
    ELSIF TG_OP = 'INSERT' THEN
        IF NOT EXISTS (SELECT FROM new_rows) THEN
            RETURN NULL;
        ELSIF key_column <> '' THEN
            EXECUTE format('SELECT array_agg(DISTINCT n.%I::text) FROM new_rows n', key_column)
               INTO keys;
        END IF;
    ELSIF TG_OP = 'DELETE' THEN
        IF NOT EXISTS (SELECT FROM old_rows) THEN
            RETURN NULL;
        ELSIF key_column <> '' THEN
            EXECUTE format('SELECT array_agg(DISTINCT o.%I::text) FROM old_rows o', key_column)
               INTO keys;
        END IF;
    END IF;
    IF cardinality(keys) > 1000 OR array_position(keys, NULL) IS NOT NULL THEN
        keys := ARRAY[NULL];
    END IF;
    SELECT array_agg(md5('robbieblocks collection ' || named.name)::uuid),
           array_agg(jsonb_build_object('name', named.name, 'collection', collection,
                                        'row_key', named.key))
      INTO ids, sides
      FROM (SELECT given.key, concat_ws('/', collection, given.key) AS name
              FROM unnest(keys) AS given (key)) AS named;
    PERFORM robbieblocks_enqueue(
        'collection_update', 'collection', ids,
        CASE WHEN app IS NOT NULL THEN array_fill(app, ARRAY[cardinality(ids)]) END, NULL, ids,
        CASE WHEN TG_OP <> 'INSERT' THEN sides END, CASE WHEN TG_OP <> 'DELETE' THEN sides END);
    RETURN NULL;
END
$$;


-- 11  Change capture: triggers ------------------------------------------------------------------

DO $$
DECLARE
    it record;
BEGIN
    FOR it IN
        SELECT * FROM (VALUES
            ('robbieblocks_pages',         'robbieblocks_capture_page'),
            ('robbieblocks_page_blocks',   'robbieblocks_capture_block'),
            ('robbieblocks_components',    'robbieblocks_capture_component'),
            ('robbieblocks_style_tokens',  'robbieblocks_capture_token'),
            ('robbieblocks_node_branding', 'robbieblocks_capture_branding')
        ) AS captured (on_table, by_function)
    LOOP
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER robbieblocks_touch BEFORE UPDATE ON %I FOR EACH ROW '
            'WHEN (OLD.* *<> NEW.* AND OLD.updated_at IS NOT DISTINCT FROM NEW.updated_at '
            'AND OLD.imported_hash IS NOT DISTINCT FROM NEW.imported_hash) '
            'EXECUTE FUNCTION robbieblocks_touch()', it.on_table);
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER robbieblocks_capture_insert AFTER INSERT ON %I '
            'REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION %I()',
            it.on_table, it.by_function);
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER robbieblocks_capture_update AFTER UPDATE ON %I '
            'REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT '
            'EXECUTE FUNCTION %I()', it.on_table, it.by_function);
        IF it.on_table = 'robbieblocks_pages' THEN
            EXECUTE format(
                'CREATE OR REPLACE TRIGGER robbieblocks_capture_delete BEFORE DELETE ON %I '
                'FOR EACH ROW EXECUTE FUNCTION %I()',
                it.on_table, it.by_function);
        ELSE
            EXECUTE format(
                'CREATE OR REPLACE TRIGGER robbieblocks_capture_delete AFTER DELETE ON %I '
                'REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION %I()',
                it.on_table, it.by_function);
        END IF;
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER robbieblocks_capture_truncate BEFORE TRUNCATE ON %I '
            'FOR EACH STATEMENT EXECUTE FUNCTION %I()', it.on_table, it.by_function);
    END LOOP;
END
$$;

-- Whoever may use them could put them on a temporary table of his own, and so write queue rows.
REVOKE ALL ON FUNCTION robbieblocks_capture_page, robbieblocks_capture_block,
    robbieblocks_capture_component, robbieblocks_capture_token, robbieblocks_capture_branding,
    robbieblocks_capture_collection, robbieblocks_lay_over
  FROM PUBLIC;

CREATE OR REPLACE TRIGGER robbieblocks_settle_truncate AFTER TRUNCATE ON robbieblocks_node_branding
    FOR EACH STATEMENT EXECUTE FUNCTION robbieblocks_capture_branding();

-- Fires for a new row, and for one that a person puts back to waiting or releases to the workers.
-- ALWAYS, and for each row: logical replication applies rows as a replica, where no other trigger
-- fires. The capture triggers stay ordinary, or a replica would queue each change a second time.
CREATE OR REPLACE TRIGGER robbieblocks_notify
    BEFORE INSERT OR UPDATE OF processed_at, auto_deploy, change_xid
    ON robbieblocks_change_triggers
    FOR EACH ROW EXECUTE FUNCTION robbieblocks_notify();

ALTER TABLE robbieblocks_change_triggers ENABLE ALWAYS TRIGGER robbieblocks_notify;

-- At the end of the transaction.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_trigger
                    WHERE tgrelid = to_regclass('robbieblocks_change_triggers')
                      AND tgname = 'robbieblocks_lay_over') THEN
        CREATE CONSTRAINT TRIGGER robbieblocks_lay_over
            AFTER UPDATE ON robbieblocks_change_triggers DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW WHEN (OLD.pending IS NULL AND NEW.pending IS NOT NULL)
            EXECUTE FUNCTION robbieblocks_lay_over();
    END IF;
END
$$;


-- 12  Functions for editors ---------------------------------------------------------------------
-- What is awkward by hand: (page_id, block_order) is unique at each row, so a plain swap fails. A
-- page is named by its key, a block by its order. Each function runs with its caller's rights and
-- locks the page's row, so that of two people who edit a page at once the second one waits. All
-- blocks that a function moves leave one queue row. Orders may have gaps and be negative.

-- The hint for a name that is unknown: the names that are most like it, by pairs of letters.
CREATE OR REPLACE FUNCTION robbieblocks_suggestion(wanted text, known text[]) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path FROM CURRENT AS $$
    WITH names AS (
        SELECT name, pairs.shared * 2.0 / (length(name) + length(wanted)) AS likeness
          FROM unnest(known) AS name,
               LATERAL (SELECT count(*) AS shared FROM generate_series(1, length(name) - 1) AS at
                         WHERE strpos(lower(wanted), substr(lower(name), at, 2)) > 0) pairs
    )
    SELECT coalesce(
        (SELECT 'Did you mean ' || string_agg(close.name, ' or ' ORDER BY likeness DESC) || '?'
           FROM (SELECT * FROM names WHERE likeness > 0.6
                  ORDER BY likeness DESC, name LIMIT 3) close),
        (SELECT 'Known: ' || string_agg(first.name, ', ' ORDER BY first.name)
                          || CASE WHEN cardinality(known) > 20 THEN ', ...' ELSE '' END
           FROM (SELECT name FROM names ORDER BY name LIMIT 20) first),
        'There are none yet.')
$$;

-- A page's id; its row is locked until the transaction ends.
CREATE OR REPLACE FUNCTION robbieblocks_lock_page(page text) RETURNS uuid
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    found_id uuid;
BEGIN
    SELECT p.id INTO found_id FROM robbieblocks_pages p WHERE p.page_key = page
       FOR NO KEY UPDATE;
    IF found_id IS NULL THEN
        RAISE EXCEPTION 'there is no page %', coalesce(quote_literal(page), 'null')
              USING ERRCODE = 'no_data_found',
                    HINT = robbieblocks_suggestion(
                        coalesce(page, ''), ARRAY(SELECT p.page_key FROM robbieblocks_pages p));
    END IF;
    RETURN found_id;
END
$$;

-- The id of a page's block.
CREATE OR REPLACE FUNCTION robbieblocks_find_block(page text, block integer) RETURNS uuid
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    found_id uuid;
BEGIN
    SELECT b.id INTO found_id
      FROM robbieblocks_page_blocks b JOIN robbieblocks_pages p ON p.id = b.page_id
     WHERE p.page_key = page AND b.block_order = block;
    IF found_id IS NULL THEN
        RAISE EXCEPTION 'the page % has no block %', quote_literal(page),
              coalesce(block::text, 'null')
              USING ERRCODE = 'no_data_found',
                    HINT = coalesce((
                        SELECT 'Its blocks: ' || string_agg(
                                   concat_ws(' ', b.block_order, c.component_key), ', '
                                   ORDER BY b.block_order)
                          FROM robbieblocks_page_blocks b
                          JOIN robbieblocks_pages p ON p.id = b.page_id
                          LEFT JOIN robbieblocks_components c ON c.id = b.component_id
                         WHERE p.page_key = page), 'It has no blocks.');
    END IF;
    RETURN found_id;
END
$$;

-- A page's metadata.blocks has settings of blocks by their order: they go where the blocks go.
-- What was at sources[n] is at targets[n] now: null as a target is a block that goes, as a source
-- one that is new. A source may have several targets.
CREATE OR REPLACE FUNCTION robbieblocks_move_settings(
    on_page uuid, sources integer[], targets integer[]
) RETURNS void
LANGUAGE sql SET search_path FROM CURRENT AS $$
    UPDATE robbieblocks_pages p
       SET metadata = jsonb_set(p.metadata, '{blocks}',
               ((p.metadata -> 'blocks') - (sources || targets)::text[])
               || coalesce((SELECT jsonb_object_agg(move.target, was.value)
                              FROM unnest(sources, targets) AS move (source, target)
                              JOIN jsonb_each(p.metadata -> 'blocks') AS was
                                ON was.key = move.source::text
                             WHERE move.target IS NOT NULL), '{}'))
     WHERE p.id = on_page
       AND jsonb_typeof(p.metadata -> 'blocks') = 'object'
       AND p.metadata -> 'blocks' ?| (sources || targets)::text[]
$$;

-- Moves the blocks at sources[n] to targets[n], with their settings. By way of orders that no
-- block has, nor is to have: (page_id, block_order) is unique at each row, whichever is updated
-- first.
CREATE OR REPLACE FUNCTION robbieblocks_reorder(
    on_page uuid, sources integer[], targets integer[]
) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    free integer[] := ARRAY(
        SELECT n FROM generate_series(0, 2 * cardinality(sources) - 1 + (
                   SELECT count(*) FROM robbieblocks_page_blocks b
                    WHERE b.page_id = on_page)::integer) AS n
         WHERE n <> ALL (targets)
           AND NOT EXISTS (SELECT FROM robbieblocks_page_blocks b
                            WHERE b.page_id = on_page AND b.block_order = n)
         LIMIT cardinality(sources));
BEGIN
    UPDATE robbieblocks_page_blocks b SET block_order = move.target
      FROM unnest(sources, free) AS move (source, target)
     WHERE b.page_id = on_page AND b.block_order = move.source;
    UPDATE robbieblocks_page_blocks b SET block_order = move.target
      FROM unnest(free, targets) AS move (source, target)
     WHERE b.page_id = on_page AND b.block_order = move.source;
    PERFORM robbieblocks_move_settings(on_page, sources, targets);
END
$$;

-- Makes an order of a page free: the blocks from there to the next gap move up by one.
CREATE OR REPLACE FUNCTION robbieblocks_make_room(on_page uuid, place integer) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    gap bigint;
BEGIN
    SELECT min(n) INTO gap
      FROM generate_series(place::bigint, place::bigint + (
               SELECT count(*) FROM robbieblocks_page_blocks b WHERE b.page_id = on_page)) AS n
     WHERE NOT EXISTS (SELECT FROM robbieblocks_page_blocks b
                        WHERE b.page_id = on_page AND b.block_order = n);
    IF gap > 2147483647 THEN
        RAISE EXCEPTION 'no order from % on is free', place
              USING ERRCODE = 'numeric_value_out_of_range',
                    HINT = 'Give the blocks smaller orders first.';
    END IF;
    PERFORM robbieblocks_reorder(on_page, array_agg(n::integer), array_agg(n::integer + 1))
       FROM generate_series(place::bigint, gap - 1) AS n
     HAVING count(*) > 0;
    PERFORM robbieblocks_move_settings(on_page, ARRAY[null::integer], ARRAY[place]);
END
$$;

CREATE OR REPLACE FUNCTION robbieblocks_insert_block(
    page text, block integer, component text, props jsonb DEFAULT '{}', zone text DEFAULT 'main',
    conditions jsonb DEFAULT '{}'
) RETURNS integer
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    on_page uuid := robbieblocks_lock_page(page);
    placed record;
    place bigint := block;
    zones text[] := ARRAY['header', 'sidebar', 'main', 'footer', 'overlay'];
BEGIN
    SELECT c.id, c.component_type INTO placed
      FROM robbieblocks_components c WHERE c.component_key = component;
    IF placed.id IS NULL THEN
        RAISE EXCEPTION 'there is no component %', coalesce(quote_literal(component), 'null')
              USING ERRCODE = 'no_data_found',
                    HINT = robbieblocks_suggestion(coalesce(component, ''), ARRAY(
                        SELECT c.component_key FROM robbieblocks_components c
                         WHERE c.component_type <> 'module'));
    ELSIF placed.component_type = 'module' THEN
        RAISE EXCEPTION 'the component % is a module: components import it, no page places it',
              quote_literal(component)
              USING ERRCODE = 'invalid_parameter_value',
                    HINT = 'Place a component that imports it.';
    ELSIF zone IS NULL OR zone <> ALL (zones) THEN
        RAISE EXCEPTION 'there is no zone %', coalesce(quote_literal(zone), 'null')
              USING ERRCODE = 'invalid_parameter_value',
                    HINT = robbieblocks_suggestion(coalesce(zone, ''), zones);
    END IF;
    IF place IS NULL THEN
        SELECT coalesce(max(b.block_order)::bigint, 0) + 1 INTO place
          FROM robbieblocks_page_blocks b WHERE b.page_id = on_page;
    END IF;
    PERFORM robbieblocks_make_room(on_page, place::integer);
    INSERT INTO robbieblocks_page_blocks
           (page_id, component_id, block_order, zone, props, conditions)
    VALUES (on_page, placed.id, place, zone, props, conditions);
    RETURN place;
END
$$;

COMMENT ON FUNCTION robbieblocks_insert_block(text, integer, text, jsonb, text, jsonb) IS
    'Places a component on a page at an order, null for the end; blocks from there to the next '
    'gap move up by one. Returns the order.';

CREATE OR REPLACE FUNCTION robbieblocks_move_block(page text, block integer, new_order integer)
RETURNS integer
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    on_page uuid := robbieblocks_lock_page(page);
    orders integer[];
BEGIN
    PERFORM robbieblocks_find_block(page, block);
    IF new_order IS NULL THEN
        RAISE EXCEPTION 'no order is named for block % to move to', block
              USING ERRCODE = 'null_value_not_allowed';
    END IF;
    -- From the block's order to the new one, each that is taken; the first is its own.
    SELECT array_agg(b.block_order ORDER BY abs(b.block_order::bigint - block)) INTO orders
      FROM robbieblocks_page_blocks b
     WHERE b.page_id = on_page
       AND b.block_order BETWEEN least(block, new_order) AND greatest(block, new_order);
    IF new_order <> ALL (orders) THEN
        PERFORM robbieblocks_reorder(on_page, ARRAY[block], ARRAY[new_order]);
    ELSIF new_order <> block THEN
        PERFORM robbieblocks_reorder(on_page, orders, new_order || trim_array(orders, 1));
    END IF;
    RETURN new_order;
END
$$;

COMMENT ON FUNCTION robbieblocks_move_block(text, integer, integer) IS
    'Moves a block of a page to another order. Where a block is there, those in between move one '
    'place towards the order that became free. Returns the order.';

CREATE OR REPLACE FUNCTION robbieblocks_duplicate_block(page text, block integer) RETURNS integer
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    on_page uuid := robbieblocks_lock_page(page);
    copied uuid := robbieblocks_find_block(page, block);
BEGIN
    PERFORM robbieblocks_make_room(on_page, block + 1);
    PERFORM robbieblocks_move_settings(on_page, ARRAY[block, block], ARRAY[block, block + 1]);
    INSERT INTO robbieblocks_page_blocks
           (page_id, component_id, block_order, zone, props, conditions)
    SELECT b.page_id, b.component_id, block + 1, b.zone, b.props, b.conditions
      FROM robbieblocks_page_blocks b WHERE b.id = copied;
    RETURN block + 1;
END
$$;

COMMENT ON FUNCTION robbieblocks_duplicate_block(text, integer) IS
    'Copies a block, with its props and conditions, to the order after its own; blocks from there '
    'to the next gap move up by one. Returns the copy''s order.';

CREATE OR REPLACE FUNCTION robbieblocks_remove_block(page text, block integer) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    on_page uuid := robbieblocks_lock_page(page);
    removed uuid := robbieblocks_find_block(page, block);
BEGIN
    PERFORM robbieblocks_move_settings(on_page, ARRAY[block], ARRAY[null::integer]);
    DELETE FROM robbieblocks_page_blocks WHERE id = removed AND page_id = on_page;
END
$$;

COMMENT ON FUNCTION robbieblocks_remove_block(text, integer) IS
    'Removes a block from a page. The others keep their orders.';

CREATE OR REPLACE FUNCTION robbieblocks_publish_page(page text, at timestamptz DEFAULT NULL)
RETURNS timestamptz
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    the_page uuid := robbieblocks_lock_page(page);
    moment timestamptz;
BEGIN
    UPDATE robbieblocks_pages p
       SET status = 'published',
           published_at = coalesce(at, CASE WHEN p.published_at <= now() THEN p.published_at
                                            ELSE now() END)
     WHERE p.id = the_page
    RETURNING p.published_at INTO moment;
    RETURN moment;
END
$$;

COMMENT ON FUNCTION robbieblocks_publish_page(text, timestamptz) IS
    'Publishes a page: now, or at a time to come. A page that was published before keeps that '
    'time. Returns published_at.';

CREATE OR REPLACE FUNCTION robbieblocks_archive_page(page text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    the_page uuid := robbieblocks_lock_page(page);
BEGIN
    UPDATE robbieblocks_pages SET status = 'archived' WHERE id = the_page;
END
$$;

COMMENT ON FUNCTION robbieblocks_archive_page(text) IS
    'Takes a page off every node; its row and blocks stay.';

CREATE OR REPLACE FUNCTION robbieblocks_copy_page(page text, new_key text, new_route text)
RETURNS uuid
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    the_page uuid := robbieblocks_lock_page(page);
    taken text;
    copied uuid;
BEGIN
    SELECT p.page_key INTO taken
      FROM robbieblocks_pages p
     WHERE p.page_key = new_key
        OR (rtrim(p.page_route, '/') = rtrim(new_route, '/') AND p.status <> 'archived'
            AND p.app_namespace = (SELECT o.app_namespace FROM robbieblocks_pages o
                                    WHERE o.id = the_page))
     LIMIT 1;
    IF taken IS NOT NULL THEN
        RAISE EXCEPTION 'the page % has this %', quote_literal(taken),
              CASE WHEN taken = new_key THEN 'key' ELSE 'route' END
              USING ERRCODE = 'unique_violation',
                    HINT = 'Name a key and a route that no other page of the app has.';
    END IF;
    INSERT INTO robbieblocks_pages
           (page_key, app_namespace, page_name, page_route, layout_template, meta_title,
            meta_description, metadata)
    SELECT new_key, p.app_namespace, p.page_name, new_route, p.layout_template, p.meta_title,
           p.meta_description, p.metadata
      FROM robbieblocks_pages p WHERE p.id = the_page
    RETURNING id INTO copied;
    INSERT INTO robbieblocks_page_blocks
           (page_id, component_id, block_order, zone, props, conditions)
    SELECT copied, b.component_id, b.block_order, b.zone, b.props, b.conditions
      FROM robbieblocks_page_blocks b WHERE b.page_id = the_page;
    RETURN copied;
END
$$;

COMMENT ON FUNCTION robbieblocks_copy_page(text, text, text) IS
    'Makes a draft with another key and route of a page, with its blocks, props, conditions and '
    'metadata. Returns its id.';

COMMIT;
