-- For each table of a database a query that tells its name, its number of rows, and a sum over the
-- values in the columns that it has now. `test-schema-init.sh` runs them before an upgrade and
-- afterwards: where the answers are equal, every row is there with the values that it had.
--
-- A time's zone does not count (an upgrade takes a time without one as UTC), nor does -infinity,
-- which stands in the audit log for an entry that had no time.

SELECT format($query$SELECT %L, count(*), coalesce(sum(hashtextextended((
           SELECT string_agg(key || '=' || regexp_replace(nullif(value, '-infinity'),
                                                          '\+00:00$', ''), ',' ORDER BY key)
             FROM jsonb_each_text(to_jsonb(t)) WHERE key = ANY (%L)), 0)), 0)
  FROM %s t;$query$, c.relname, array_agg(a.attname), c.oid::regclass)
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND c.relkind IN ('r', 'p') AND NOT c.relispartition
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
 GROUP BY c.oid, c.relname
 ORDER BY c.relname;
