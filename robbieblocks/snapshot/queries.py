"""The snapshot's queries."""

from __future__ import annotations

from typing import LiteralString

from robbieblocks.database import ALL_ROWS

# The time of the state, without a zone so that no session setting changes it; which transactions
# the state includes; and its history, which must be the same for the queue to tell everything that
# changed between two states: the server's run, the database, no TRUNCATE (it empties a table for
# older states too), no rewritten table, and the triggers that write the queue (DISABLE TRIGGER
# writes a new version of the trigger's own row).
#
# The history is null where the queue can't tell: on a standby, whose pg_current_snapshot lists no
# transactions; over an older schema; and unless each of the two tables has an enabled capture
# trigger for every kind of statement (60: the bits of INSERT, DELETE, UPDATE and TRUNCATE in
# tgtype) and the queue its own, enabled for replicas too.
MOMENT: LiteralString = """
    SELECT now() AT TIME ZONE 'UTC', pg_current_snapshot()::text,
           (SELECT CASE WHEN bit_or(t.tgtype)
                             FILTER (WHERE t.tgname LIKE 'robbieblocks\\_capture\\_%'
                                       AND t.tgenabled IN ('O', 'A')
                                       AND t.tgrelid = to_regclass('robbieblocks_pages')) & 60 = 60
                         AND bit_or(t.tgtype)
                             FILTER (WHERE t.tgname LIKE 'robbieblocks\\_capture\\_%'
                                       AND t.tgenabled IN ('O', 'A')
                                       AND t.tgrelid = to_regclass('robbieblocks_page_blocks'))
                             & 60 = 60
                         AND bool_or(t.tgname = 'robbieblocks_notify' AND t.tgenabled = 'A')
                         AND EXISTS (SELECT FROM pg_attribute AS a
                                      WHERE a.attrelid = to_regclass('robbieblocks_change_triggers')
                                        AND a.attname = 'change_xid' AND NOT a.attisdropped)
                         AND NOT pg_is_in_recovery()
                        THEN concat_ws(' ', extract(epoch FROM pg_postmaster_start_time()),
                                       (SELECT oid FROM pg_database
                                         WHERE datname = current_database()),
                                       pg_relation_filenode(to_regclass('robbieblocks_pages')),
                                       pg_relation_filenode(to_regclass('robbieblocks_page_blocks')),
                                       pg_relation_filenode(
                                           to_regclass('robbieblocks_change_triggers')),
                                       pg_relation_filenode(to_regclass('media_assets')),
                                       string_agg(t.oid || ':' || t.xmin, ' ' ORDER BY t.oid))
                   END
              FROM pg_trigger AS t
             WHERE t.tgrelid IN (to_regclass('robbieblocks_pages'),
                                 to_regclass('robbieblocks_page_blocks'),
                                 to_regclass('robbieblocks_change_triggers'),
                                 to_regclass('media_assets'))
               AND NOT t.tgisinternal),
           to_regclass('media_assets') IS NOT NULL
"""

# Nodes, all or those named.
NODES: LiteralString = """
    SELECT node_id, node_name, style_overrides::text, enabled_apps, custom_css, custom_scripts,
           base_url, nullif(settings, '{}')::text
      FROM robbieblocks_node_branding
     WHERE %(nodes)s::text[] IS NULL OR node_id = ANY (%(nodes)s)
     ORDER BY node_id COLLATE "C"
"""

# Each published page's app; with drafts, theirs too.
PAGE_APPS: LiteralString = """
    SELECT page_key, app_namespace FROM robbieblocks_pages
     WHERE status = 'published' OR (%(drafts)s AND status = 'draft')
     ORDER BY page_key COLLATE "C"
"""

# Which of these pages are frames of shared, which are around pages of every app.
SHARED_FRAMES: LiteralString = """
    SELECT page_key FROM robbieblocks_pages
     WHERE page_key = ANY (%(keys)s) AND app_namespace = %(shared)s
       AND metadata -> 'frame' = 'true'
"""

# Each app that has published pages, with one of them.
ONE_PAGE_EACH: LiteralString = """
    SELECT min(page_key), app_namespace FROM robbieblocks_pages
     WHERE status = 'published' OR (%(drafts)s AND status = 'draft')
     GROUP BY app_namespace
"""

# Published pages, and drafts where they are asked for, of some apps or all, by id or all, each with
# its blocks in order as one JSON text, which takes a third of the time of reading blocks as rows.
# Most blocks have no conditions, and null is cheaper than {}. The last edit of a page's row and of
# its blocks is a date, so that a second one of a day changes no sitemap. Times that Python can't
# hold (infinity, BC) become the nearest that it can; greatest() of a null is the other value.
PAGES: LiteralString = """
    SELECT id, page_key, app_namespace, page_name, page_route, layout_template, meta_title,
           meta_description,
           CASE WHEN created_at IS NOT NULL
                THEN least(greatest(created_at, '0001-01-02Z'), '9999-12-30Z')
           END AT TIME ZONE 'UTC',
           CASE WHEN published_at IS NOT NULL
                THEN least(greatest(published_at, '0001-01-02Z'), '9999-12-30Z')
           END AT TIME ZONE 'UTC',
           nullif(metadata, '{}')::text, status = 'draft',
           to_char(least(greatest(updated_at, blocks.last_edit, '0001-01-02Z'), '9999-12-30Z')
                   AT TIME ZONE 'UTC', 'YYYY-MM-DD'),
           blocks.as_json
      FROM robbieblocks_pages AS page
     CROSS JOIN LATERAL (
           SELECT json_agg(json_build_array(block_order, zone, component_key, nullif(props, '{}'),
                                            nullif(conditions, '{}')) ORDER BY block_order)::text
                      AS as_json, max(block.updated_at) AS last_edit
             FROM robbieblocks_page_blocks AS block
             LEFT JOIN robbieblocks_components AS component ON component.id = block.component_id
            WHERE block.page_id = page.id) AS blocks
     WHERE (status = 'published' OR (%(drafts)s AND status = 'draft'))
       AND (%(apps)s::text[] IS NULL OR app_namespace = ANY (%(apps)s))
       AND (%(ids)s::uuid[] IS NULL OR id = ANY (%(ids)s))
"""

# One page's blocks, each value by itself: for a page with a value that can't be decoded.
BLOCKS: LiteralString = """
    SELECT block_order, zone, component_key, props::text, conditions::text
      FROM robbieblocks_page_blocks AS block
      LEFT JOIN robbieblocks_components AS component ON component.id = block.component_id
     WHERE page_id = %(page)s
     ORDER BY block_order
"""

# Components, all or by id, published or not: a page that places an unpublished one gets another
# message than one that places a component which does not exist.
COMPONENTS: LiteralString = """
    SELECT id, xmin::text, component_key, component_name, component_type, react_code, css_styles,
           props_schema::text, dependencies, is_published, nullif(metadata, '{}')::text
      FROM robbieblocks_components
     WHERE %(ids)s::uuid[] IS NULL OR id = ANY (%(ids)s)
"""

# The version of each component: a transaction that writes a row gives it a new one. The queue has
# no rows for unpublished components, and their code makes reading all of them slow.
VERSIONS: LiteralString = "SELECT id, xmin::text FROM robbieblocks_components"

# All tokens.
TOKENS: LiteralString = """
    SELECT token_key, token_category, default_value FROM robbieblocks_style_tokens
     ORDER BY token_key COLLATE "C"
"""

# All media, without their bytes.
MEDIA: LiteralString = """
    SELECT media_key, file_name, media_type, content_hash, size_bytes, alt, is_decorative,
           focal_point, served_path
      FROM media_assets
     ORDER BY media_key COLLATE "C"
"""

# The bytes of one file, or where they lie. Where the table is an earlier version's, which has no
# such column, the name means the one of the row beside it.
MEDIA_CONTENT: LiteralString = """
    SELECT m.content,
           (SELECT content_address FROM media_assets AS t WHERE t.media_key = m.media_key),
           m.content_hash, m.size_bytes
      FROM media_assets AS m, (SELECT NULL::text AS content_address) AS lacking
     WHERE m.media_key = %s
"""

# Queue rows that wait for one of the nodes, oldest first.
TRIGGERS: LiteralString = """
    SELECT id, trigger_type, affected_apps, affected_nodes, auto_deploy,
           CASE WHEN created_at IS NOT NULL
                THEN least(greatest(created_at, '0001-01-02Z'), '9999-12-30Z')
            END AT TIME ZONE 'UTC'
      FROM robbieblocks_change_triggers
     WHERE processed_at IS NULL
       AND (%(nodes)s::text[] IS NULL
            OR ((affected_nodes IS NULL OR affected_nodes && %(nodes)s)
                AND NOT %(nodes)s <@ handled_nodes))
     ORDER BY created_at, id
"""

# Pages with queue rows, processed or not, that an earlier state did not include; null stands for
# media, however many. They are not found by time: a transaction may commit late. A number that no
# transaction has had yet comes from a restored dump.
EDITED: LiteralString = """
    SELECT DISTINCT CASE entity_type WHEN 'page' THEN entity_id END
      FROM robbieblocks_change_triggers
     WHERE entity_type IN ('page', 'media')
       AND change_xid >= pg_snapshot_xmin(%(seen)s::pg_snapshot)
       AND change_xid < pg_snapshot_xmax(pg_current_snapshot())
       AND NOT pg_visible_in_snapshot(change_xid, %(seen)s::pg_snapshot)
     LIMIT %(most)s
"""

# Pages that place one of some components.
PLACING: LiteralString = """
    SELECT DISTINCT page_id FROM robbieblocks_page_blocks WHERE component_id = ANY (%(ids)s)
     LIMIT %(most)s
"""

# What a view is, under the names that are given for it: its name as Postgres writes it, whether the
# session may read it, its columns in order, the type of each, and which of these have a form in
# JSON. The type of a domain is that under it, of an array that of its items.
VIEW: LiteralString = """
    SELECT c.oid::regclass::text, has_table_privilege(c.oid, 'SELECT'), quote_ident(current_user),
           array_agg(a.attname::text ORDER BY a.attnum),
           array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum),
           array_agg(item.typtype = 'e' OR item.typcategory = 'S' OR item.oid = ANY (ARRAY[
               'bool', 'int2', 'int4', 'int8', 'numeric', 'float4', 'float8', 'date', 'timestamp',
               'timestamptz', 'uuid', 'json', 'jsonb']::regtype[]) ORDER BY a.attnum)
      FROM pg_class AS c
      JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      JOIN pg_type AS own ON own.oid = a.atttypid
      JOIN pg_type AS base ON base.oid = coalesce(nullif(own.typbasetype, 0), own.oid)
      JOIN pg_type AS item ON item.oid = CASE WHEN base.typcategory = 'A'
                                              THEN base.typelem ELSE base.oid END
     WHERE c.oid = to_regclass(%(view)s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
     GROUP BY c.oid
"""

# Which of these pages there are, whatever their status and app.
PAGES_THERE: LiteralString = """
    SELECT page_key FROM robbieblocks_pages WHERE page_key = ANY (%(keys)s)
"""

# Rows of a view, all or by key, each as JSON, which is null where it is too long.
COLLECTION_ROWS: LiteralString = """
    SELECT held.key, CASE WHEN octet_length(held.whole) <= %(bytes)s THEN held.whole END,
           octet_length(held.whole)
      FROM (SELECT source.{key}::text AS key, to_jsonb(source)::text AS whole
              FROM {view} AS source
             WHERE %(keys)s::text[] IS NULL OR source.{key}::text = ANY (%(keys)s)
             LIMIT %(most)s) AS held
"""

# Rows of collections with queue rows that an earlier state did not include; without a key, the
# collection as a whole.
COLLECTED: LiteralString = """
    SELECT DISTINCT coalesce(after, before) ->> 'collection', coalesce(after, before) ->> 'row_key'
      FROM robbieblocks_change_triggers
     WHERE entity_type = 'collection'
       AND change_xid >= pg_snapshot_xmin(%(seen)s::pg_snapshot)
       AND change_xid < pg_snapshot_xmax(pg_current_snapshot())
       AND NOT pg_visible_in_snapshot(change_xid, %(seen)s::pg_snapshot)
     LIMIT %(most)s
"""

# One transaction, which sees one state throughout and can't write.
ONE_STATE: LiteralString = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"

# The same, and a policy (row-level security) that would hide rows is an error: pages that nobody
# sees any more would be removed.
ALL_OF_ONE_STATE: LiteralString = ONE_STATE + "; " + ALL_ROWS

# What another session needs to see what the transaction sees. It waits meanwhile, and is not to be
# ended for that.
SHOWN: LiteralString = """
    SELECT pg_export_snapshot(), current_setting('role'), current_setting('search_path'),
           set_config('idle_in_transaction_session_timeout', '0', true)
"""

# Sees what another transaction sees, and can't write.
SAME_STATE: LiteralString = ONE_STATE + "; SET TRANSACTION SNAPSHOT {}"

# A view may wait for anything; and JSON has times as the session's zone shows them. The process
# of the session is named by itself: a pooler names another one.
ALIKE: LiteralString = """
    SELECT pg_backend_pid(), set_config('role', %(role)s, true),
           set_config('search_path', %(search_path)s, true),
           set_config('TimeZone', 'UTC', true), set_config('statement_timeout', '20s', true)
"""

# End a session of the same role.
END_SESSION: LiteralString = "SELECT pg_terminate_backend(%s)"

# Answered after a moment, where the session is not about to end.
IS_THERE: LiteralString = "SELECT pg_sleep(0.5)"
