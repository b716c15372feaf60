-- Roles with the least rights: for those who edit, for workers, and for those who look.
--
--     psql -v ON_ERROR_STOP=1 -f schema/roles.sql
--     psql -c 'GRANT robbieblocks_worker TO the_account_of_your_worker'
--
-- Run it as the owner of the tables, with CREATEROLE where the roles are not there yet, and again
-- after `robbieblocks db upgrade`. It may be run any number of times. Only the owner of the tables
-- can upgrade them.
--
--     robbieblocks_reviewer   reads: status, build --dry-run, db verify
--     robbieblocks_worker     reads, records runs, acknowledges changes: worker, build
--     robbieblocks_editor     reads, and writes content: what people and their tools edit
--
-- What editors write reaches the queue by triggers that run with the owner's rights.

BEGIN;

DO $$
DECLARE
    it record;
BEGIN
    IF to_regclass('robbieblocks_pages') IS NULL THEN
        RAISE EXCEPTION 'there are no RobbieBlocks tables in the search_path'
              USING HINT = 'Run `robbieblocks db init` first.';
    END IF;
    FOR it IN
        SELECT role FROM unnest(ARRAY['robbieblocks_reviewer', 'robbieblocks_worker',
                                      'robbieblocks_editor']) AS wanted (role)
         WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.role)
    LOOP
        EXECUTE format('CREATE ROLE %I NOLOGIN', it.role);
    END LOOP;

    FOR it IN
        SELECT c.oid::regclass AS name, n.nspname
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.oid = (SELECT relnamespace FROM pg_class
                         WHERE oid = to_regclass('robbieblocks_pages'))
           AND c.relkind IN ('r', 'p', 'v')
           AND (c.relname LIKE 'robbieblocks\_%' OR c.relname = 'media_assets')
    LOOP
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO robbieblocks_reviewer, robbieblocks_worker, '
                       'robbieblocks_editor', it.nspname);
        EXECUTE format('GRANT SELECT ON %s TO robbieblocks_reviewer, robbieblocks_worker, '
                       'robbieblocks_editor', it.name);
    END LOOP;

    -- File 22 may not be there.
    IF to_regclass('media_assets') IS NOT NULL THEN
        GRANT INSERT, UPDATE, DELETE ON media_assets TO robbieblocks_editor;
        GRANT EXECUTE ON FUNCTION media_assets_measure, media_assets_side TO robbieblocks_editor;
    END IF;
    -- What was replaced or deleted comes back by an undo, and goes with the journal.
    IF to_regclass('earlier_media') IS NOT NULL THEN
        GRANT SELECT ON earlier_media TO robbieblocks_editor;
        GRANT EXECUTE ON FUNCTION earlier_media_forget TO robbieblocks_worker;
    END IF;

    -- File 24 may not be there. What visitors sent is for the receiver alone.
    IF to_regclass('form_submissions') IS NOT NULL THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON form_submissions TO robbieblocks_worker;
    END IF;
END
$$;

-- Where PUBLIC may execute nothing, functions need grants, too: they run with the caller's rights.
GRANT EXECUTE ON FUNCTION get_page_config(varchar), get_node_styles(varchar)
   TO robbieblocks_reviewer, robbieblocks_worker, robbieblocks_editor;

GRANT INSERT, UPDATE, DELETE
   ON robbieblocks_pages, robbieblocks_components, robbieblocks_page_blocks,
      robbieblocks_style_tokens, robbieblocks_node_branding
   TO robbieblocks_editor;

-- An index runs robbieblocks_imports with each change of a component.
GRANT EXECUTE
   ON FUNCTION robbieblocks_imports, robbieblocks_suggestion, robbieblocks_lock_page,
      robbieblocks_find_block, robbieblocks_move_settings, robbieblocks_reorder,
      robbieblocks_make_room, robbieblocks_insert_block, robbieblocks_move_block,
      robbieblocks_duplicate_block, robbieblocks_remove_block, robbieblocks_publish_page,
      robbieblocks_archive_page, robbieblocks_copy_page
   TO robbieblocks_editor;

-- A worker writes and closes the rows of its runs, notes which changes it has handled, and removes
-- what is old.
GRANT INSERT, UPDATE, DELETE ON robbieblocks_deploys TO robbieblocks_worker;
GRANT UPDATE, DELETE ON robbieblocks_change_triggers TO robbieblocks_worker;
GRANT EXECUTE ON FUNCTION robbieblocks_settle TO robbieblocks_worker;

COMMIT;
