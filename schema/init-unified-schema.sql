-- The master script: every file of unified-schema/, in order. From any folder:
--
--     psql -d robbieverse -f schema/init-unified-schema.sql
--
-- On a server that can't have the extension vector it stops at file 03, and goes on without that file
-- with  -v without_vectors=1
--
-- Each file is a transaction of its own: where one fails, those before it stay, and the script ends
-- with psql's code 3. It may be run any number of times.

\set ON_ERROR_STOP on
\set QUIET on
\pset pager off
\pset tuples_only on
\pset format unaligned
\pset fieldsep ' '

\echo Initializing the unified schema
\echo '  01-core.sql'
\ir unified-schema/01-core.sql
\echo '  02-conversations.sql'
\ir unified-schema/02-conversations.sql
\if :{?without_vectors}
\else
\set without_vectors off
\endif
\if :without_vectors
\echo '  03-vectors-rag.sql is left out: no search by meaning'
\else
\echo '  03-vectors-rag.sql'
\ir unified-schema/03-vectors-rag.sql
\endif
\echo '  04-enhanced-business-tables.sql'
\ir unified-schema/04-enhanced-business-tables.sql
\echo '  05-town-separation.sql'
\ir unified-schema/05-town-separation.sql
\echo '  06-testpilot-simulations.sql'
\ir unified-schema/06-testpilot-simulations.sql
\echo '  07-data-sharing-strategy.sql'
\ir unified-schema/07-data-sharing-strategy.sql
\echo '  08-universal-ai-state.sql'
\ir unified-schema/08-universal-ai-state.sql
\echo '  09-google-workspace-sync.sql'
\ir unified-schema/09-google-workspace-sync.sql
\echo '  10-extensions.sql'
\ir unified-schema/10-extensions.sql
\echo '  11-tenancy.sql'
\ir unified-schema/11-tenancy.sql
\echo '  12-rbac_and_privacy.sql'
\ir unified-schema/12-rbac_and_privacy.sql
\echo '  13-slack.sql'
\ir unified-schema/13-slack.sql
\echo '  14-service_tables.sql'
\ir unified-schema/14-service_tables.sql
\echo '  15-indexes.sql'
\ir unified-schema/15-indexes.sql
\echo '  16-audit_log.sql'
\ir unified-schema/16-audit_log.sql
\echo '  17-crm-entities.sql'
\ir unified-schema/17-crm-entities.sql
\echo '  18-linkedin-integration.sql'
\ir unified-schema/18-linkedin-integration.sql
\echo '  19-interactions-database.sql'
\ir unified-schema/19-interactions-database.sql
\echo '  20-sync-infrastructure.sql'
\ir unified-schema/20-sync-infrastructure.sql
\echo '  21-robbieblocks-cms.sql'
\ir unified-schema/21-robbieblocks-cms.sql
\echo '  22-media.sql'
\ir unified-schema/22-media.sql
\echo '  23-robbieblocks-sync.sql'
\ir unified-schema/23-robbieblocks-sync.sql
\echo '  24-forms.sql'
\ir unified-schema/24-forms.sql

\echo Done
SELECT rpad(kind, 10), count(*)
  FROM (SELECT CASE WHEN c.relkind IN ('r', 'p') THEN 'tables' WHEN c.relkind IN ('v', 'm') THEN 'views'
                    WHEN c.relkind IN ('i', 'I') THEN 'indexes' END
          FROM pg_class c
         WHERE c.relnamespace = quote_ident(current_schema())::regnamespace
           AND NOT c.relispartition
        UNION ALL
        SELECT 'policies' FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
         WHERE c.relnamespace = quote_ident(current_schema())::regnamespace) AS made (kind)
 WHERE kind IS NOT NULL
 GROUP BY kind ORDER BY kind = 'tables' DESC, kind;
