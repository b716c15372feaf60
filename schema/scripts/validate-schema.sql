-- What is wrong with the schema that holds the tables: one row a finding, none where all is well.
--
-- The columns are the check's name, the object, and what mends it. It changes nothing. Tests and
-- `validate-schema.sh` run this text.

WITH ours AS (
    SELECT c.* FROM pg_class c
     WHERE c.relnamespace = quote_ident(current_schema())::regnamespace
       AND NOT EXISTS (SELECT FROM pg_depend d
                        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                          AND d.deptype = 'e')
), tables AS (
    SELECT * FROM ours WHERE relkind IN ('r', 'p') AND NOT relispartition
)
SELECT 'no table' AS found, coalesce(current_schema(), 'search_path') AS object,
       'name the database and the search_path of the tables, or apply init-unified-schema.sql'
           AS remedy
 WHERE NOT EXISTS (SELECT FROM tables)
UNION ALL
SELECT 'foreign key without an index', k.conrelid::regclass || '.' || k.conname,
       'CREATE INDEX on its columns'
  FROM tables t JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype = 'f'
 WHERE NOT EXISTS (SELECT FROM pg_index i
                    WHERE i.indrelid = t.oid AND i.indpred IS NULL AND i.indisvalid
                      AND i.indkey[0] = k.conkey[1])
UNION ALL
SELECT 'constraint that rows from before may break', k.conrelid::regclass || '.' || k.conname,
       -- Without a town the owner sees no rows of towns, and unseen they count as good.
       format('mend the rows, then SET app.town = ''*''; ALTER TABLE %s VALIDATE CONSTRAINT %I',
              k.conrelid::regclass, k.conname)
  FROM tables t JOIN pg_constraint k ON k.conrelid = t.oid AND NOT k.convalidated
UNION ALL
SELECT 'town column without forced row level security', a.attrelid::regclass || '.' || a.attname,
       'schema_protect_town()'
  FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND NOT a.attisdropped
 WHERE a.attname IN ('town_id', 'source_town')
   AND NOT (t.relrowsecurity AND t.relforcerowsecurity
            AND EXISTS (SELECT FROM pg_policy WHERE polrelid = t.oid))
UNION ALL
SELECT 'right that row level security does not bind', t.oid::regclass || ' to '
       || CASE WHEN held.grantee = 0 THEN 'PUBLIC' ELSE held.grantee::regrole::text END,
       format('REVOKE %s ON ... FROM ...', string_agg(held.privilege_type, ', '))
  FROM tables t CROSS JOIN aclexplode(t.relacl) held
 WHERE t.relrowsecurity AND held.grantee <> t.relowner
   AND held.privilege_type IN ('TRUNCATE', 'TRIGGER')
 GROUP BY t.oid, held.grantee
UNION ALL
SELECT 'view that reads with its owner''s rights', v.oid::regclass::text,
       'ALTER VIEW ... SET (security_invoker = true)'
  FROM ours v
 WHERE v.relkind IN ('v', 'm')
   AND (v.relkind = 'm' OR 'security_invoker=true' <> ALL (coalesce(v.reloptions, '{}')))
   AND EXISTS (SELECT FROM pg_rewrite r
                 JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                                 AND d.refclassid = 'pg_class'::regclass
                 JOIN ours base ON base.oid = d.refobjid AND base.relrowsecurity
                WHERE r.ev_class = v.oid)
UNION ALL
SELECT 'function without a search_path', p.oid::regprocedure::text,
       'ALTER FUNCTION ... SET search_path'
  FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
 WHERE p.pronamespace = quote_ident(current_schema())::regnamespace
   -- Those of file 21 that run with the caller's rights qualify what they name.
   AND (p.prosecdef OR l.lanname = 'plpgsql' AND p.proname NOT LIKE 'robbieblocks\_%')
   AND p.proname <> 'schema_view'  -- it makes views under the path of the file that calls it
   AND NOT EXISTS (SELECT FROM unnest(p.proconfig) AS setting WHERE setting LIKE 'search\_path=%')
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
UNION ALL
SELECT 'trigger function with its owner''s rights that anybody may put on a table',
       p.oid::regprocedure::text, 'REVOKE ALL ON FUNCTION ... FROM PUBLIC'
  FROM pg_proc p
 WHERE p.pronamespace = quote_ident(current_schema())::regnamespace
   AND p.prosecdef AND p.prorettype = 'trigger'::regtype
   AND has_function_privilege('public', p.oid, 'EXECUTE')
UNION ALL
SELECT 'time without a zone', a.attrelid::regclass || '.' || a.attname,
       format('ALTER TABLE %s ALTER COLUMN %I TYPE timestamptz', a.attrelid::regclass, a.attname)
  FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND NOT a.attisdropped
 WHERE a.atttypid = 'timestamp'::regtype
UNION ALL
SELECT 'table without a comment', t.oid::regclass::text, 'COMMENT ON TABLE'
  FROM tables t WHERE obj_description(t.oid, 'pg_class') IS NULL
UNION ALL
SELECT 'table without a primary key', t.oid::regclass::text, 'ALTER TABLE ... ADD PRIMARY KEY'
  FROM tables t
 WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = t.oid AND contype = 'p')
UNION ALL
SELECT 'index that is not valid', i.indexrelid::regclass::text, 'REINDEX INDEX'
  FROM ours JOIN pg_index i ON i.indexrelid = ours.oid AND NOT i.indisvalid
UNION ALL
SELECT 'sequence more than half used', s.schemaname || '.' || s.sequencename,
       'ALTER ... TYPE bigint'
  FROM pg_sequences s
 WHERE s.schemaname = current_schema() AND s.last_value > s.max_value / 2
 ORDER BY 1, 2;
