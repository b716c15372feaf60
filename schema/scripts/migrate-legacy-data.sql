-- Brings rows of an archived database into the unified schema: users, conversations with their
-- messages, sticky notes, and moods.
--
--     psql -d robbieverse -v dry_run=1 -f schema/scripts/migrate-legacy-data.sql
--     psql -d robbieverse -v town=aurora -f schema/scripts/migrate-legacy-data.sql
--
-- As the owner of the tables. The archived tables stand in a schema of their own, `legacy`, or what
-- `-v legacy=` names. It looks there for the tables that the calls at the end name, and takes
-- columns by their usual names; docs/legacy-data.md lists them. A row of which something can't be
-- right is refused, named with its reason, and keeps no other from being taken.
--
-- It may be run any number of times, and killed: the table robbieblocks_migrated in the schema
-- `legacy` knows what each row became. With dry_run=1 all is rolled back in the end. Where rows were
-- refused it ends with psql's code 3.

\set ON_ERROR_STOP on
\set QUIET on
\pset pager off
\if :{?legacy} \else \set legacy legacy \endif
\if :{?town} \else \set town '' \endif
\if :{?dry_run} \else \set dry_run 0 \endif

SET client_min_messages = warning;
SET TimeZone = 'UTC';
SELECT set_config('migrate.legacy', :'legacy', false) AS legacy_,
       set_config('migrate.town', :'town', false) AS town_,
       set_config('migrate.dry_run', :'dry_run', false) AS dry_run_,
       set_config('app.town', '*', false) AS app_town_ \gset
\if :dry_run
BEGIN;
\endif

DO $$
DECLARE
    legacy CONSTANT text := current_setting('migrate.legacy');
    town CONSTANT text := current_setting('migrate.town');
    missing text;
BEGIN
    IF to_regnamespace(quote_ident(legacy)) IS NULL THEN
        RAISE EXCEPTION 'there is no schema %, in which the archived tables stand', legacy
              USING HINT = 'Restore them into a schema of their own, and name it: -v legacy=...';
    END IF;
    SELECT name INTO missing
      FROM unnest('{users,towns,conversations,messages,ai_memories,ai_state_history}'::text[]) AS name
     WHERE to_regclass(name) IS NULL OR to_regclass(name) = to_regclass(quote_ident(legacy) || '.' || name)
     LIMIT 1;
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'the unified schema''s table % is missing', missing
              USING HINT = 'Apply init-unified-schema.sql, and see that search_path names its schema first.';
    END IF;
    IF town <> '' AND NOT EXISTS (SELECT FROM towns WHERE name = town) THEN
        RAISE EXCEPTION 'there is no town %', town
              USING HINT = 'towns.name has their names; without -v town= rows belong to none.';
    END IF;
    IF NOT pg_try_advisory_lock(hashtext('migrate-legacy-data')) THEN
        RAISE EXCEPTION 'another session takes rows of an archive into this database'
              USING HINT = 'Let it end, and run this again.';
    END IF;
    EXECUTE format('CREATE TABLE IF NOT EXISTS %I.robbieblocks_migrated (kind text, from_table text, '
                   'legacy_id text, became text NOT NULL, migrated_at timestamptz NOT NULL DEFAULT now(), '
                   'PRIMARY KEY (kind, legacy_id))', legacy);
    EXECUTE format('CREATE TEMP VIEW migrated AS SELECT * FROM %I.robbieblocks_migrated', legacy);
END
$$;

CREATE TEMP TABLE migration_report (kind text, from_table text, rows_in bigint, added bigint,
                                    already_there bigint, refused bigint);
CREATE TEMP TABLE migration_refused (from_table text, id text, why text);


-- 1  What a row says ----------------------------------------------------------------------------

-- The first of some columns that has a text.
CREATE FUNCTION pg_temp.told(r jsonb, VARIADIC names text[]) RETURNS text LANGUAGE sql AS $$
    SELECT r ->> name FROM unnest(names) WITH ORDINALITY AS n (name, place)
     WHERE btrim(r ->> name) <> '' ORDER BY place LIMIT 1
$$;

-- A row's key: its own where that is a uuid; else one that is the same each time.
CREATE FUNCTION pg_temp.key(origin text, id text) RETURNS uuid LANGUAGE sql AS $$
    SELECT CASE WHEN id ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN id::uuid
                ELSE md5(format('legacy %s %s', origin, id))::uuid END
$$;

-- The whole row, to be kept beside what was understood of it; nothing that people log in with.
CREATE FUNCTION pg_temp.whole(r jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('legacy', coalesce(jsonb_object_agg(key, value), '{}'))
      FROM jsonb_each(r) WHERE key !~* 'passw|secret|api_?key|hash|salt|token$'
$$;

CREATE FUNCTION pg_temp.town() RETURNS uuid LANGUAGE sql AS $$
    SELECT uid FROM towns WHERE name = current_setting('migrate.town')
$$;

-- What a row of the archive became; NULL where it was not taken.
CREATE FUNCTION pg_temp.became(what text, id text) RETURNS uuid LANGUAGE sql AS $$
    SELECT became::uuid FROM migrated WHERE kind = what AND legacy_id = id
$$;

-- The user whom a row names by id, name or address. NULL where it names none: everybody's. A row of
-- somebody who is not there is refused, since it would become everybody's.
CREATE FUNCTION pg_temp.user_of(r jsonb) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    named CONSTANT text := pg_temp.told(r, 'user_id', 'owner_id', 'created_by', 'username', 'user_email');
    found uuid := pg_temp.became('users', named);
BEGIN
    IF found IS NULL AND named IS NOT NULL THEN
        SELECT id INTO found FROM users
         WHERE id::text = named OR username = named OR lower(email) = lower(named)
         ORDER BY id::text = named DESC LIMIT 1;
        IF found IS NULL THEN
            RAISE EXCEPTION 'it belongs to the user %, who is not there', named;
        END IF;
    END IF;
    RETURN found;
END
$$;


-- 2  What a row becomes -------------------------------------------------------------------------
-- Each adds a row with a key and returns that.

-- The key of a row that is there already: it has the same uuid, or is a user with the same address.
-- That is asked as a query of its own, which Postgres answers once and not anew for each user.
CREATE FUNCTION pg_temp.existing(kind text, r jsonb, key uuid) RETURNS text LANGUAGE sql AS $$
    SELECT CASE kind
        WHEN 'users' THEN (SELECT id::text FROM users
                            WHERE id = key
                               OR lower(email) = (SELECT lower(pg_temp.told(r, 'email', 'email_address')))
                            ORDER BY id = key DESC LIMIT 1)
        WHEN 'conversations' THEN (SELECT id::text FROM conversations WHERE id = key)
        WHEN 'messages' THEN (SELECT id::text FROM messages WHERE id = key)
        WHEN 'notes' THEN (SELECT id::text FROM ai_memories WHERE id = key) END
$$;

CREATE FUNCTION pg_temp.add_users(r jsonb, key uuid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    address CONSTANT text := pg_temp.told(r, 'email', 'email_address');
    name CONSTANT text := coalesce(pg_temp.told(r, 'username', 'user_name', 'login', 'name'),
                                   split_part(address, '@', 1));
    rank CONSTANT text := lower(pg_temp.told(r, 'role'));
BEGIN
    IF address IS NULL THEN
        RAISE EXCEPTION 'it has no email';
    END IF;
    -- '!' is the hash of no password: who had none that can be taken sets a new one.
    INSERT INTO users (id, username, email, password_hash, role, is_active, created_at, last_login,
                       metadata)
    VALUES (key, name, address, coalesce(pg_temp.told(r, 'password_hash', 'hashed_password'), '!'),
            CASE WHEN rank IN ('admin', 'user', 'mentor', 'ai', 'developer') THEN rank ELSE 'user' END,
            coalesce(pg_temp.told(r, 'is_active', 'active')::boolean, true),
            coalesce(pg_temp.told(r, 'created_at', 'created')::timestamptz, now()),
            pg_temp.told(r, 'last_login', 'last_login_at')::timestamptz, pg_temp.whole(r));
    RETURN key;
END
$$;

CREATE FUNCTION pg_temp.add_conversations(r jsonb, key uuid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    kind CONSTANT text := lower(pg_temp.told(r, 'type', 'conversation_type'));
    state CONSTANT text := lower(pg_temp.told(r, 'status'));
BEGIN
    INSERT INTO conversations (id, user_id, title, type, status, created_at, updated_at, metadata, town_id)
    VALUES (key, pg_temp.user_of(r),
            left(pg_temp.told(r, 'title', 'name', 'subject', 'topic'), 255),
            CASE WHEN kind IN ('chat', 'support', 'training', 'system', 'vengeance') THEN kind ELSE 'chat' END,
            CASE WHEN state IN ('active', 'archived', 'deleted') THEN state
                 WHEN state IN ('closed', 'ended', 'completed') THEN 'archived' ELSE 'active' END,
            coalesce(pg_temp.told(r, 'created_at', 'started_at')::timestamptz, now()),
            coalesce(pg_temp.told(r, 'updated_at', 'created_at', 'started_at')::timestamptz, now()),
            pg_temp.whole(r), pg_temp.town());
    RETURN key;
END
$$;

CREATE FUNCTION pg_temp.add_messages(r jsonb, key uuid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    named CONSTANT text := pg_temp.told(r, 'conversation_id', 'chat_id', 'session_id');
    home CONSTANT uuid := pg_temp.became('conversations', named);
    who CONSTANT text := lower(pg_temp.told(r, 'role', 'sender', 'author'));
    words CONSTANT text := pg_temp.told(r, 'content', 'message', 'text', 'body');
BEGIN
    IF home IS NULL THEN
        RAISE EXCEPTION 'its conversation % was not taken', coalesce(named, '(none)');
    ELSIF words IS NULL THEN
        RAISE EXCEPTION 'it has no content';
    ELSIF who IS NULL OR who NOT IN ('user', 'human', 'me', 'assistant', 'ai', 'bot', 'model', 'system',
                                     'gatekeeper', 'mentor', 'robbie') THEN
        RAISE EXCEPTION 'its author is %, and nobody that messages know', coalesce(who, 'missing');
    END IF;
    INSERT INTO messages (id, conversation_id, role, content, created_at, metadata, town_id)
    VALUES (key, home,
            CASE WHEN who IN ('human', 'me') THEN 'user'
                 WHEN who IN ('ai', 'bot', 'model') THEN 'assistant' ELSE who END,
            words, coalesce(pg_temp.told(r, 'created_at', 'timestamp', 'sent_at')::timestamptz, now()),
            pg_temp.whole(r), pg_temp.town());
    RETURN key;
END
$$;

-- A sticky note is something to remember that its user said: it has no table of its own any more.
CREATE FUNCTION pg_temp.add_notes(r jsonb, key uuid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    words CONSTANT text := pg_temp.told(r, 'content', 'note', 'text', 'body');
BEGIN
    IF words IS NULL THEN
        RAISE EXCEPTION 'it has no content';
    END IF;
    INSERT INTO ai_memories (id, user_id, category, subject, content, source_type, contextual_tags,
                             created_at, last_accessed, town_id)
    VALUES (key, pg_temp.user_of(r), 'context',
            left(coalesce(pg_temp.told(r, 'title', 'subject'), split_part(words, E'\n', 1)), 255), words,
            'explicit', array_remove(ARRAY['sticky-note', pg_temp.told(r, 'color', 'category')], NULL),
            coalesce(pg_temp.told(r, 'created_at', 'timestamp')::timestamptz, now()),
            coalesce(pg_temp.told(r, 'updated_at', 'created_at')::timestamptz, now()), pg_temp.town());
    RETURN key;
END
$$;

CREATE FUNCTION pg_temp.add_moods(r jsonb, key uuid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    whose CONSTANT text := coalesce(pg_temp.told(r, 'personality_id', 'personality'), 'robbie');
    mood CONSTANT text := pg_temp.told(r, 'current_mood', 'mood', 'mood_level');
    made integer;
BEGIN
    IF mood IS NULL OR mood !~ '^[1-7]$' THEN
        RAISE EXCEPTION 'its mood is %, and not one of 1 to 7', coalesce(mood, 'missing');
    END IF;
    INSERT INTO ai_state_history (personality_id, new_state, change_reason, changed_by, "timestamp")
    VALUES (whose, jsonb_build_object('current_mood', mood::integer) || pg_temp.whole(r),
            pg_temp.told(r, 'reason', 'change_reason'), 'legacy',
            coalesce(pg_temp.told(r, 'updated_at', 'timestamp', 'created_at')::timestamptz, now()))
    RETURNING id INTO made;
    RETURN made;
END
$$;


-- 3  All rows of a kind -------------------------------------------------------------------------

-- Takes the rows of the one table that is there, a thousand a transaction. Of two, a row that names
-- a user by number could mean one of either.
CREATE PROCEDURE pg_temp.migrate(kind text, VARIADIC origins text[]) LANGUAGE plpgsql AS $$
DECLARE
    legacy CONSTANT text := current_setting('migrate.legacy');
    is_dry CONSTANT boolean := current_setting('migrate.dry_run')::boolean;
    origin text;
    it record;
    key uuid;
    became text;
    n bigint; added bigint; there bigint; refused bigint;
    found CONSTANT text[] := ARRAY(SELECT name FROM unnest(origins) AS name
                                    WHERE to_regclass(format('%I.%I', legacy, name)) IS NOT NULL);
BEGIN
    IF cardinality(found) > 1 THEN
        RAISE EXCEPTION 'the archive has several tables of %: %', kind, array_to_string(found, ', ')
              USING HINT = 'Move all but one into another schema.';
    END IF;
    FOREACH origin IN ARRAY found LOOP
        n := 0; added := 0; there := 0; refused := 0;
        FOR it IN EXECUTE format('SELECT to_jsonb(t) AS r, coalesce(to_jsonb(t) ->> ''id'', md5(t::text)) AS id '
                                 '  FROM %I.%I t ORDER BY 2', legacy, origin) LOOP
            n := n + 1;
            IF EXISTS (SELECT FROM migrated m WHERE m.kind = migrate.kind AND m.legacy_id = it.id) THEN
                there := there + 1;
            ELSE
                BEGIN
                    key := pg_temp.key(origin, it.id);
                    became := pg_temp.existing(kind, it.r, key);
                    IF became IS NOT NULL THEN
                        there := there + 1;
                    ELSE
                        EXECUTE format('SELECT pg_temp.%I($1, $2)', 'add_' || kind)
                           INTO became USING it.r, key;
                        added := added + 1;
                    END IF;
                    INSERT INTO migrated (kind, from_table, legacy_id, became)
                    VALUES (kind, origin, it.id, became);
                EXCEPTION WHEN data_exception OR integrity_constraint_violation OR raise_exception THEN
                    refused := refused + 1;
                    INSERT INTO migration_refused VALUES (origin, it.id, SQLERRM);
                END;
            END IF;
            IF n % 1000 = 0 AND NOT is_dry THEN
                COMMIT;
            END IF;
        END LOOP;
        INSERT INTO migration_report VALUES (kind, origin, n, added, there, refused);
    END LOOP;
END
$$;

CALL pg_temp.migrate('users', 'users', 'app_users');
CALL pg_temp.migrate('conversations', 'conversations', 'chat_conversations', 'chat_sessions');
CALL pg_temp.migrate('messages', 'messages', 'conversation_messages', 'chat_messages');
CALL pg_temp.migrate('notes', 'sticky_notes', 'robbie_sticky_notes');
CALL pg_temp.migrate('moods', 'mood_state', 'mood_states', 'robbie_mood_state', 'mood_history');

-- A personality feels as it last did in the archive, unless its state has changed here.
UPDATE ai_personality_state s
   SET current_mood = last.mood
  FROM (SELECT DISTINCT ON (h.personality_id) h.personality_id,
               (h.new_state ->> 'current_mood')::integer AS mood
          FROM ai_state_history h JOIN migrated m ON m.kind = 'moods' AND m.became = h.id::text
         ORDER BY h.personality_id, h."timestamp" DESC, h.id DESC) AS last
 WHERE last.personality_id = s.personality_id AND last.mood <> s.current_mood
   AND NOT EXISTS (SELECT FROM ai_state_history h
                    WHERE h.personality_id = s.personality_id AND h.changed_by IS DISTINCT FROM 'legacy');

SELECT * FROM migration_report ORDER BY from_table;
SELECT from_table AS refused_from, id, why FROM migration_refused ORDER BY 1, 2 LIMIT 100;

\if :dry_run
ROLLBACK;
\echo 'a dry run: nothing was changed'
\else
DO $$
DECLARE
    refused CONSTANT bigint := (SELECT count(*) FROM migration_refused);
BEGIN
    IF refused > 0 THEN
        RAISE EXCEPTION '% rows were refused', refused
              USING HINT = 'Mend them in the archive, and run it again: what was taken stays.';
    END IF;
END
$$;
\endif
