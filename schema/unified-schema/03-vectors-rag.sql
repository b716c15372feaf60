-- Documents, what is known, and embeddings of both: search by meaning with the extension vector.
--
-- Who may read: a session sees, in its town, its user's rows and those that are public there. A
-- search returns what its session may see, and nothing else.
--
-- Needs 01-core.sql and the extension vector (pgvector 0.5 or later), which it installs where it may.
-- A server that can't have it goes on without this file:
--
--     psql -d robbieverse -v without_vectors=1 -f schema/init-unified-schema.sql
--
-- PostgreSQL 15 to 18, no superuser; any number of times.

BEGIN ISOLATION LEVEL READ COMMITTED;

SET LOCAL client_min_messages = warning;

DO $$
DECLARE
    refusal CONSTANT text := '03-vectors-rag.sql needs the extension vector';
    package CONSTANT text := format('postgresql-%s-pgvector',
                                    current_setting('server_version_num')::integer / 10000);
    without CONSTANT text := ', or go on without this file: psql -v without_vectors=1 -f '
        'schema/init-unified-schema.sql, robbieblocks db upgrade --unified --without-vectors.';
BEGIN
    IF to_regprocedure('schema_begin(text,text[])') IS NULL THEN
        RAISE EXCEPTION '03-vectors-rag.sql needs the table users of 01-core.sql'
              USING HINT = 'Apply 01-core.sql first, or all files: schema/init-unified-schema.sql.';
    END IF;
    PERFORM set_config('search_path',
                       schema_begin('03-vectors-rag.sql', 'users', 'towns', 'companies'), true);
    IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'vector') THEN
        IF NOT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') THEN
            RAISE EXCEPTION '%, and this server does not have it', refusal
                  USING HINT = format('Install %s on the server (elsewhere than on Debian the '
                                      'package is called pgvector)', package) || without;
        END IF;
        BEGIN
            CREATE EXTENSION vector;
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE EXCEPTION '%, and % may not install it', refusal, current_user
                  USING HINT = 'Have an administrator run CREATE EXTENSION vector in this database'
                               || without;
        END;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_am WHERE amname = 'hnsw') THEN
        RAISE EXCEPTION '% in version 0.5 or later, and has %', refusal,
              (SELECT extversion FROM pg_extension WHERE extname = 'vector')
              USING HINT = format('Install a newer %s, and run ALTER EXTENSION vector UPDATE',
                                  package) || without;
    END IF;
END
$$;

CREATE TABLE IF NOT EXISTS documents (
    id                uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    filename          varchar(500),
    file_path         text,
    file_hash         varchar(64),
    file_size_bytes   bigint,
    mime_type         varchar(100),
    content_extracted text,
    metadata          jsonb       DEFAULT '{}',
    processing_status varchar(50) DEFAULT 'pending'
                      CHECK (processing_status IN ('pending', 'processing', 'completed', 'failed',
                                                   'skipped')),
    processing_error  text,
    chunk_count       integer     DEFAULT 0,
    word_count        integer     DEFAULT 0,
    page_count        integer     DEFAULT 0,
    language          varchar(10),
    user_id           uuid,
    created_at        timestamptz DEFAULT now(),
    processed_at      timestamptz
);

CREATE TABLE IF NOT EXISTS embeddings (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    content        text NOT NULL,
    embedding      vector(1536),
    metadata       jsonb       DEFAULT '{}',
    source_type    varchar(50)
                   CHECK (source_type IN ('document', 'webpage', 'email', 'chat', 'code',
                                          'image_description', 'audio_transcript',
                                          'video_transcript')),
    source_url     text,
    document_id    varchar(255),
    chunk_index    integer     DEFAULT 0,
    chunk_total    integer     DEFAULT 1,
    user_id        uuid,
    is_public      boolean     DEFAULT false,
    language       varchar(10) DEFAULT 'en',
    created_at     timestamptz DEFAULT now(),
    updated_at     timestamptz DEFAULT now(),
    accessed_count integer     DEFAULT 0,
    last_accessed  timestamptz
);

CREATE TABLE IF NOT EXISTS embedding_collections (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name        varchar(255) NOT NULL,
    description text,
    user_id     uuid,
    is_public   boolean     DEFAULT false,
    metadata    jsonb       DEFAULT '{}',
    created_at  timestamptz DEFAULT now(),
    updated_at  timestamptz DEFAULT now()
);

CREATE TABLE IF NOT EXISTS embedding_collection_items (
    collection_id uuid NOT NULL,
    embedding_id  uuid NOT NULL,
    added_at      timestamptz DEFAULT now(),
    added_by      uuid,
    notes         text,
    PRIMARY KEY (collection_id, embedding_id)
);

CREATE TABLE IF NOT EXISTS knowledge_base (
    id                uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    topic             varchar(255) NOT NULL,
    title             varchar(500),
    content           text NOT NULL,
    summary           text,
    embedding         vector(1536),
    category          varchar(100)
                      CHECK (category IN ('technical', 'business', 'personal', 'historical',
                                          'scientific', 'creative', 'reference', 'tutorial')),
    importance_score  integer DEFAULT 5 CHECK (importance_score >= 1 AND importance_score <= 10),
    confidence_score  double precision DEFAULT 1.0
                      CHECK (confidence_score >= 0 AND confidence_score <= 1),
    source_references text[],
    related_topics    text[],
    prerequisites     text[],
    user_id           uuid,
    is_verified       boolean     DEFAULT false,
    verified_by       uuid,
    is_public         boolean     DEFAULT true,
    view_count        integer     DEFAULT 0,
    helpful_count     integer     DEFAULT 0,
    created_at        timestamptz DEFAULT now(),
    updated_at        timestamptz DEFAULT now(),
    expires_at        timestamptz
);

CREATE TABLE IF NOT EXISTS search_history (
    id                uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id           uuid,
    query             text NOT NULL,
    query_embedding   vector(1536),
    search_type       varchar(50)
                      CHECK (search_type IN ('semantic', 'keyword', 'hybrid', 'sql')),
    filters           jsonb       DEFAULT '{}',
    results_count     integer     DEFAULT 0,
    top_results       jsonb       DEFAULT '[]',
    execution_time_ms integer,
    user_feedback     varchar(20)
                      CHECK (user_feedback IN ('helpful', 'not_helpful', 'neutral')),
    created_at        timestamptz DEFAULT now()
);

CREATE TABLE IF NOT EXISTS embedding_cache (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    cache_key  varchar(255) NOT NULL,
    embedding  vector(1536),
    metadata   jsonb       DEFAULT '{}',
    hit_count  integer     DEFAULT 0,
    created_at timestamptz DEFAULT now(),
    expires_at timestamptz NOT NULL
);

DO $$
DECLARE
    on_table text;
BEGIN
    PERFORM schema_modernise('documents', 'embeddings', 'embedding_collections',
                             'embedding_collection_items', 'knowledge_base', 'search_history',
                             'embedding_cache');
    -- Whoever deletes a user leaves documents of nobody: those stay hidden unless they were public.
    PERFORM schema_column('documents', 'is_public', 'boolean DEFAULT false');
    FOREACH on_table IN ARRAY ARRAY['documents', 'embeddings', 'embedding_collections',
                                    'knowledge_base', 'search_history', 'embedding_cache'] LOOP
        PERFORM schema_column(on_table, 'town_id', 'uuid');
        PERFORM schema_default(on_table, 'town_id', 'current_town_id()');
        PERFORM schema_reference(on_table, 'town_id', 'towns (uid)');
        PERFORM schema_protect_town(on_table);
    END LOOP;
    FOREACH on_table IN ARRAY ARRAY['documents', 'embeddings', 'embedding_collections',
                                    'knowledge_base', 'search_history'] LOOP
        PERFORM schema_default(on_table, 'user_id', 'app_user_id()');
        PERFORM schema_reference(on_table, 'user_id', 'users (id)',
            CASE WHEN on_table IN ('embedding_collections', 'search_history') THEN 'CASCADE'
                 ELSE 'SET NULL' END);
        PERFORM schema_protect_user(on_table, 'user_id',
                                    CASE on_table WHEN 'search_history' THEN NULL
                                         ELSE 'is_public' END);
    END LOOP;
    PERFORM schema_reference('embedding_collection_items', 'collection_id',
                             'embedding_collections (id)', 'CASCADE');
    PERFORM schema_reference('embedding_collection_items', 'embedding_id', 'embeddings (id)',
                             'CASCADE');
    PERFORM schema_reference('embedding_collection_items', 'added_by', 'users (id)', 'SET NULL');
    PERFORM schema_reference('knowledge_base', 'verified_by', 'users (id)', 'SET NULL');
    PERFORM schema_default('embedding_collection_items', 'added_by', 'app_user_id()');
    -- An item is seen with its collection and its embedding, and written by whose collection it is.
    PERFORM schema_protect('embedding_collection_items',
        '(SELECT all_towns()) OR EXISTS (SELECT FROM embedding_collections c '
        'WHERE c.id = embedding_collection_items.collection_id) '
        'AND EXISTS (SELECT FROM embeddings e '
        'WHERE e.id = embedding_collection_items.embedding_id)');
    PERFORM schema_restrict_writes('embedding_collection_items',
        '(SELECT all_towns()) OR EXISTS (SELECT FROM embedding_collections c '
        'WHERE c.id = embedding_collection_items.collection_id '
        'AND (c.user_id IS NULL OR c.user_id = (SELECT app_user_id())))');

    PERFORM schema_unique_in_town('documents', 'file_hash');
    PERFORM schema_unique_in_town('embedding_collections', 'name', 'user_id');
    PERFORM schema_unique_in_town('embedding_cache', 'cache_key');
    PERFORM schema_keep_updated_at('embeddings', 'embedding_collections', 'knowledge_base');

    PERFORM schema_check('documents', 'documents_amounts_check',
        'file_size_bytes >= 0 AND chunk_count >= 0 AND word_count >= 0 AND page_count >= 0');
    PERFORM schema_check('embeddings', 'embeddings_chunk_check',
                         'chunk_index >= 0 AND chunk_total >= 0');
    PERFORM schema_check('knowledge_base', 'knowledge_base_counts_check',
                         'view_count >= 0 AND helpful_count >= 0');
    PERFORM schema_check('search_history', 'search_history_amounts_check',
                         'results_count >= 0 AND execution_time_ms >= 0');
    PERFORM schema_check('embedding_cache', 'embedding_cache_hit_count_check', 'hit_count >= 0');

    PERFORM schema_embedding('embeddings', 'knowledge_base', 'search_history.query_embedding');
    -- Tables of files that were applied before the extension was there.
    PERFORM schema_embedding(name)
       FROM unnest('{companies, messages, ai_memories, contacts, activities, deals.deal_embedding,
                     shared_knowledge_base, shared_enriched_records,
                     shared_market_intelligence}'::text[]) AS name
      WHERE to_regclass(split_part(name, '.', 1)) IS NOT NULL;
    PERFORM schema_index('documents_waiting_idx', 'documents (created_at) '
                         'WHERE processing_status IN (''pending'', ''processing'')');
    PERFORM schema_index('idx_embeddings_document_id', 'embeddings (document_id)');
    PERFORM schema_index('embeddings_created_brin_idx', 'embeddings USING brin (created_at)');
    PERFORM schema_index('idx_knowledge_base_topic', 'knowledge_base (topic)');
    PERFORM schema_index('idx_knowledge_base_category', 'knowledge_base (category)');
    PERFORM schema_index('idx_knowledge_base_related_topics',
                         'knowledge_base USING gin (related_topics)');
    PERFORM schema_index('search_history_created_brin_idx',
                         'search_history USING brin (created_at)');
    PERFORM schema_index('idx_embedding_cache_expires_at', 'embedding_cache (expires_at)');
    PERFORM schema_drop_function('find_similar_embeddings',
        'query_embedding vector, limit_count integer DEFAULT 10, '
        'threshold double precision DEFAULT 0.7 RETURNS '
        'TABLE(id uuid, content text, similarity double precision, metadata jsonb)');
END
$$;

-- The nearest embeddings by cosine similarity (1: the same direction), best first, of those that the
-- session sees.
CREATE OR REPLACE FUNCTION find_similar_embeddings(
    query_embedding vector, limit_count integer DEFAULT 10, threshold double precision DEFAULT 0.7)
RETURNS TABLE (id uuid, content text, similarity double precision, metadata jsonb)
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT * FROM (
        SELECT e.id, e.content, 1 - (e.embedding <=> query_embedding) AS similarity, e.metadata
          FROM embeddings e
         WHERE e.embedding IS NOT NULL
         ORDER BY e.embedding <=> query_embedding
         LIMIT greatest(0, coalesce(limit_count, 10))) AS nearest
     WHERE nearest.similarity >= coalesce(threshold, 0.7)
     ORDER BY nearest.similarity DESC
$$;

-- Deletes what has expired of the cache, of the session's town; returns how many.
CREATE OR REPLACE FUNCTION clean_expired_cache() RETURNS integer
LANGUAGE sql SET search_path FROM CURRENT AS $$
    WITH gone AS (DELETE FROM embedding_cache WHERE expires_at < now() RETURNING 1)
    SELECT count(*)::integer FROM gone
$$;

-- The index finds the nearest of all rows, of which a session sees some: it has to go on until there
-- are enough of those. pgvector can from version 0.8 on.
DO $$
BEGIN
    PERFORM '[1]'::vector;  -- the setting is there once the library is loaded
    IF current_setting('hnsw.iterative_scan', true) IS NOT NULL THEN
        ALTER FUNCTION find_similar_embeddings SET hnsw.iterative_scan = strict_order;
    END IF;
END
$$;

COMMENT ON TABLE documents IS 'Files whose text was read, or is to be.';
COMMENT ON COLUMN documents.file_hash IS 'SHA-256 of the file, in hexadecimal; a town has a file once.';
COMMENT ON COLUMN documents.content_extracted IS 'The text of the file.';
COMMENT ON COLUMN documents.chunk_count IS 'In how many pieces its text is embedded.';
COMMENT ON COLUMN documents.user_id IS 'Whose document it is; the user alone sees it unless it is public.';
COMMENT ON COLUMN documents.is_public IS 'Seen by the whole town; never by another.';
COMMENT ON COLUMN documents.town_id IS 'The town (towns.uid) that has the document.';
COMMENT ON TABLE embeddings IS 'Pieces of text with their embedding.';
COMMENT ON COLUMN embeddings.embedding IS 'The text''s embedding by a model with 1536 dimensions.';
COMMENT ON COLUMN embeddings.document_id IS
    'The document that the piece is of: documents.id as text, or the id that another system has for it.';
COMMENT ON COLUMN embeddings.chunk_index IS 'Which piece of the document it is.';
COMMENT ON COLUMN embeddings.user_id IS 'Whose piece it is; the user alone sees it unless it is public.';
COMMENT ON COLUMN embeddings.is_public IS 'Seen by the whole town; never by another.';
COMMENT ON COLUMN embeddings.town_id IS 'The town (towns.uid) that has the piece.';
COMMENT ON TABLE embedding_collections IS 'Named sets of embeddings.';
COMMENT ON COLUMN embedding_collections.is_public IS 'Seen by the whole town; never by another.';
COMMENT ON COLUMN embedding_collections.town_id IS 'The town (towns.uid) that has the collection.';
COMMENT ON TABLE embedding_collection_items IS 'What is in a collection.';
COMMENT ON TABLE knowledge_base IS 'What is known, by topic.';
COMMENT ON COLUMN knowledge_base.importance_score IS '1 (least) to 10.';
COMMENT ON COLUMN knowledge_base.confidence_score IS '0 to 1.';
COMMENT ON COLUMN knowledge_base.prerequisites IS 'Topics to know before.';
COMMENT ON COLUMN knowledge_base.verified_by IS 'The user who checked it.';
COMMENT ON COLUMN knowledge_base.is_public IS 'Seen by the whole town; never by another.';
COMMENT ON COLUMN knowledge_base.town_id IS 'The town (towns.uid) that knows it.';
COMMENT ON TABLE search_history IS 'What a user searched for.';
COMMENT ON COLUMN search_history.top_results IS 'The best results, as they were shown.';
COMMENT ON COLUMN search_history.town_id IS 'The town (towns.uid) in which the search was made.';
COMMENT ON TABLE embedding_cache IS 'Embeddings by what they were made from, so that a text is embedded once.';
COMMENT ON COLUMN embedding_cache.cache_key IS 'A hash of the text and the model; unique in a town.';
COMMENT ON COLUMN embedding_cache.town_id IS 'The town (towns.uid) that embedded the text.';
COMMENT ON FUNCTION find_similar_embeddings(vector, integer, double precision) IS
    'The nearest embeddings that the session may see, best first.';
COMMENT ON FUNCTION clean_expired_cache() IS 'Deletes what has expired of the cache; returns how many.';

COMMIT;
