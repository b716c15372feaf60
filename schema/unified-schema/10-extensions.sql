-- Which extensions of PostgreSQL the schema can use, whether they are there, and what mends it.
--
-- It installs none: file 03 does so with vector, where it may; the rest is an administrator's to do.
-- Those of the earlier version that no file uses any more are listed while they are installed.
--
-- Needs 01-core.sql. PostgreSQL 15 to 18, no extension, no superuser; any number of times.

BEGIN ISOLATION LEVEL READ COMMITTED;

SET LOCAL client_min_messages = warning;

DO $$
BEGIN
    IF to_regprocedure('schema_begin(text,text[])') IS NULL THEN
        RAISE EXCEPTION '10-extensions.sql needs the table users of 01-core.sql'
              USING HINT = 'Apply 01-core.sql first, or all files: schema/init-unified-schema.sql.';
    END IF;
    PERFORM set_config('search_path', schema_begin('10-extensions.sql', 'users'), true);
END
$$;

DO $$
BEGIN
    PERFORM schema_view('extension_status', $view$
        WITH named (name, used_for) AS (
            VALUES ('vector', 'file 03, and embeddings in other files'),
                   ('pg_stat_statements', 'slow statements in analyze-performance.sh'),
                   ('uuid-ossp', NULL), ('pgcrypto', NULL), ('pg_cron', NULL)
        ), found AS (
            SELECT named.name, named.used_for, e.extversion AS installed,
                   a.default_version AS available
              FROM named
              LEFT JOIN pg_extension e ON e.extname = named.name
              LEFT JOIN pg_available_extensions a ON a.name = named.name
             WHERE named.used_for IS NOT NULL OR e.oid IS NOT NULL
        )
        SELECT name, used_for, installed, available,
               CASE WHEN used_for IS NULL THEN format('DROP EXTENSION %I', name)
                    WHEN installed IS NULL AND available IS NULL
                    THEN 'install its package on the server'
                    WHEN installed IS NULL THEN format('CREATE EXTENSION %I', name)
                    WHEN installed <> available THEN format('ALTER EXTENSION %I UPDATE', name)
               END AS remedy
          FROM found
         ORDER BY used_for IS NULL, name
    $view$);
END
$$;

COMMENT ON VIEW extension_status IS 'Extensions that the schema can use, and those that it no longer does.';
COMMENT ON COLUMN extension_status.used_for IS 'What lacks without it; NULL: nothing any more.';
COMMENT ON COLUMN extension_status.installed IS 'The version in this database; NULL: none.';
COMMENT ON COLUMN extension_status.available IS 'The version that the server has; NULL: none.';
COMMENT ON COLUMN extension_status.remedy IS 'What an administrator would do; NULL: nothing. Before a DROP: whether tables of others use it.';

COMMIT;
