-- Media: pictures, fonts and other files that pages show.
--
-- Needs file 21 and nothing else. PostgreSQL 15 to 18, no extension, no superuser; any number of
-- times. Without this file RobbieBlocks works as before, and has no media.
--
-- The bytes are bytea: large objects are not replicated. What is larger than a few megabytes should
-- lie in a bucket: then the row has the object's address, and says its hash and size itself.
--
--     psql -v ON_ERROR_STOP=1 -f schema/unified-schema/22-media.sql

BEGIN ISOLATION LEVEL READ COMMITTED;

SET LOCAL client_min_messages = warning;

DO $$
DECLARE
    home text;
BEGIN
    PERFORM pg_advisory_xact_lock(7249104361285521);
    SELECT n.nspname INTO home
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid = to_regclass('robbieblocks_change_triggers');
    IF home IS NULL THEN
        RAISE EXCEPTION '22-media.sql needs the tables of 21-robbieblocks-cms.sql'
              USING HINT = 'Apply 21-robbieblocks-cms.sql first, or run `robbieblocks db upgrade`.';
    END IF;
    PERFORM set_config('search_path', quote_ident(home) || ', pg_temp', true);
END
$$;

CREATE TABLE IF NOT EXISTS media_assets (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    media_key     varchar(255) NOT NULL UNIQUE,
    file_name     varchar(255) NOT NULL,
    media_type    varchar(100) NOT NULL,
    content       bytea,
    content_hash  varchar(64)  NOT NULL,
    size_bytes    bigint       NOT NULL,
    width         integer,
    height        integer,
    alt           text,
    is_decorative boolean      NOT NULL DEFAULT false,
    focal_point   varchar(50),
    served_path   varchar(500),
    imported_hash varchar(64),
    created_at    timestamptz  NOT NULL DEFAULT now(),
    updated_at    timestamptz  NOT NULL DEFAULT now(),
    content_address varchar(1000)
);

-- Bytes that were replaced or deleted, by their hash, so that a change can be taken back: equal
-- ones are here once. Those of thirty days ago go, and above 1 GiB those that were kept longest.
CREATE TABLE IF NOT EXISTS earlier_media (
    content_hash varchar(64) PRIMARY KEY,
    content      bytea,
    size_bytes   bigint      NOT NULL,
    kept_at      timestamptz NOT NULL DEFAULT now(),
    content_address varchar(1000)
);

-- What a database of an earlier version lacks. Each statement locks its table, so only what is
-- missing is done.
DO $$
DECLARE
    missing text;
BEGIN
    FOR missing IN
        SELECT format('ALTER TABLE %1$I ADD COLUMN %2$I %3$s, ALTER COLUMN content DROP NOT NULL',
                      added.on_table, added.column_name, added.definition)
          FROM (VALUES
              ('media_assets',  'content_address', 'varchar(1000)'),
              ('earlier_media', 'content_address', 'varchar(1000)')
          ) AS added (on_table, column_name, definition)
         WHERE NOT EXISTS (SELECT FROM pg_attribute a
                            WHERE a.attrelid = to_regclass(added.on_table)
                              AND a.attname = added.column_name AND NOT a.attisdropped)
    LOOP
        EXECUTE missing;
    END LOOP;
    IF NOT EXISTS (SELECT FROM pg_constraint c
                    WHERE c.conrelid = to_regclass('media_assets')
                      AND c.conname = 'media_assets_place_check') THEN
        -- The bytes, or where they lie. What nobody can measure here its row has to say.
        ALTER TABLE media_assets ADD CONSTRAINT media_assets_place_check CHECK (
            CASE WHEN content IS NOT NULL THEN content_address IS NULL
                 ELSE content_address IS NOT NULL AND content_hash ~ '^[0-9a-f]{64}$'
                      AND size_bytes >= 0 END);
    END IF;
END
$$;

-- The hash and the size follow bytes that are here: whoever stores bytes needs to say neither, and a wrong
-- one can't make a page keep the picture from before.
CREATE OR REPLACE FUNCTION media_assets_measure() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.content IS NOT NULL THEN
        NEW.content_hash := encode(sha256(NEW.content), 'hex');
        NEW.size_bytes := octet_length(NEW.content);
        IF TG_OP = 'UPDATE' THEN
            -- Whoever stores other bytes means these, wherever the earlier ones lie.
            IF NEW.content IS DISTINCT FROM OLD.content THEN
                NEW.content_address := NULL;
            END IF;
        END IF;
    END IF;
    RETURN NEW;
END
$$;

-- Removes bytes that are not kept any more, and says how many. What another session has locked
-- stays.
CREATE OR REPLACE FUNCTION earlier_media_forget() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    removed bigint;
BEGIN
    WITH aged AS (
        SELECT content_hash, kept_at,
               sum(CASE WHEN content IS NULL THEN 0 ELSE size_bytes END)
                   OVER (ORDER BY kept_at DESC, content_hash) AS newer
          FROM earlier_media
    )
    DELETE FROM earlier_media
     WHERE content_hash IN (SELECT e.content_hash
                              FROM earlier_media e JOIN aged USING (content_hash)
                             WHERE aged.kept_at < now() - interval '30 days'
                                OR aged.newer > 1073741824
                               FOR UPDATE OF e SKIP LOCKED);
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END
$$;

-- Keeps the bytes that a statement replaces or deletes; of an object its address: nothing removes
-- the object itself. It fires for rows that replication brings,
-- too: each database keeps its own, so that no bytes are sent twice.
CREATE OR REPLACE FUNCTION media_assets_keep() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        INSERT INTO earlier_media AS e (content_hash, content, size_bytes, content_address)
        SELECT DISTINCT ON (m.content_hash)
               m.content_hash, m.content, m.size_bytes, m.content_address
          FROM media_assets m
         ORDER BY m.content_hash, m.content IS NULL
            ON CONFLICT (content_hash) DO UPDATE
               SET kept_at = now(), content = coalesce(e.content, excluded.content),
                   content_address = coalesce(excluded.content_address, e.content_address);
    ELSE
        INSERT INTO earlier_media AS e (content_hash, content, size_bytes, content_address)
        VALUES (OLD.content_hash, OLD.content, OLD.size_bytes, OLD.content_address)
            ON CONFLICT (content_hash) DO UPDATE
               SET kept_at = now(), content = coalesce(e.content, excluded.content),
                   content_address = coalesce(excluded.content_address, e.content_address);
    END IF;
    PERFORM earlier_media_forget();
    RETURN NULL;
END
$$;

-- A row as the journal keeps it: its bytes by their hash.
CREATE OR REPLACE FUNCTION media_assets_side(
    id uuid, media_key varchar, file_name varchar, media_type varchar, content_hash varchar,
    size_bytes bigint, width integer, height integer, alt text, is_decorative boolean,
    focal_point varchar, served_path varchar
) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path FROM CURRENT AS $$
    SELECT jsonb_build_object(
               'id', id, 'media_key', media_key, 'file_name', file_name, 'media_type', media_type,
               'content_hash', content_hash, 'size_bytes', size_bytes, 'width', width,
               'height', height, 'alt', alt, 'is_decorative', is_decorative,
               'focal_point', focal_point, 'served_path', served_path)
$$;

-- Writes queue rows as the functions of file 21 do: one for each row that changed. A file can be on
-- any page, so it may concern every app and node; a build finds out which pages show it.
CREATE OR REPLACE FUNCTION media_assets_capture() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan SET TimeZone = 'UTC' AS $$
DECLARE
    ids uuid[];
    befores jsonb[];
    afters jsonb[];
BEGIN
    IF TG_OP = 'UPDATE' THEN
        SELECT array_agg(given.id), array_agg(given.before), array_agg(given.after)
          INTO ids, befores, afters
          FROM (SELECT coalesce(o.id, n.id) AS id,
                       CASE WHEN o.id IS NOT NULL THEN media_assets_side(
                           o.id, o.media_key, o.file_name, o.media_type, o.content_hash,
                           o.size_bytes, o.width, o.height, o.alt, o.is_decorative, o.focal_point,
                           o.served_path) END AS before,
                       CASE WHEN n.id IS NOT NULL THEN media_assets_side(
                           n.id, n.media_key, n.file_name, n.media_type, n.content_hash,
                           n.size_bytes, n.width, n.height, n.alt, n.is_decorative, n.focal_point,
                           n.served_path) END AS after
                  FROM old_rows o FULL JOIN new_rows n ON n.id = o.id) AS given
         WHERE given.before IS DISTINCT FROM given.after;
    ELSIF TG_OP = 'INSERT' THEN
        SELECT array_agg(n.id), array_agg(media_assets_side(
                   n.id, n.media_key, n.file_name, n.media_type, n.content_hash, n.size_bytes,
                   n.width, n.height, n.alt, n.is_decorative, n.focal_point, n.served_path))
          INTO ids, afters
          FROM new_rows n;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(o.id), array_agg(media_assets_side(
                   o.id, o.media_key, o.file_name, o.media_type, o.content_hash, o.size_bytes,
                   o.width, o.height, o.alt, o.is_decorative, o.focal_point, o.served_path))
          INTO ids, befores
          FROM old_rows o;
    ELSE
        SELECT array_agg(o.id), array_agg(media_assets_side(
                   o.id, o.media_key, o.file_name, o.media_type, o.content_hash, o.size_bytes,
                   o.width, o.height, o.alt, o.is_decorative, o.focal_point, o.served_path))
          INTO ids, befores
          FROM media_assets o;
    END IF;
    IF ids IS NOT NULL THEN
        PERFORM robbieblocks_enqueue('media_update', 'media', ids, NULL, NULL, ids, befores, afters);
    END IF;
    RETURN NULL;
END
$$;

-- Whoever may use it could put it on a temporary table of his own, and so write queue rows.
REVOKE ALL ON FUNCTION media_assets_capture, media_assets_keep, earlier_media_forget FROM PUBLIC;

-- Only what is missing is made: CREATE OR REPLACE would wait for whoever reads or writes the table.
DO $$
DECLARE
    it record;
BEGIN
    FOR it IN
        SELECT * FROM (VALUES
            ('media_assets_measure',
             'BEFORE INSERT OR UPDATE ON media_assets FOR EACH ROW '
             'EXECUTE FUNCTION media_assets_measure()'),
            ('media_assets_touch',
             'BEFORE UPDATE ON media_assets FOR EACH ROW '
             'WHEN (OLD.* *<> NEW.* AND OLD.updated_at IS NOT DISTINCT FROM NEW.updated_at '
             'AND OLD.imported_hash IS NOT DISTINCT FROM NEW.imported_hash) '
             'EXECUTE FUNCTION robbieblocks_touch()'),
            ('media_assets_capture_insert',
             'AFTER INSERT ON media_assets REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT '
             'EXECUTE FUNCTION media_assets_capture()'),
            ('media_assets_capture_update',
             'AFTER UPDATE ON media_assets REFERENCING OLD TABLE AS old_rows '
             'NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION media_assets_capture()'),
            ('media_assets_capture_delete',
             'AFTER DELETE ON media_assets REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT '
             'EXECUTE FUNCTION media_assets_capture()'),
            ('media_assets_capture_truncate',
             'BEFORE TRUNCATE ON media_assets FOR EACH STATEMENT '
             'EXECUTE FUNCTION media_assets_capture()'),
            ('media_assets_keep_replaced',
             'AFTER UPDATE ON media_assets FOR EACH ROW '
             'WHEN (OLD.content_hash IS DISTINCT FROM NEW.content_hash) '
             'EXECUTE FUNCTION media_assets_keep()'),
            ('media_assets_keep_deleted',
             'AFTER DELETE ON media_assets FOR EACH ROW EXECUTE FUNCTION media_assets_keep()'),
            ('media_assets_keep_truncated',
             'BEFORE TRUNCATE ON media_assets FOR EACH STATEMENT '
             'EXECUTE FUNCTION media_assets_keep()')
        ) AS wanted (name, definition)
         WHERE NOT EXISTS (SELECT FROM pg_trigger t
                            WHERE t.tgrelid = to_regclass('media_assets')
                              AND t.tgname = wanted.name)
    LOOP
        EXECUTE format('CREATE TRIGGER %I %s', it.name, it.definition);
    END LOOP;
    FOR it IN
        SELECT t.tgname AS name FROM pg_trigger t
         WHERE t.tgrelid = to_regclass('media_assets') AND t.tgname LIKE 'media\_assets\_keep\_%'
           AND t.tgenabled <> 'A'
    LOOP
        EXECUTE format('ALTER TABLE media_assets ENABLE ALWAYS TRIGGER %I', it.name);
    END LOOP;
END
$$;

COMMENT ON TABLE media_assets IS 'Pictures, fonts and other files that pages show; docs/media.md.';
COMMENT ON COLUMN media_assets.media_key IS 'The name by which pages refer to it: `media:<key>`.';
COMMENT ON COLUMN media_assets.file_name IS 'The name of its file, such as `harbour.jpg`.';
COMMENT ON COLUMN media_assets.media_type IS 'What it is, such as `image/jpeg`. A build compares the bytes with it.';
COMMENT ON COLUMN media_assets.content IS 'The bytes as they were given; null where they lie in a bucket. What is served is made of them.';
COMMENT ON COLUMN media_assets.content_address IS 'Where the bytes lie in a bucket, as `s3://name/key`; null where they are in `content`.';
COMMENT ON COLUMN media_assets.content_hash IS 'SHA-256 of the bytes; a trigger sets it where they are in `content`.';
COMMENT ON COLUMN media_assets.size_bytes IS 'The number of bytes; a trigger sets it where they are in `content`.';
COMMENT ON COLUMN media_assets.width IS 'The width of a picture in pixels, for people; a build measures it itself.';
COMMENT ON COLUMN media_assets.height IS 'The height of a picture in pixels, for people; a build measures it itself.';
COMMENT ON COLUMN media_assets.alt IS 'What a picture shows, for those who don''t see it.';
COMMENT ON COLUMN media_assets.is_decorative IS 'Whether a picture says nothing that the text does not: it needs no `alt`.';
COMMENT ON COLUMN media_assets.focal_point IS 'What of a picture stays in sight where it is cropped: two percentages, such as `50% 20%`.';
COMMENT ON COLUMN media_assets.served_path IS 'A fixed address at which every site serves it too, such as `/ads.txt`.';
COMMENT ON COLUMN media_assets.imported_hash IS 'The row as it was last imported from a file.';
COMMENT ON TABLE earlier_media IS 'Bytes of media that were replaced or deleted, for 30 days and up to 1 GiB; docs/media.md.';
COMMENT ON COLUMN earlier_media.content_hash IS 'SHA-256 of the bytes, by which changes name them.';
COMMENT ON COLUMN earlier_media.content IS 'The bytes; null where they lie in a bucket alone.';
COMMENT ON COLUMN earlier_media.content_address IS 'Where they lie in a bucket.';
COMMENT ON COLUMN earlier_media.size_bytes IS 'The number of bytes.';
COMMENT ON COLUMN earlier_media.kept_at IS 'When they were replaced or deleted last.';
COMMENT ON FUNCTION earlier_media_forget() IS 'Removes bytes that are not kept any more; returns how many.';
COMMENT ON FUNCTION media_assets_keep() IS 'Keeps bytes that are replaced or deleted.';
COMMENT ON FUNCTION media_assets_measure() IS 'Sets the hash and the size of a row that is written.';
COMMENT ON FUNCTION media_assets_side(uuid, varchar, varchar, varchar, varchar, bigint, integer, integer, text, boolean, varchar, varchar) IS 'A row as the journal keeps it.';
COMMENT ON FUNCTION media_assets_capture() IS 'Writes a row into the change queue for each file that changed.';

COMMIT;
