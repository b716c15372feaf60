-- What every other file of the unified schema builds on.
--
--      1  Where things are created
--      2  Functions for schema files: schema_*
--      3  Tables: users, sessions, api_keys, system_config, towns, companies
--      4  Whose session this is: its user and its town
--      5  What an earlier database lacks
--      6  Comments
--
-- PostgreSQL 15 to 18, no extension, no superuser. The file may be run any number of times, over
-- an empty database, over the earlier version of these files and over itself; rows are never lost.
-- It is one transaction, and where two sessions run it at once, the second waits for the first.
-- Conventions: docs/schema.md.
--
--     psql -v ON_ERROR_STOP=1 -f schema/unified-schema/01-core.sql

BEGIN ISOLATION LEVEL READ COMMITTED;

SET LOCAL client_min_messages = warning;

-- 1  Where things are created -------------------------------------------------------------------

DO $$
DECLARE
    home text;
BEGIN
    PERFORM pg_advisory_xact_lock(7249104361285521);
    -- The schema that holds our tables already, else the one in which this session creates things.
    SELECT n.nspname INTO home
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid = coalesce(to_regclass('users'), to_regclass('robbieblocks_pages'));
    home := coalesce(home, current_schema());
    IF home IS NULL THEN
        RAISE EXCEPTION 'no schema to create the tables in'
              USING HINT = 'Set search_path to a schema that exists, or create schema public.';
    END IF;
    PERFORM set_config('search_path', quote_ident(home) || ', pg_temp', true);
END
$$;


-- 2  Functions for schema files -----------------------------------------------------------------
-- They run with the rights of whoever applies a file, and change nothing where all is as it should
-- be.

-- What a file's first statement calls: takes the lock, refuses where a table is missing that the
-- file refers to, and returns the search_path under which the file runs.
CREATE OR REPLACE FUNCTION schema_begin(file text, VARIADIC needs text[]) RETURNS text
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    makers CONSTANT jsonb := '{
        "conversations": "02-conversations.sql", "documents": "03-vectors-rag.sql",
        "deals": "04-enhanced-business-tables.sql",
        "town_users": "05-town-separation.sql", "company_towns": "11-tenancy.sql",
        "roles": "12-rbac_and_privacy.sql", "audit_log": "16-audit_log.sql",
        "crm_contacts": "17-crm-entities.sql"}';
    missing text;
    extensions text;
BEGIN
    PERFORM pg_advisory_xact_lock(7249104361285521);
    SELECT name INTO missing
      FROM unnest(needs) WITH ORDINALITY AS needed (name, place)
     WHERE to_regclass(name) IS NULL
     ORDER BY place LIMIT 1;
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION '% needs the table % of %', file, missing,
              coalesce(makers ->> missing, '01-core.sql')
              USING HINT = format('Apply %s first, or all files: schema/init-unified-schema.sql.',
                                  coalesce(makers ->> missing, '01-core.sql'));
    END IF;
    -- Some servers keep extensions in a schema of their own.
    SELECT string_agg(DISTINCT ', ' || quote_ident(n.nspname), '') INTO extensions
      FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
     WHERE e.extname IN ('vector', 'pg_trgm', 'citext', 'btree_gist')
       AND n.nspname NOT IN (current_schema(), 'pg_catalog');
    RETURN quote_ident(current_schema()) || coalesce(extensions, '') || ', pg_temp';
END
$$;

-- Alters the types of columns, and gives every view that shows them back, with its rights, options,
-- indexes and comment. `actions` is what follows ALTER TABLE <name>.
CREATE OR REPLACE FUNCTION schema_alter_under_views(on_table regclass, actions text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    views jsonb;
    it jsonb;
    statement text;
BEGIN
    WITH RECURSIVE shown (oid, depth) AS (
        SELECT on_table::oid, 0
        UNION
        SELECT r.ev_class, s.depth + 1
          FROM shown s
          JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = s.oid
          JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
         WHERE r.ev_class <> s.oid
    ), deepest AS (
        SELECT oid, max(depth) AS depth FROM shown WHERE depth > 0 GROUP BY oid
    )
    SELECT jsonb_agg(jsonb_build_object(
               'drop', format('DROP %s %s', k.kind, c.oid::regclass),
               'create', jsonb_build_array(
                   format('CREATE %s %s%s AS %s', k.kind, c.oid::regclass,
                          ' WITH (' || array_to_string(c.reloptions, ', ') || ')',
                          rtrim(pg_get_viewdef(c.oid), ';')),
                   format('COMMENT ON %s %s IS %L', k.kind, c.oid::regclass,
                          obj_description(c.oid, 'pg_class')))
               || coalesce((SELECT jsonb_agg(pg_get_indexdef(indexrelid))
                              FROM pg_index WHERE indrelid = c.oid), '[]')
               || coalesce((SELECT jsonb_agg(format(
                                'GRANT %s ON %s TO %s%s', held.privilege_type, c.oid::regclass,
                                CASE WHEN held.grantee = 0 THEN 'PUBLIC'
                                     ELSE held.grantee::regrole::text END,
                                CASE WHEN held.is_grantable
                                     THEN ' WITH GRANT OPTION' ELSE '' END))
                              FROM aclexplode(c.relacl) held
                             WHERE held.grantee <> c.relowner), '[]')) ORDER BY deepest.depth)
      INTO views
      FROM deepest JOIN pg_class c ON c.oid = deepest.oid
           CROSS JOIN LATERAL (SELECT CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW'
                                      ELSE 'VIEW' END) AS k (kind);
    FOR place IN REVERSE coalesce(jsonb_array_length(views), 0) - 1 .. 0 LOOP
        EXECUTE views -> place ->> 'drop';
    END LOOP;
    EXECUTE format('ALTER TABLE %s %s', on_table, actions);
    FOR it IN SELECT value FROM jsonb_array_elements(views) LOOP
        FOR statement IN SELECT value FROM jsonb_array_elements_text(it -> 'create') LOOP
            EXECUTE statement;
        END LOOP;
    END LOOP;
END
$$;

-- Brings tables of the earlier files to these conventions: times with a zone (they were UTC), ids
-- from gen_random_uuid() or an identity, now() for the time of a row.
CREATE OR REPLACE FUNCTION schema_modernise(VARIADIC tables text[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    it record;
    last bigint;
BEGIN
    FOR it IN
        SELECT a.attrelid::regclass AS on_table,
               string_agg(format('ALTER COLUMN %1$I DROP DEFAULT, ALTER COLUMN %1$I TYPE '
                                 'timestamptz USING %1$I AT TIME ZONE ''UTC''', a.attname)
                          || CASE WHEN a.atthasdef
                                  THEN format(', ALTER COLUMN %I SET DEFAULT now()', a.attname)
                                  ELSE '' END, ', ') AS actions
          FROM unnest(tables) AS given (name)
          JOIN pg_attribute a ON a.attrelid = given.name::regclass AND NOT a.attisdropped
         WHERE a.atttypid = 'timestamp'::regtype
         GROUP BY a.attrelid
    LOOP
        PERFORM schema_alter_under_views(it.on_table, it.actions);
    END LOOP;

    FOR it IN
        SELECT a.attrelid::regclass AS on_table, a.attname,
               pg_get_expr(d.adbin, d.adrelid) AS expression,
               pg_get_serial_sequence(a.attrelid::regclass::text, a.attname) AS sequence
          FROM unnest(tables) AS given (name)
          JOIN pg_attribute a ON a.attrelid = given.name::regclass AND NOT a.attisdropped
          JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         WHERE a.attgenerated = ''
    LOOP
        IF it.expression ~ 'uuid_generate_v4\(\)$' THEN
            EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT gen_random_uuid()',
                           it.on_table, it.attname);
        ELSIF it.expression LIKE 'CURRENT_TIMESTAMP%' THEN
            EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT now()',
                           it.on_table, it.attname);
        ELSIF it.expression LIKE 'nextval(%' AND it.sequence IS NOT NULL THEN
            EXECUTE format('SELECT greatest((SELECT max(%I) FROM %s), '
                           '(SELECT last_value FROM %s WHERE is_called))',
                           it.attname, it.on_table, it.sequence) INTO last;
            EXECUTE format('ALTER TABLE %s ALTER COLUMN %I DROP DEFAULT', it.on_table, it.attname);
            EXECUTE format('DROP SEQUENCE %s', it.sequence);
            EXECUTE format('ALTER TABLE %s ALTER COLUMN %I ADD GENERATED BY DEFAULT AS IDENTITY',
                           it.on_table, it.attname);
            IF last IS NOT NULL THEN
                PERFORM setval(pg_get_serial_sequence(it.on_table::text, it.attname), last);
            END IF;
        END IF;
    END LOOP;
END
$$;

-- A column, a column's default, an index. Where it is there, the table is not locked, as the
-- statements with IF NOT EXISTS would: a run over a database in use waits for nobody.
CREATE OR REPLACE FUNCTION schema_column(on_table text, col text, definition text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = on_table::regclass
                                              AND attname = col AND NOT attisdropped) THEN
        EXECUTE format('ALTER TABLE %I ADD COLUMN %I %s', on_table, col, definition);
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION schema_default(on_table text, col text, expression text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_attribute a
                     JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                    WHERE a.attrelid = on_table::regclass AND a.attname = col
                      AND pg_get_expr(d.adbin, d.adrelid) = expression) THEN
        EXECUTE format('ALTER TABLE %I ALTER COLUMN %I SET DEFAULT %s', on_table, col, expression);
    END IF;
END
$$;

-- `target` is what follows ON: `users (role)`.
CREATE OR REPLACE FUNCTION schema_index(index_name text, target text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF to_regclass(quote_ident(index_name)) IS NULL THEN
        EXECUTE format('CREATE INDEX %I ON %s', index_name, target);
    END IF;
END
$$;

-- A unique index on a table that may be an earlier one: where rows from before stand twice, a later
-- run tries again.
CREATE OR REPLACE FUNCTION schema_unique_index(index_name text, target text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF to_regclass(quote_ident(index_name)) IS NULL THEN
        EXECUTE format('CREATE UNIQUE INDEX %I ON %s', index_name, target);
    END IF;
EXCEPTION WHEN unique_violation THEN
    RAISE WARNING '%: rows from before stand twice', index_name;
END
$$;

-- A foreign key of one column, with an index for it. Rows of an earlier database may break it: it
-- holds for new rows then (NOT VALID), and every later run tries again. `target` is `users (id)`.
CREATE OR REPLACE FUNCTION schema_reference(on_table text, col text, target text,
                                            on_delete text DEFAULT 'NO ACTION') RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    parts CONSTANT text[] := regexp_match(target, '^(\w+) \((\w+)\)$');
    place CONSTANT smallint := (SELECT attnum FROM pg_attribute
                                 WHERE attrelid = on_table::regclass AND attname = col);
    aim CONSTANT smallint := (SELECT attnum FROM pg_attribute
                               WHERE attrelid = parts[1]::regclass AND attname = parts[2]);
    town CONSTANT text := coalesce(current_setting('app.town', true), '');
    kept text;
    valid boolean;
    it record;
BEGIN
    IF place IS NULL OR aim IS NULL THEN
        RAISE EXCEPTION 'no column %.% or %', on_table, col, target;
    END IF;
    FOR it IN
        SELECT conname, convalidated,
               confrelid = parts[1]::regclass AND confkey = ARRAY[aim]
               AND confdeltype = CASE on_delete WHEN 'NO ACTION' THEN 'a' WHEN 'RESTRICT' THEN 'r'
                                                WHEN 'CASCADE' THEN 'c' WHEN 'SET NULL' THEN 'n'
                                 END AS wanted
          FROM pg_constraint
         WHERE conrelid = on_table::regclass AND contype = 'f' AND conkey = ARRAY[place]
         ORDER BY conname
    LOOP
        IF it.wanted AND kept IS NULL THEN
            kept := it.conname;
            valid := it.convalidated;
        ELSE
            EXECUTE format('ALTER TABLE %I DROP CONSTRAINT %I', on_table, it.conname);
        END IF;
    END LOOP;
    IF kept IS NULL THEN
        kept := format('%s_%s_fkey', on_table, col);
        valid := false;
        EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I FOREIGN KEY (%I) REFERENCES %I (%I) '
                       'ON DELETE %s NOT VALID', on_table, kept, col, parts[1], parts[2],
                       on_delete);
    END IF;
    IF NOT valid THEN
        BEGIN
            -- Forced row level security hides rows from this, too: unseen, they would count as good.
            PERFORM set_config('app.town', '*', true);
            EXECUTE format('ALTER TABLE %I VALIDATE CONSTRAINT %I', on_table, kept);
        EXCEPTION WHEN foreign_key_violation THEN
            RAISE WARNING '%.%: rows from before name no row of %', on_table, col, target;
        END;
        PERFORM set_config('app.town', town, true);
    END IF;
    IF NOT EXISTS (SELECT FROM pg_index
                    WHERE indrelid = on_table::regclass AND indkey[0] = place
                      AND indpred IS NULL AND indisvalid) THEN
        EXECUTE format('CREATE INDEX %I ON %I (%I)', format('%s_%s_idx', on_table, col), on_table,
                       col);
    END IF;
END
$$;

-- A check on a table that may be an earlier one: NOT VALID where rows from before break it.
CREATE OR REPLACE FUNCTION schema_check(on_table text, constraint_name text, condition text)
RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    valid boolean;
BEGIN
    SELECT convalidated INTO valid FROM pg_constraint
     WHERE conrelid = on_table::regclass AND conname = constraint_name;
    IF valid IS NULL THEN
        EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I CHECK (%s) NOT VALID',
                       on_table, constraint_name, condition);
    END IF;
    IF valid IS NOT TRUE THEN
        BEGIN
            EXECUTE format('ALTER TABLE %I VALIDATE CONSTRAINT %I', on_table, constraint_name);
        EXCEPTION WHEN check_violation THEN
            RAISE WARNING '%: rows from before break the check %', on_table, constraint_name;
        END;
    END IF;
END
$$;

-- updated_at of a table is set by each change.
CREATE OR REPLACE FUNCTION schema_keep_updated_at(VARIADIC tables text[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    on_table text;
BEGIN
    FOREACH on_table IN ARRAY tables LOOP
        IF NOT EXISTS (SELECT FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
                        WHERE t.tgrelid = on_table::regclass
                          AND p.proname = 'update_updated_at_column') THEN
            EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE ON %I FOR EACH ROW '
                           'EXECUTE FUNCTION update_updated_at_column()',
                           format('update_%s_updated_at', on_table), on_table);
        END IF;
    END LOOP;
END
$$;

-- Rows of a table are seen and written by sessions of their town alone, the owner's too. A uuid
-- column holds towns.uid, an integer one towns.id, a text one towns.name.
--
-- "Every town" is a range of keys, which is empty for whoever may not see every town: so each part
-- of the condition can use the column's index. Of a text there is no greatest.
CREATE OR REPLACE FUNCTION schema_protect_town(on_table text, col text DEFAULT 'town_id')
RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    kind CONSTANT regtype := (SELECT atttypid FROM pg_attribute
                               WHERE attrelid = on_table::regclass AND attname = col);
BEGIN
    PERFORM schema_protect(on_table, format(
        CASE kind
            WHEN 'uuid'::regtype THEN
                '%1$I = (SELECT current_town_id()) OR %1$I IS NULL AND (SELECT all_towns()) '
                'OR %1$I >= (SELECT ''00000000-0000-0000-0000-000000000000''::uuid WHERE all_towns()) '
                'AND %1$I <= (SELECT ''ffffffff-ffff-ffff-ffff-ffffffffffff''::uuid WHERE all_towns())'
            WHEN 'integer'::regtype THEN
                '%1$I = (SELECT current_town_key()) OR %1$I IS NULL AND (SELECT all_towns()) '
                'OR %1$I >= (SELECT -2147483648 WHERE all_towns()) '
                'AND %1$I <= (SELECT 2147483647 WHERE all_towns())'
            ELSE '(SELECT all_towns()) OR %1$I = (SELECT current_town())'
        END, col));
END
$$;

-- Rows of a table are seen and written where their company is: `col` holds companies.uid.
CREATE OR REPLACE FUNCTION schema_protect_company(on_table text, col text DEFAULT 'company_id')
RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM schema_protect(on_table, format(
        '(SELECT all_towns()) OR EXISTS (SELECT FROM companies WHERE companies.uid = %I.%I)',
        on_table, col));
END
$$;

-- A policy, and row level security for its table. `definition` is what follows CREATE POLICY <name>
-- ON <table>; the policy's comment keeps it, so that another definition replaces it.
CREATE OR REPLACE FUNCTION schema_policy(on_table text, policy text, definition text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_policy
                    WHERE polrelid = on_table::regclass AND polname = policy
                      AND obj_description(oid, 'pg_policy') = definition) THEN
        EXECUTE format('DROP POLICY IF EXISTS %I ON %I', policy, on_table);
        EXECUTE format('CREATE POLICY %I ON %I %s', policy, on_table, definition);
        EXECUTE format('COMMENT ON POLICY %I ON %I IS %L', policy, on_table, definition);
    END IF;
    IF NOT EXISTS (SELECT FROM pg_class WHERE oid = on_table::regclass AND relrowsecurity) THEN
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', on_table);
    END IF;
END
$$;

-- One policy for reading and writing, the owner's, too.
CREATE OR REPLACE FUNCTION schema_protect(on_table text, condition text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM schema_policy(on_table, 'town_isolation', format('USING (%s)', condition));
    PERFORM schema_force(on_table);
END
$$;

-- The policies of a table bind its owner, too.
CREATE OR REPLACE FUNCTION schema_force(on_table text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_class WHERE oid = on_table::regclass AND relforcerowsecurity) THEN
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', on_table);
    END IF;
END
$$;

-- Rows of tables are seen and written by the owner alone, in whatever town its session is. Forced,
-- so that an error's text shows no row.
CREATE OR REPLACE FUNCTION schema_owner_alone(VARIADIC tables text[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    on_table text;
BEGIN
    FOREACH on_table IN ARRAY tables LOOP
        PERFORM schema_policy(on_table, 'owner_alone', format(
            'USING ((SELECT pg_has_role(relowner, ''USAGE'') FROM pg_class WHERE oid = %L::regclass))',
            on_table));
        PERFORM schema_force(on_table);
    END LOOP;
END
$$;

-- Of the rows that the table's other policies let through, a session writes those alone for which a
-- condition holds, too.
CREATE OR REPLACE FUNCTION schema_restrict_writes(on_table text, condition text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    command text;
BEGIN
    FOREACH command IN ARRAY ARRAY['INSERT', 'UPDATE', 'DELETE'] LOOP
        PERFORM schema_policy(on_table, 'granted_' || lower(command), format(
            'AS RESTRICTIVE FOR %s %s (%s)', command,
            CASE command WHEN 'INSERT' THEN 'WITH CHECK' ELSE 'USING' END, condition));
    END LOOP;
END
$$;

-- What a row names by its foreign keys must be rows that its session sees: a key alone would tell
-- whether another town has a row, and hang this one on it. It comes after schema_reference() and
-- before the rows are protected otherwise. A row of the same table is not looked for.
CREATE OR REPLACE FUNCTION schema_own_references(VARIADIC tables text[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    it record;
BEGIN
    FOR it IN
        SELECT given.name, string_agg(format(
                   '(%1$I IS NULL OR EXISTS (SELECT FROM %2$s named WHERE named.%3$I = %4$I.%1$I))',
                   a.attname, k.confrelid::regclass, b.attname, given.name), ' AND '
                   ORDER BY a.attname) AS condition
          FROM unnest(tables) AS given (name)
          JOIN pg_constraint k ON k.conrelid = given.name::regclass AND k.contype = 'f'
          JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
          JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = k.confkey[1]
         WHERE k.confrelid NOT IN ('users'::regclass, 'towns'::regclass, k.conrelid)
         GROUP BY given.name
    LOOP
        PERFORM schema_policy(it.name, 'own_references', format(
            'AS RESTRICTIVE USING (true) WITH CHECK ((SELECT all_towns()) OR %s)', it.condition));
    END LOOP;
END
$$;

-- Of the rows that the table's other policies let through, a session sees and writes those of its
-- user (`col` holds users.id) and those of no user. With `public_col` it sees, of the others, those
-- that are public, and writes those of no user that are.
CREATE OR REPLACE FUNCTION schema_protect_user(on_table text, col text DEFAULT 'user_id',
                                               public_col text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    own CONSTANT text := format('(SELECT all_towns()) OR %I = (SELECT app_user_id()) OR ', col);
    nobodys CONSTANT text := format('%I IS NULL', col);
BEGIN
    PERFORM schema_policy(on_table, 'own_or_public', format(
        'AS RESTRICTIVE FOR SELECT USING (%s%s)', own,
        coalesce(quote_ident(public_col), nobodys)));
    PERFORM schema_restrict_writes(on_table,
        concat(own, nobodys, ' AND ' || quote_ident(public_col)));
END
$$;

-- What was unique among all rows is unique among those of one owner, and among those of none: that a
-- value is taken would tell one town what another has, and keep it from having the same. Earlier keys
-- of these columns, or of some of them, go.
CREATE OR REPLACE FUNCTION schema_unique_within(on_table text, owner text, VARIADIC cols text[])
RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    listed CONSTANT text := (SELECT string_agg(quote_ident(col), ', ' ORDER BY place)
                               FROM unnest(cols) WITH ORDINALITY AS given (col, place));
    stem CONSTANT text := on_table || '_' || array_to_string(cols, '_');
    owned CONSTANT text := regexp_replace(owner, '_id$', '');
    earlier text;
BEGIN
    FOR earlier IN
        SELECT k.conname FROM pg_constraint k
         WHERE k.conrelid = on_table::regclass AND k.contype = 'u'
           AND cols @> (SELECT array_agg(attname::text) FROM pg_attribute
                         WHERE attrelid = k.conrelid AND attnum = ANY (k.conkey))
    LOOP
        EXECUTE format('ALTER TABLE %I DROP CONSTRAINT %I', on_table, earlier);
    END LOOP;
    PERFORM schema_unique_index(format('%s_%s_idx', stem, owned),
                                format('%I (%I, %s)', on_table, owner, listed));
    PERFORM schema_unique_index(format('%s_no_%s_idx', stem, owned),
                                format('%I (%s) WHERE %I IS NULL', on_table, listed, owner));
END
$$;

CREATE OR REPLACE FUNCTION schema_unique_in_town(on_table text, VARIADIC cols text[]) RETURNS void
LANGUAGE sql SET search_path FROM CURRENT AS $$
    SELECT schema_unique_within(on_table, 'town_id', VARIADIC cols)
$$;

-- A view that reads with the rights of whoever asks. One that is as it should be is not locked; an
-- earlier one with other columns is replaced: where other views show it, those must be dropped first.
CREATE OR REPLACE FUNCTION schema_view(view_name text, query text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    grants text[];
    statement text;
    unchanged boolean;
BEGIN
    EXECUTE format('CREATE VIEW schema_view_wanted AS %s', query);
    SELECT 'security_invoker=true' = ANY (reloptions)
           AND pg_get_viewdef(oid) = pg_get_viewdef('schema_view_wanted'::regclass)
      INTO unchanged
      FROM pg_class WHERE oid = to_regclass(quote_ident(view_name)) AND relkind = 'v';
    DROP VIEW schema_view_wanted;
    IF unchanged THEN
        RETURN;
    END IF;
    BEGIN
        EXECUTE format('CREATE OR REPLACE VIEW %I WITH (security_invoker = true) AS %s',
                       view_name, query);
    EXCEPTION WHEN invalid_table_definition THEN
        SELECT array_agg(format('GRANT %s ON %I TO %s', held.privilege_type, view_name,
                                CASE WHEN held.grantee = 0 THEN 'PUBLIC'
                                     ELSE held.grantee::regrole::text END)) INTO grants
          FROM pg_class c, aclexplode(c.relacl) held
         WHERE c.oid = to_regclass(quote_ident(view_name)) AND held.grantee <> c.relowner;
        EXECUTE format('DROP VIEW %I', view_name);
        EXECUTE format('CREATE VIEW %I WITH (security_invoker = true) AS %s', view_name, query);
        FOREACH statement IN ARRAY coalesce(grants, '{}') LOOP
            EXECUTE statement;
        END LOOP;
    END;
END
$$;

-- An embedding of a model with 1536 dimensions, and an index for the nearest ones: the column
-- embedding of a table, or another that is named as deals.deal_embedding. Where the extension vector
-- is not installed, a table goes without; a later run adds it. An earlier file's index by lists
-- (ivfflat) goes.
CREATE OR REPLACE FUNCTION schema_embedding(VARIADIC columns text[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    home CONSTANT name := (SELECT n.nspname
                             FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
                            WHERE e.extname = 'vector');
    it record;
    earlier text;
BEGIN
    IF home IS NULL THEN
        RETURN;
    END IF;
    FOR it IN
        SELECT split_part(given, '.', 1) AS on_table,
               coalesce(nullif(split_part(given, '.', 2), ''), 'embedding') AS col
          FROM unnest(columns) AS given
    LOOP
        PERFORM schema_column(it.on_table, it.col, format('%I.vector(1536)', home));
        FOR earlier IN
            SELECT c.relname
              FROM pg_index i
              JOIN pg_class c ON c.oid = i.indexrelid AND c.relname LIKE 'idx\_%\_embedding'
              JOIN pg_am m ON m.oid = c.relam AND m.amname = 'ivfflat'
              JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
             WHERE i.indrelid = it.on_table::regclass AND a.attname = it.col
        LOOP
            EXECUTE format('DROP INDEX %I', earlier);
        END LOOP;
        PERFORM schema_index(format('%s_%s_idx', it.on_table, it.col), format(
            '%I USING hnsw (%I %I.vector_cosine_ops)', it.on_table, it.col, home));
    END LOOP;
END
$$;

-- A trigger, made again where its definition is another one. `events` is what stands before ON
-- <table>, `action` what stands after; the trigger's comment keeps both.
CREATE OR REPLACE FUNCTION schema_trigger(on_table text, trigger_name text, events text,
                                          action text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    definition CONSTANT text := events || ' ' || action;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_trigger
                    WHERE tgrelid = on_table::regclass AND tgname = trigger_name
                      AND obj_description(oid, 'pg_trigger') = definition) THEN
        EXECUTE format('CREATE OR REPLACE TRIGGER %I %s ON %I %s',
                       trigger_name, events, on_table, action);
        EXECUTE format('COMMENT ON TRIGGER %I ON %I IS %L', trigger_name, on_table, definition);
    END IF;
END
$$;

-- Triggers of the earlier files that this version has no more.
CREATE OR REPLACE FUNCTION schema_drop_triggers(on_table text, VARIADIC triggers text[])
RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    it text;
BEGIN
    FOR it IN SELECT tgname FROM pg_trigger
               WHERE tgrelid = on_table::regclass AND tgname = ANY (triggers) LOOP
        EXECUTE format('DROP TRIGGER %I ON %I', it, on_table);
    END LOOP;
END
$$;

-- CREATE OR REPLACE FUNCTION refuses other names or defaults of arguments, and another result. This
-- drops functions of a name that differ from `wanted`: `months integer DEFAULT 3 RETURNS void`.
CREATE OR REPLACE FUNCTION schema_drop_function(function_name text, wanted text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    it regprocedure;
BEGIN
    FOR it IN SELECT oid FROM pg_proc
               WHERE pronamespace = quote_ident(current_schema())::regnamespace
                 AND proname = function_name
                 AND concat(pg_get_function_arguments(oid), ' RETURNS ',
                            pg_get_function_result(oid)) <> wanted LOOP
        EXECUTE format('DROP FUNCTION %s', it);
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION update_updated_at_column() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;


-- 3  Tables -------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS users (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    username      varchar(50)  NOT NULL UNIQUE,
    email         varchar(255) NOT NULL UNIQUE,
    password_hash varchar(255) NOT NULL,
    role          varchar(20) DEFAULT 'user'
                  CHECK (role IN ('admin', 'user', 'mentor', 'ai', 'developer')),
    is_active     boolean     DEFAULT true,
    is_vip        boolean     DEFAULT false,
    created_at    timestamptz DEFAULT now(),
    updated_at    timestamptz DEFAULT now(),
    last_login    timestamptz,
    preferences   jsonb       DEFAULT '{}',
    metadata      jsonb       DEFAULT '{}'
);

CREATE TABLE IF NOT EXISTS sessions (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id       uuid,
    token_hash    varchar(255) NOT NULL,
    ip_address    inet,
    user_agent    text,
    expires_at    timestamptz  NOT NULL,
    created_at    timestamptz DEFAULT now(),
    last_activity timestamptz DEFAULT now()
);

CREATE TABLE IF NOT EXISTS api_keys (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id     uuid,
    key_hash    varchar(255) NOT NULL,
    name        varchar(100) NOT NULL,
    permissions jsonb       DEFAULT '[]',
    last_used   timestamptz,
    expires_at  timestamptz,
    is_active   boolean     DEFAULT true,
    created_at  timestamptz DEFAULT now()
);

CREATE TABLE IF NOT EXISTS system_config (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    key          varchar(255) NOT NULL UNIQUE,
    value        jsonb        NOT NULL,
    category     varchar(100) NOT NULL,
    description  text,
    is_sensitive boolean     DEFAULT false,
    updated_by   uuid,
    updated_at   timestamptz DEFAULT now()
);

CREATE TABLE IF NOT EXISTS towns (
    id             integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    uid            uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    name           varchar(50)  NOT NULL UNIQUE,
    display_name   varchar(100) NOT NULL,
    description    text,
    region         varchar(50),
    owner_email    varchar(255),
    owner_name     varchar(255),
    is_active      boolean     DEFAULT true,
    database_roles name[] NOT NULL DEFAULT '{}',
    created_at     timestamptz DEFAULT now(),
    updated_at     timestamptz DEFAULT now()
);

CREATE TABLE IF NOT EXISTS companies (
    id                   integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    uid                  uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    hubspot_id           varchar(255) NOT NULL,
    name                 varchar(255),
    domain               varchar(255),
    industry             varchar(255),
    created_at           timestamptz   DEFAULT now(),
    updated_at           timestamptz   DEFAULT now(),
    last_sync            timestamptz   DEFAULT now(),
    owner_id             varchar(50),
    owner_email          varchar(255),
    owner_name           varchar(255),
    linkedin_url         varchar(255),
    has_deals            boolean       DEFAULT false,
    total_deal_count     integer       DEFAULT 0,
    open_deal_count      integer       DEFAULT 0,
    won_deal_count       integer       DEFAULT 0,
    total_deal_value     numeric(12,2) DEFAULT 0,
    open_deal_value      numeric(12,2) DEFAULT 0,
    won_deal_value       numeric(12,2) DEFAULT 0,
    last_deal_date       timestamptz,
    last_won_date        timestamptz,
    active_deals_summary jsonb         DEFAULT '{}',
    deals_last_analyzed  timestamptz,
    market_intelligence  jsonb,
    is_active            boolean NOT NULL DEFAULT true
);

-- The second key of a table that the earlier files referred to by integer and by uuid.
DO $$
BEGIN
    PERFORM schema_column('towns', 'uid', 'uuid NOT NULL UNIQUE DEFAULT gen_random_uuid()');
    PERFORM schema_column('towns', 'database_roles', $part$name[] NOT NULL DEFAULT '{}'$part$);
    PERFORM schema_column('companies', 'uid', 'uuid NOT NULL UNIQUE DEFAULT gen_random_uuid()');
    PERFORM schema_column('companies', 'town_id', 'uuid');
END
$$;


-- 4  Whose session this is ----------------------------------------------------------------------
-- The application tells, in each transaction: SET LOCAL app.town = 'aurora'; SET LOCAL app.user_id
-- = '<users.id>'. A database role named in towns.database_roles has that town, whatever it sets.
-- Who may not be told from a setting alone gets NULL, and sees nothing.

-- Whether this session logged in as a role that has one town.
CREATE OR REPLACE FUNCTION bound_to_town() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT EXISTS (SELECT FROM towns WHERE session_user = ANY (database_roles))
$$;

-- The town's row. With the owner's rights: whoever asks need not see the table.
CREATE OR REPLACE FUNCTION session_town() RETURNS towns
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT t.* FROM towns t
     WHERE CASE WHEN (SELECT bound_to_town())
                THEN session_user = ANY (t.database_roles)
                     AND coalesce(nullif(current_setting('app.town', true), ''), t.name) = t.name
                ELSE t.name = nullif(current_setting('app.town', true), '') END
       AND t.is_active IS NOT FALSE
     ORDER BY t.id LIMIT 1
$$;

CREATE OR REPLACE FUNCTION current_town() RETURNS varchar
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$ SELECT (session_town()).name $$;

CREATE OR REPLACE FUNCTION current_town_id() RETURNS uuid
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$ SELECT (session_town()).uid $$;

CREATE OR REPLACE FUNCTION current_town_key() RETURNS integer
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$ SELECT (session_town()).id $$;

-- Whether this session asked for every town's rows (app.town is *) and may: it logged in as the
-- owner of the tables, or as a role that is a member of it, is bound to no town, and did not SET
-- ROLE to one that is no member.
CREATE OR REPLACE FUNCTION all_towns() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT coalesce(current_setting('app.town', true) = '*', false)
           AND pg_has_role(session_user, current_user, 'MEMBER')
           AND pg_has_role(coalesce(nullif(current_setting('role'), 'none'), session_user),
                           current_user, 'MEMBER')
           AND NOT bound_to_town()
$$;

-- The user whom the application names, or NULL.
CREATE OR REPLACE FUNCTION app_user_id() RETURNS uuid
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT nullif(current_setting('app.user_id', true), '')::uuid
$$;


-- 5  What an earlier database lacks -------------------------------------------------------------

DO $$
DECLARE
    own CONSTANT text := 'USING (%I = (SELECT app_user_id()) AND NOT (SELECT bound_to_town()))';
BEGIN
    PERFORM schema_modernise('users', 'sessions', 'api_keys', 'system_config', 'towns',
                             'companies');
    PERFORM schema_default('companies', 'town_id', 'current_town_id()');
    PERFORM schema_reference('sessions', 'user_id', 'users (id)', 'CASCADE');
    PERFORM schema_reference('api_keys', 'user_id', 'users (id)', 'CASCADE');
    PERFORM schema_reference('system_config', 'updated_by', 'users (id)');
    PERFORM schema_reference('companies', 'town_id', 'towns (uid)');
    PERFORM schema_unique_in_town('companies', 'hubspot_id');
    PERFORM schema_keep_updated_at('users', 'system_config', 'towns', 'companies');
    PERFORM schema_protect_town('companies');
    -- A town is seen by itself, and written by the owner alone: database_roles decides who sees what.
    -- Not forced: session_town() reads the table with the owner's rights.
    PERFORM schema_policy('towns', 'town_itself',
        'FOR SELECT USING (uid = (SELECT current_town_id()) OR (SELECT all_towns()))');
    -- What people log in with: each user's own, and the owner's for the service that checks it.
    -- Only the owner writes users. A town's own role may not be told who its user is from a
    -- setting: it sees none of them.
    PERFORM schema_policy('users', 'own_rows', 'FOR SELECT ' || format(own, 'id'));
    PERFORM schema_policy('sessions', 'own_rows', format(own, 'user_id'));
    PERFORM schema_policy('api_keys', 'own_rows', format(own, 'user_id'));
    -- Settings of the whole system: everybody reads what is not sensitive.
    PERFORM schema_owner_alone('system_config');
    PERFORM schema_policy('system_config', 'read_by_all', 'FOR SELECT USING (is_sensitive IS FALSE)');
    PERFORM schema_index('idx_users_role', 'users (role)');
    PERFORM schema_index('idx_users_is_vip', 'users (id) WHERE is_vip');
    PERFORM schema_index('idx_sessions_token_hash', 'sessions (token_hash)');
    PERFORM schema_index('idx_sessions_expires_at', 'sessions (expires_at)');
    PERFORM schema_index('idx_api_keys_key_hash', 'api_keys (key_hash)');
    PERFORM schema_index('idx_system_config_category', 'system_config (category)');
    PERFORM schema_index('idx_companies_owner_id', 'companies (owner_id)');
    PERFORM schema_index('idx_companies_active', 'companies (id) WHERE is_active');
END
$$;

REVOKE ALL ON FUNCTION schema_begin, schema_alter_under_views, schema_modernise, schema_reference,
    schema_check, schema_keep_updated_at, schema_protect_town, schema_protect_company,
    schema_protect, schema_protect_user, schema_policy, schema_force, schema_restrict_writes,
    schema_own_references, schema_unique_in_town, schema_view, schema_embedding, schema_trigger,
    schema_drop_triggers, schema_drop_function, schema_column, schema_default, schema_index,
    schema_unique_index, schema_unique_within, schema_owner_alone FROM PUBLIC;


-- 6  Comments -----------------------------------------------------------------------------------

COMMENT ON TABLE users IS 'People and programs that log in.';
COMMENT ON COLUMN users.password_hash IS 'A salted hash that the application made; never the password.';
COMMENT ON COLUMN users.role IS 'What the account is: admin, user, mentor, ai or developer. File 12 has what it may do.';
COMMENT ON COLUMN users.is_vip IS 'Answered first.';
COMMENT ON TABLE sessions IS 'Logins of the web application, by the hash of their token.';
COMMENT ON COLUMN sessions.token_hash IS 'A hash of the session''s token; never the token.';
COMMENT ON TABLE api_keys IS 'Keys with which programs log in, by their hash.';
COMMENT ON COLUMN api_keys.permissions IS 'What the key may do: a list of permissions'' names.';
COMMENT ON TABLE system_config IS 'Settings of the whole system. Only the owner writes them.';
COMMENT ON COLUMN system_config.is_sensitive IS 'Where it is not false, only the owner sees the setting.';
COMMENT ON TABLE towns IS 'Towns: the tenants. No town sees another''s rows.';
COMMENT ON COLUMN towns.uid IS 'What columns town_id of type uuid refer to; id is what those of type integer do.';
COMMENT ON COLUMN towns.name IS 'The short name that the setting app.town takes: aurora.';
COMMENT ON COLUMN towns.database_roles IS
    'Database roles that have this town, whatever they set app.town to: those that people or '
    'programs of the town log in with directly. Roles of no town have the one they set.';
COMMENT ON TABLE companies IS 'Companies that a town deals with; also the tenants of file 11.';
COMMENT ON COLUMN companies.uid IS 'What columns company_id of type uuid refer to; id is what those of type integer do.';
COMMENT ON COLUMN companies.town_id IS
    'The town (towns.uid) that sees the company. Rows from before towns have none: only the owner sees '
    'them, with app.town set to *.';
COMMENT ON COLUMN companies.active_deals_summary IS 'A summary of open deals, for prompts.';
COMMENT ON FUNCTION session_town() IS 'The town of this session, or NULL.';
COMMENT ON FUNCTION all_towns() IS 'Whether this session sees every town: the owner''s, with app.town set to *.';
COMMENT ON FUNCTION app_user_id() IS 'The user that the application set as app.user_id, or NULL.';

COMMIT;
