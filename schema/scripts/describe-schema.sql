-- What a database holds of its own, beside rows: one row a thing, in order. Two of these listings
-- are equal where the databases are. `test-schema-init.sh` compares a schema with itself so.

WITH home AS (
    SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
), relation AS (
    SELECT c.*, c.oid::regclass::text AS name
      FROM pg_class c
     WHERE c.relnamespace IN (SELECT oid FROM home) AND c.relkind IN ('r', 'p', 'v', 'm')
       AND NOT EXISTS (SELECT FROM pg_depend d
                        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                          AND d.deptype = 'e')
), routine AS (
    SELECT p.*, p.oid::regprocedure::text AS name
      FROM pg_proc p
     WHERE p.pronamespace IN (SELECT oid FROM home)
       AND NOT EXISTS (SELECT FROM pg_depend d
                        WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                          AND d.deptype = 'e')
), thing (kind, name, definition) AS (
    SELECT 'relation', name, concat_ws(' ', relkind, relrowsecurity, relforcerowsecurity,
                                       reloptions, relacl)
      FROM relation
    UNION ALL
    SELECT 'view', name, pg_get_viewdef(oid) FROM relation WHERE relkind IN ('v', 'm')
    UNION ALL
    SELECT 'column', r.name || '.' || a.attname,
           concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
                     a.attgenerated, pg_get_expr(d.adbin, d.adrelid))
      FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0
      LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
     WHERE NOT a.attisdropped
    UNION ALL
    SELECT 'constraint', r.name || '.' || k.conname, pg_get_constraintdef(k.oid)
      FROM relation r JOIN pg_constraint k ON k.conrelid = r.oid
    UNION ALL
    SELECT 'index', i.indexrelid::regclass::text,
           concat_ws(' ', pg_get_indexdef(i.indexrelid), i.indisvalid)
      FROM relation r JOIN pg_index i ON i.indrelid = r.oid
    UNION ALL
    SELECT 'trigger', r.name || '.' || t.tgname, concat_ws(' ', pg_get_triggerdef(t.oid), t.tgenabled)
      FROM relation r JOIN pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal
    UNION ALL
    SELECT 'policy', r.name || '.' || p.polname,
           concat_ws(' ', p.polcmd, p.polpermissive, p.polroles, pg_get_expr(p.polqual, p.polrelid),
                     pg_get_expr(p.polwithcheck, p.polrelid))
      FROM relation r JOIN pg_policy p ON p.polrelid = r.oid
    UNION ALL
    SELECT 'function', name, concat_ws(' ', prosecdef, provolatile, proconfig, proacl,
                                       pg_get_function_result(oid), md5(prosrc))
      FROM routine
    UNION ALL
    SELECT 'comment', r.name || coalesce('.' || a.attname, ''), d.description
      FROM relation r
      JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = r.oid
      LEFT JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = d.objsubid AND d.objsubid > 0
    UNION ALL
    SELECT 'comment', f.name, obj_description(f.oid, 'pg_proc')
      FROM routine f
)
SELECT kind, name, definition FROM thing ORDER BY kind, name, definition;
