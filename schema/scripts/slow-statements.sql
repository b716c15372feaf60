-- The statements that took the most time, in the columns of analyze-performance.sql; its comments
-- apply here, too. The schema of pg_stat_statements must be in the search_path.

SELECT 12, s.total_exec_time::numeric, 'slow statement', coalesce(s.queryid::text, 'hidden'),
       format('%s calls took %s s, %s ms each: %s', s.calls, round(s.total_exec_time::numeric / 1000, 1),
              round(s.mean_exec_time::numeric, 1), regexp_replace(left(s.query, 200), '\s+', ' ', 'g')),
       CASE WHEN s.query = '<insufficient privilege>'
            THEN format('GRANT pg_read_all_stats TO %I shows its text', current_user)
            ELSE 'EXPLAIN (ANALYZE, BUFFERS) says where the time goes' END,
       jsonb_build_object('calls', s.calls, 'total_ms', s.total_exec_time, 'mean_ms', s.mean_exec_time,
                          'rows', s.rows, 'query', left(s.query, 10000))
  FROM (SELECT * FROM pg_stat_statements
         WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND toplevel AND mean_exec_time >= 20
         ORDER BY total_exec_time DESC LIMIT 10) AS s
