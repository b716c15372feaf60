-- The account of workers: it may publish, and nothing else. psql runs this as the owner of the tables, after
-- roles.sql and any number of times; the variable WORKER_PASSWORD has the password.
\getenv password WORKER_PASSWORD
SELECT 'CREATE ROLE robbieblocks_site LOGIN'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'robbieblocks_site') \gexec
ALTER ROLE robbieblocks_site LOGIN PASSWORD :'password';
GRANT robbieblocks_worker TO robbieblocks_site;
