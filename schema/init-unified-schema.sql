-- The master script: every file of unified-schema/, in order. From any folder:
--
--     psql -d robbieverse -f schema/init-unified-schema.sql

\set ON_ERROR_STOP on
\set QUIET on

\ir unified-schema/21-robbieblocks-cms.sql
