-- What may make a database slow: one row a finding, and one, `database`, with figures of the whole.
--
-- The columns are place (the order of the checks), check, object, what, remedy, and measures: a
-- JSON object with the numbers. It reads Postgres' statistics alone, and changes nothing. Sizes are
-- those of the last VACUUM or ANALYZE: to ask for today's would wait for a lock on each table. What
-- each check means, and its limits: docs/maintenance.md.
--
-- There is no semicolon at the end: `analyze-performance.sh` and `robbieblocks db analyze` put this
-- text inside another query, with slow-statements.sql where pg_stat_statements is to be had.

SELECT found.* FROM (
WITH server AS (
    SELECT current_setting('block_size')::numeric AS block,
           -- What a page has for rows, after its header.
           current_setting('block_size')::numeric - 24 AS room,
           coalesce((SELECT stats_reset FROM pg_stat_database WHERE datname = current_database())
                    ::date::text, 'they began') AS since
), relation AS (
    SELECT c.oid, c.oid::regclass::text AS name, n.nspname, c.relname, c.relkind, c.relnatts,
           c.relfrozenxid, c.relminmxid, greatest(c.reltuples, 0)::numeric AS entries,
           c.relpages * server.block AS bytes, s.seq_scan, s.seq_tup_read, s.idx_scan, s.n_live_tup,
           s.n_dead_tup, s.n_mod_since_analyze, s.n_tup_ins + s.n_tup_upd + s.n_tup_del AS writes,
           greatest(s.last_vacuum, s.last_autovacuum) AS vacuumed,
           greatest(s.last_analyze, s.last_autoanalyze) AS analyzed,
           -- The table's own settings, else the server's.
           coalesce(o.own ->> 'autovacuum_enabled', 'on')::boolean
           AND current_setting('autovacuum')::boolean AS has_autovacuum,
           coalesce(o.own ->> 'fillfactor', '100')::numeric / 100 AS filled,
           coalesce(o.own ->> 'autovacuum_vacuum_threshold',
                    current_setting('autovacuum_vacuum_threshold'))::numeric
           + coalesce(o.own ->> 'autovacuum_vacuum_scale_factor',
                      current_setting('autovacuum_vacuum_scale_factor'))::numeric
             * greatest(c.reltuples, 0)::numeric AS dead_allowed,
           coalesce(o.own ->> 'autovacuum_analyze_threshold',
                    current_setting('autovacuum_analyze_threshold'))::numeric
           + coalesce(o.own ->> 'autovacuum_analyze_scale_factor',
                      current_setting('autovacuum_analyze_scale_factor'))::numeric
             * greatest(c.reltuples, 0)::numeric AS changes_allowed,
           least(coalesce(o.own ->> 'autovacuum_freeze_max_age',
                          current_setting('autovacuum_freeze_max_age'))::numeric,
                 current_setting('autovacuum_freeze_max_age')::numeric) AS freeze_age_max
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_stat_user_tables s ON s.relid = c.oid
     CROSS JOIN server
     CROSS JOIN LATERAL (SELECT coalesce(jsonb_object_agg(option_name, option_value), '{}') AS own
                           FROM pg_options_to_table(c.reloptions)) AS o
     WHERE n.nspname !~ '^pg_'
), width AS (
    -- The mean length of a row; NULL where a column's statistics are not to be seen.
    SELECT r.oid,
           CASE WHEN count(s.attname) = count(*) THEN
               ceil((23 + CASE WHEN max(s.null_frac) > 0 THEN ceil(r.relnatts / 8.0) ELSE 0 END) / 8)
               * 8 + ceil(sum((1 - s.null_frac) * s.avg_width)::numeric / 8) * 8
           END AS bytes
      FROM relation r
      JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
      LEFT JOIN pg_stats s ON s.schemaname = r.nspname AND s.tablename = r.relname
                          AND s.attname = a.attname AND NOT s.inherited
     WHERE r.relkind IN ('r', 'm')
     GROUP BY r.oid, r.relnatts
), table_size AS (
    SELECT r.*, w.bytes AS row_bytes,
           ceil(r.entries / greatest(floor(server.room * r.filled / (w.bytes + 4)), 1))
           * server.block AS bytes_expected
      FROM relation r JOIN width w USING (oid) CROSS JOIN server
), index AS (
    SELECT i.*, c.oid::regclass::text AS name, r.name AS table_name, r.nspname, r.relname, r.writes,
           c.relname AS own_name, c.relispartition, am.amname, greatest(c.reltuples, 0)::numeric AS entries,
           c.relpages * server.block AS bytes, s.idx_scan AS scans,
           coalesce((SELECT option_value::numeric FROM pg_options_to_table(c.reloptions)
                      WHERE option_name = 'fillfactor'), 90) / 100 AS filled,
           EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid AND k.contype <> 'f')
               AS is_constraint
      FROM relation r
      JOIN pg_index i ON i.indrelid = r.oid
      JOIN pg_class c ON c.oid = i.indexrelid
      JOIN pg_am am ON am.oid = c.relam
     CROSS JOIN server
      LEFT JOIN pg_stat_user_indexes s ON s.indexrelid = c.oid
), index_size AS (
    -- A B-tree's leaf pages: 8 bytes before each entry, 4 that point to it, 16 at a page's end.
    SELECT i.*,
           (ceil(i.entries * (8 + ceil(k.bytes / 8) * 8 + 4)
                 / ((server.room - 16) * i.filled)) + 1) * server.block AS bytes_expected
      FROM index i
     CROSS JOIN server
     CROSS JOIN LATERAL (
        SELECT CASE WHEN bool_and(a.attlen > 0 OR s.avg_width IS NOT NULL)
                    THEN sum(CASE WHEN a.attlen > 0 THEN a.attlen
                                  ELSE (1 - s.null_frac) * s.avg_width END)::numeric END AS bytes
          FROM pg_attribute a
          LEFT JOIN pg_attribute of_table
                 ON of_table.attrelid = i.indrelid AND of_table.attnum = i.indkey[a.attnum - 1]
          LEFT JOIN pg_stats s
                 ON s.schemaname = i.nspname AND NOT s.inherited
                AND s.tablename = CASE WHEN of_table.attnum IS NULL THEN i.own_name ELSE i.relname END
                AND s.attname = coalesce(of_table.attname, a.attname)
         WHERE a.attrelid = i.indexrelid AND a.attnum > 0) AS k
     WHERE i.amname = 'btree' AND i.indisvalid
), reference AS (
    SELECT k.conrelid, k.confrelid, k.conkey, k.conname, r.name AS table_name, r.entries,
           (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY u.place)
              FROM unnest(k.conkey) WITH ORDINALITY AS u (number, place)
              JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number) AS columns
      FROM relation r JOIN pg_constraint k ON k.conrelid = r.oid AND k.contype = 'f'
     WHERE k.conparentid = 0
), cache AS (
    SELECT sum(heap_blks_hit) AS table_hits, sum(heap_blks_read) AS table_reads,
           sum(idx_blks_hit) AS index_hits, sum(idx_blks_read) AS index_reads
      FROM pg_statio_user_tables
), ratio AS (
    SELECT cache.*,
           round(table_hits / nullif(table_hits + table_reads, 0), 4) AS of_tables,
           round(index_hits / nullif(index_hits + index_reads, 0), 4) AS of_indexes
      FROM cache
), age AS (
    SELECT r.name, age(r.relfrozenxid) AS transactions, r.freeze_age_max,
           mxid_age(r.relminmxid) AS multixacts,
           current_setting('autovacuum_multixact_freeze_max_age')::numeric AS multixact_age_max,
           greatest(age(r.relfrozenxid) / r.freeze_age_max,
                    mxid_age(r.relminmxid)
                    / current_setting('autovacuum_multixact_freeze_max_age')::numeric) AS share
      FROM relation r WHERE r.relkind IN ('r', 'm')
)
SELECT 0 AS place, 0::numeric AS size, 'database' AS check, current_database()::text AS object,
       format('%s; statistics since %s; cache hit ratio of tables %s, of indexes %s; oldest '
              'table at %s %% of its freeze age; bloat estimated of %s of %s tables above 1 MB',
              pg_size_pretty(pg_database_size(current_database())), server.since,
              coalesce(of_tables::text, 'unknown'), coalesce(of_indexes::text, 'unknown'),
              round(coalesce((SELECT max(share) FROM age), 0) * 100, 1), t.estimated, t.number) AS what,
       CASE WHEN t.estimated < t.number
            THEN 'ANALYZE as the owner; tables whose row level security is forced show their '
                 'statistics to a superuser and to roles with BYPASSRLS alone' ELSE '' END AS remedy,
       jsonb_build_object(
           'server_version', current_setting('server_version'),
           'bytes', pg_database_size(current_database()),
           'statistics_since', (SELECT stats_reset FROM pg_stat_database
                                 WHERE datname = current_database()),
           'table_hit_ratio', of_tables, 'index_hit_ratio', of_indexes,
           'freeze_age_share', round(coalesce((SELECT max(share) FROM age), 0), 4),
           'large_tables', t.number, 'large_tables_estimated', t.estimated) AS measures
  FROM server, ratio,
       (SELECT count(*) AS number, count(row_bytes) AS estimated
          FROM table_size WHERE bytes >= 1024 * 1024) AS t
UNION ALL
SELECT 1, seq_tup_read, 'missing index', name,
       format('%s sequential scans read %s rows each, of %s', seq_scan, seq_tup_read / nullif(seq_scan, 0),
              n_live_tup),
       'see by EXPLAIN which query scans it, and index the columns that its WHERE compares',
       jsonb_build_object('sequential_scans', seq_scan, 'rows_read', seq_tup_read,
                          'index_scans', idx_scan, 'rows', n_live_tup, 'bytes', bytes)
  FROM relation
 WHERE seq_scan >= 50 AND seq_tup_read / nullif(seq_scan, 0) >= 10000
   AND seq_scan > 0.05 * (seq_scan + coalesce(idx_scan, 0))
UNION ALL
SELECT 2, entries, 'foreign key without an index', table_name || '.' || conname,
       'a change of a row that it refers to reads the whole table',
       format('CREATE INDEX CONCURRENTLY ON %s (%s)', table_name, columns),
       jsonb_build_object('columns', columns, 'rows', entries)
  FROM reference f
 WHERE NOT EXISTS (SELECT FROM index i
                    WHERE i.indrelid = f.conrelid AND i.indpred IS NULL AND i.indisvalid
                      AND (i.indkey::smallint[])[0:cardinality(f.conkey) - 1] @> f.conkey)
UNION ALL
SELECT 3, i.bytes, 'unused index', i.name,
       format('%s, not used in the statistics since %s; %s writes had to keep it',
              pg_size_pretty(i.bytes), server.since, i.writes),
       format('DROP INDEX CONCURRENTLY %s, where no replica and no rare task uses it', i.name),
       jsonb_build_object('table', i.table_name, 'bytes', i.bytes, 'writes', i.writes)
  FROM index i CROSS JOIN server
 WHERE i.scans = 0 AND i.bytes >= 1024 * 1024 AND i.indisvalid AND NOT i.relispartition
   AND NOT i.indisunique AND NOT i.is_constraint
   -- One that a foreign key needs is used when rows that it refers to change, which may be seldom.
   AND NOT EXISTS (SELECT FROM reference f
                    WHERE f.conrelid = i.indrelid AND f.conkey[1] = i.indkey[0])
UNION ALL
SELECT 4, i.bytes, 'duplicate index', i.name,
       format('%s, the same as %s', pg_size_pretty(i.bytes), other.name),
       format('DROP INDEX CONCURRENTLY %s', i.name),
       jsonb_build_object('table', i.table_name, 'bytes', i.bytes, 'same_as', other.name)
  FROM index i
  JOIN index other
    ON other.indrelid = i.indrelid AND other.indkey = i.indkey AND other.indclass = i.indclass
   AND other.indcollation = i.indcollation AND other.indoption = i.indoption
   AND other.indisvalid AND other.indisunique >= i.indisunique
   AND other.indexprs::text IS NOT DISTINCT FROM i.indexprs::text
   AND other.indpred::text IS NOT DISTINCT FROM i.indpred::text
   -- Of two that are alike, a constraint's is kept, else the older one.
   AND (NOT other.is_constraint, NOT other.indisunique, other.indexrelid)
     < (NOT i.is_constraint, NOT i.indisunique, i.indexrelid)
 WHERE NOT i.is_constraint AND NOT i.relispartition
UNION ALL
SELECT 5, bytes - bytes_expected, 'bloated table', name,
       format('about %s of %s are free', pg_size_pretty(bytes - bytes_expected),
              pg_size_pretty(bytes)),
       'new rows use what is free; VACUUM FULL or pg_repack shrink it: the first locks it meanwhile',
       jsonb_build_object('bytes', bytes, 'bytes_expected', bytes_expected, 'rows', entries)
  FROM table_size
 WHERE bytes - bytes_expected >= 1024 * 1024 AND bytes_expected < bytes * 0.6
UNION ALL
SELECT 6, bytes - bytes_expected, 'bloated index', name,
       format('about %s of %s are free', pg_size_pretty(bytes - bytes_expected),
              pg_size_pretty(bytes)),
       format('REINDEX INDEX CONCURRENTLY %s', name),
       jsonb_build_object('schema', nspname, 'name', own_name, 'table', table_name, 'bytes', bytes,
                          'bytes_expected', bytes_expected, 'rows', entries)
  FROM index_size
 WHERE bytes - bytes_expected >= 1024 * 1024 AND bytes_expected < bytes * 0.6
UNION ALL
SELECT 7, n_dead_tup, 'autovacuum behind', name,
       format('%s dead rows, where it should act on %s; last vacuumed %s%s', n_dead_tup,
              round(dead_allowed), coalesce(to_char(vacuumed, 'YYYY-MM-DD HH24:MI'), 'never'),
              CASE WHEN has_autovacuum THEN '' ELSE '; autovacuum is off' END),
       format('VACUUM ANALYZE %s%s', name,
              CASE WHEN has_autovacuum
                   THEN '; see that no transaction stays open, and autovacuum_vacuum_cost_limit'
                   ELSE '; let autovacuum run' END),
       jsonb_build_object('dead_rows', n_dead_tup, 'rows', n_live_tup, 'allowed', round(dead_allowed),
                          'vacuumed_at', vacuumed, 'autovacuum', has_autovacuum)
  FROM relation
 WHERE n_dead_tup >= 2 * dead_allowed AND relkind IN ('r', 'm')
UNION ALL
SELECT 8, n_mod_since_analyze, 'statistics out of date', name,
       format('%s rows changed since %s; autovacuum should act on %s', n_mod_since_analyze,
              coalesce(to_char(analyzed, 'YYYY-MM-DD HH24:MI'), 'it was made'),
              round(changes_allowed)),
       format('ANALYZE %s', name),
       jsonb_build_object('changes', n_mod_since_analyze, 'rows', n_live_tup,
                          'allowed', round(changes_allowed), 'analyzed_at', analyzed)
  FROM relation
 WHERE n_mod_since_analyze >= 2 * changes_allowed AND relkind IN ('r', 'm')
UNION ALL
SELECT 9, share * 1000, 'near freeze age', name,
       format('%s %% of the age at which it must be frozen', round(share * 100)),
       format('VACUUM (FREEZE) %s', name),
       jsonb_build_object('transactions', transactions, 'transactions_max', freeze_age_max,
                          'multixacts', multixacts, 'multixacts_max', multixact_age_max)
  FROM age WHERE share >= 0.9
UNION ALL
SELECT 10, 0, 'low cache hit ratio', current_database(),
       format('tables %s, indexes %s', of_tables, of_indexes),
       'raise shared_buffers, or see by the statements below what reads so much',
       jsonb_build_object('table_hits', table_hits, 'table_reads', table_reads,
                          'index_hits', index_hits, 'index_reads', index_reads)
  FROM ratio
 WHERE least(of_tables, of_indexes) < 0.95 AND table_reads + index_reads >= 100000
UNION ALL
SELECT 11, 0, 'statements unknown', 'pg_stat_statements',
       CASE WHEN current_setting('pg_stat_statements.max', true) IS NULL
            THEN 'the server has not loaded it' ELSE 'this database lacks the extension' END,
       CASE WHEN current_setting('pg_stat_statements.max', true) IS NULL
            THEN 'shared_preload_libraries = ''pg_stat_statements'', a restart, and then ' ELSE '' END
       || 'CREATE EXTENSION pg_stat_statements',
       '{}'
 WHERE current_setting('pg_stat_statements.max', true) IS NULL
    OR NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_stat_statements')
) AS found
