-- Conversations of people with the AI, their messages, and what the AI remembers.
--
-- Who may read: a session sees, in its town, the conversations and memories of its user and those
-- of no user, and with a conversation all that belongs to it. Messages and conversations are sized
-- for millions of rows: one index finds a conversation's messages in order, and time has a BRIN
-- index, which stays small.
--
-- Needs 01-core.sql. PostgreSQL 15 to 18, no superuser; any number of times. Embeddings are there
-- where the extension vector is installed (file 03).

BEGIN ISOLATION LEVEL READ COMMITTED;

SET LOCAL client_min_messages = warning;

DO $$
BEGIN
    IF to_regprocedure('schema_begin(text,text[])') IS NULL THEN
        RAISE EXCEPTION '02-conversations.sql needs the table users of 01-core.sql'
              USING HINT = 'Apply 01-core.sql first, or all files: schema/init-unified-schema.sql.';
    END IF;
    PERFORM set_config('search_path',
                       schema_begin('02-conversations.sql', 'users', 'towns', 'companies'), true);
END
$$;

CREATE TABLE IF NOT EXISTS conversations (
    id               uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id          uuid,
    title            varchar(255),
    type             varchar(50) DEFAULT 'chat'
                     CHECK (type IN ('chat', 'support', 'training', 'system', 'vengeance')),
    status           varchar(50) DEFAULT 'active'
                     CHECK (status IN ('active', 'archived', 'deleted')),
    created_at       timestamptz DEFAULT now(),
    updated_at       timestamptz DEFAULT now(),
    last_message_at  timestamptz,
    message_count    integer     DEFAULT 0,
    metadata         jsonb       DEFAULT '{}',
    tags             text[]      DEFAULT '{}',
    importance_score integer     DEFAULT 5 CHECK (importance_score >= 1 AND importance_score <= 10),
    company_id       uuid,
    town_id          uuid
);

CREATE TABLE IF NOT EXISTS messages (
    id                uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    conversation_id   uuid,
    role              varchar(20) NOT NULL
                      CHECK (role IN ('user', 'assistant', 'system', 'gatekeeper', 'mentor',
                                      'robbie')),
    content           text NOT NULL,
    created_at        timestamptz DEFAULT now(),
    edited_at         timestamptz,
    deleted_at        timestamptz,
    metadata          jsonb       DEFAULT '{}',
    token_count       integer     DEFAULT 0,
    model_used        varchar(100),
    emotional_tone    varchar(50),
    confidence_score  double precision DEFAULT 1.0
                      CHECK (confidence_score >= 0 AND confidence_score <= 1),
    parent_message_id uuid,
    reaction_emojis   jsonb       DEFAULT '{}',
    is_pinned         boolean     DEFAULT false,
    is_flagged        boolean     DEFAULT false,
    flag_reason       text,
    company_id        uuid,
    town_id           uuid
);

CREATE TABLE IF NOT EXISTS conversation_context (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    conversation_id uuid,
    context_key     varchar(255) NOT NULL,
    context_value   jsonb        NOT NULL,
    created_at      timestamptz DEFAULT now(),
    expires_at      timestamptz,
    UNIQUE (conversation_id, context_key)
);

CREATE TABLE IF NOT EXISTS conversation_analytics (
    id                      uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    conversation_id         uuid,
    user_satisfaction_score double precision
                            CHECK (user_satisfaction_score >= 0 AND user_satisfaction_score <= 5),
    resolution_time_seconds integer,
    interaction_count       integer       DEFAULT 0,
    total_tokens_used       integer       DEFAULT 0,
    total_cost_usd          numeric(10,6) DEFAULT 0,
    sentiment_analysis      jsonb         DEFAULT '{}',
    key_topics              text[],
    created_at              timestamptz   DEFAULT now()
);

CREATE TABLE IF NOT EXISTS ai_memories (
    id                uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id           uuid,
    category          varchar(100) NOT NULL
                      CHECK (category IN ('preference', 'fact', 'relationship', 'behavior',
                                          'context', 'skill', 'goal', 'emotion', 'decision',
                                          'feedback')),
    subject           varchar(255) NOT NULL,
    content           text         NOT NULL,
    confidence_level  double precision DEFAULT 0.5
                      CHECK (confidence_level >= 0 AND confidence_level <= 1),
    importance_level  integer DEFAULT 5 CHECK (importance_level >= 1 AND importance_level <= 10),
    evidence_count    integer DEFAULT 1,
    evidence_examples text[],
    source_type       varchar(50)
                      CHECK (source_type IN ('conversation', 'observation', 'explicit', 'inferred',
                                             'system')),
    source_references uuid[],
    emotional_weight  integer DEFAULT 5 CHECK (emotional_weight >= 1 AND emotional_weight <= 10),
    associated_people text[],
    contextual_tags   text[],
    created_at        timestamptz DEFAULT now(),
    last_accessed     timestamptz DEFAULT now(),
    last_confirmed    timestamptz,
    access_count      integer     DEFAULT 1,
    decay_rate        double precision DEFAULT 0.95,
    is_core_memory    boolean     DEFAULT false,
    expires_at        timestamptz
);

CREATE TABLE IF NOT EXISTS ai_mentors (
    id                 uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name               varchar(100) NOT NULL UNIQUE,
    description        text,
    personality_prompt text,
    avatar_url         varchar(500),
    voice_settings     jsonb       DEFAULT '{}',
    behavioral_traits  jsonb       DEFAULT '{}',
    knowledge_domains  text[],
    interaction_style  varchar(50)
                       CHECK (interaction_style IN ('formal', 'casual', 'playful', 'professional',
                                                    'mentor')),
    emotional_range    jsonb       DEFAULT '{}',
    tool_permissions   text[],
    is_active          boolean     DEFAULT true,
    created_at         timestamptz DEFAULT now(),
    updated_at         timestamptz DEFAULT now(),
    metadata           jsonb       DEFAULT '{}'
);

-- Counts a conversation's messages, once a statement and not once a row. It runs with the rights of
-- whoever writes the messages. Messages that are marked as deleted don't count.
CREATE OR REPLACE FUNCTION update_conversation_stats() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    changes jsonb;
BEGIN
    IF TG_OP = 'INSERT' THEN
        UPDATE conversations c
           SET message_count = coalesce(c.message_count, 0) + written.more,
               last_message_at = greatest(c.last_message_at, written.newest),
               updated_at = now()
          FROM (SELECT conversation_id, count(*) AS more, max(created_at) AS newest FROM after
                 WHERE deleted_at IS NULL GROUP BY 1) AS written
         WHERE c.id = written.conversation_id;
        RETURN NULL;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT jsonb_object_agg(conversation_id, more) INTO changes
          FROM (SELECT conversation_id, -count(*) AS more FROM before
                 WHERE deleted_at IS NULL AND conversation_id IS NOT NULL GROUP BY 1) AS counted;
    ELSE
        SELECT jsonb_object_agg(conversation_id, more) INTO changes
          FROM (SELECT conversation_id, sum(one) AS more
                  FROM (SELECT conversation_id, 1 AS one FROM after WHERE deleted_at IS NULL
                        UNION ALL
                        SELECT conversation_id, -1 FROM before WHERE deleted_at IS NULL) AS each
                 WHERE conversation_id IS NOT NULL
                 GROUP BY 1 HAVING sum(one) <> 0) AS counted;
    END IF;
    UPDATE conversations c
       SET message_count = greatest(0, coalesce(c.message_count, 0) + changed.value::integer),
           last_message_at = (SELECT max(m.created_at) FROM messages m
                               WHERE m.conversation_id = c.id AND m.deleted_at IS NULL),
           updated_at = now()
      FROM jsonb_each_text(changes) AS changed
     WHERE c.id = changed.key::uuid;
    RETURN NULL;
END
$$;

-- A memory that is written again was called to mind.
CREATE OR REPLACE FUNCTION update_memory_access() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    NEW.last_accessed := now();
    NEW.access_count := coalesce(OLD.access_count, 0) + 1;
    RETURN NEW;
END
$$;

DO $$
DECLARE
    on_table text;
BEGIN
    PERFORM schema_modernise('conversations', 'messages', 'conversation_context',
                             'conversation_analytics', 'ai_memories', 'ai_mentors');
    -- What the AI learned in one town is not told in another.
    PERFORM schema_column('ai_memories', 'town_id', 'uuid');
    PERFORM schema_embedding('messages', 'ai_memories');
    FOREACH on_table IN ARRAY ARRAY['conversations', 'messages', 'ai_memories'] LOOP
        PERFORM schema_default(on_table, 'town_id', 'current_town_id()');
    END LOOP;
    PERFORM schema_default('conversations', 'user_id', 'app_user_id()');
    PERFORM schema_default('ai_memories', 'user_id', 'app_user_id()');

    -- Those that begin with a foreign key's column are its index, too.
    PERFORM schema_index('conversations_user_recent_idx',
                         'conversations (user_id, last_message_at DESC)');
    PERFORM schema_index('conversations_town_created_idx', 'conversations (town_id, created_at)');
    PERFORM schema_index('conversations_created_brin_idx', 'conversations USING brin (created_at)');
    PERFORM schema_index('idx_conversations_tags', 'conversations USING gin (tags)');
    PERFORM schema_index('messages_conversation_created_idx',
                         'messages (conversation_id, created_at)');
    PERFORM schema_index('messages_town_created_idx', 'messages (town_id, created_at)');
    PERFORM schema_index('messages_created_brin_idx', 'messages USING brin (created_at)');
    PERFORM schema_index('messages_pinned_idx', 'messages (conversation_id) WHERE is_pinned');
    PERFORM schema_index('messages_flagged_idx', 'messages (town_id, created_at) WHERE is_flagged');
    PERFORM schema_index('conversation_context_expires_idx',
                         'conversation_context (expires_at) WHERE expires_at IS NOT NULL');
    PERFORM schema_index('idx_conversation_analytics_satisfaction',
                         'conversation_analytics (user_satisfaction_score)');
    PERFORM schema_index('ai_memories_user_importance_idx',
                         'ai_memories (user_id, importance_level DESC)');
    PERFORM schema_index('idx_ai_memories_tags', 'ai_memories USING gin (contextual_tags)');
    PERFORM schema_index('ai_memories_core_idx', 'ai_memories (user_id) WHERE is_core_memory');
    PERFORM schema_index('ai_memories_expires_idx',
                         'ai_memories (expires_at) WHERE expires_at IS NOT NULL');

    PERFORM schema_reference('conversations', 'user_id', 'users (id)', 'CASCADE');
    PERFORM schema_reference('conversations', 'company_id', 'companies (uid)', 'SET NULL');
    PERFORM schema_reference('conversations', 'town_id', 'towns (uid)');
    PERFORM schema_reference('messages', 'conversation_id', 'conversations (id)', 'CASCADE');
    PERFORM schema_reference('messages', 'parent_message_id', 'messages (id)', 'SET NULL');
    PERFORM schema_reference('messages', 'company_id', 'companies (uid)', 'SET NULL');
    PERFORM schema_reference('messages', 'town_id', 'towns (uid)');
    PERFORM schema_reference('conversation_context', 'conversation_id', 'conversations (id)',
                             'CASCADE');
    PERFORM schema_reference('conversation_analytics', 'conversation_id', 'conversations (id)',
                             'CASCADE');
    PERFORM schema_reference('ai_memories', 'user_id', 'users (id)', 'CASCADE');
    PERFORM schema_reference('ai_memories', 'town_id', 'towns (uid)');
    PERFORM schema_own_references('conversations', 'messages');

    PERFORM schema_check('conversations', 'conversations_message_count_check',
                         'message_count >= 0');
    PERFORM schema_check('messages', 'messages_conversation_check', 'conversation_id IS NOT NULL');
    PERFORM schema_check('messages', 'messages_token_count_check', 'token_count >= 0');
    PERFORM schema_check('messages', 'messages_parent_check', 'parent_message_id <> id');
    PERFORM schema_check('conversation_context', 'conversation_context_conversation_check',
                         'conversation_id IS NOT NULL');
    PERFORM schema_check('conversation_analytics', 'conversation_analytics_conversation_check',
                         'conversation_id IS NOT NULL');
    PERFORM schema_check('conversation_analytics', 'conversation_analytics_amounts_check',
        'resolution_time_seconds >= 0 AND interaction_count >= 0 AND total_tokens_used >= 0 '
        'AND total_cost_usd >= 0');
    PERFORM schema_check('ai_memories', 'ai_memories_decay_rate_check',
                         'decay_rate >= 0 AND decay_rate <= 1');

    PERFORM schema_protect_town('conversations');
    PERFORM schema_protect_user('conversations');
    PERFORM schema_protect_town('ai_memories');
    PERFORM schema_protect_user('ai_memories');
    PERFORM schema_protect('messages',
        '(SELECT all_towns()) OR town_id = (SELECT current_town_id()) AND EXISTS ('
        'SELECT FROM conversations c WHERE c.id = messages.conversation_id)');
    FOREACH on_table IN ARRAY ARRAY['conversation_context', 'conversation_analytics'] LOOP
        PERFORM schema_protect(on_table, format(
            '(SELECT all_towns()) OR EXISTS ('
            'SELECT FROM conversations c WHERE c.id = %I.conversation_id)', on_table));
    END LOOP;
    -- The same in every town, and written by the owner alone.
    PERFORM schema_protect('ai_mentors', '(SELECT all_towns())');
    PERFORM schema_policy('ai_mentors', 'read_by_all', 'FOR SELECT USING (true)');

    PERFORM schema_keep_updated_at('conversations', 'ai_mentors');
    PERFORM schema_drop_triggers('messages', 'trigger_update_conversation_stats');
    PERFORM schema_trigger('messages', 'conversation_stats_insert', 'AFTER INSERT',
        'REFERENCING NEW TABLE AS after '
        'FOR EACH STATEMENT EXECUTE FUNCTION update_conversation_stats()');
    PERFORM schema_trigger('messages', 'conversation_stats_update', 'AFTER UPDATE',
        'REFERENCING OLD TABLE AS before NEW TABLE AS after '
        'FOR EACH STATEMENT EXECUTE FUNCTION update_conversation_stats()');
    PERFORM schema_trigger('messages', 'conversation_stats_delete', 'AFTER DELETE',
        'REFERENCING OLD TABLE AS before '
        'FOR EACH STATEMENT EXECUTE FUNCTION update_conversation_stats()');
    PERFORM schema_trigger('ai_memories', 'trigger_update_memory_access', 'BEFORE UPDATE',
                           'FOR EACH ROW EXECUTE FUNCTION update_memory_access()');
END
$$;

REVOKE ALL ON FUNCTION update_conversation_stats, update_memory_access FROM PUBLIC;

COMMENT ON TABLE conversations IS 'Conversations with the AI: seen by their user, or in the whole town where they have none.';
COMMENT ON COLUMN conversations.user_id IS 'Whose conversation it is; NULL: the town''s.';
COMMENT ON COLUMN conversations.last_message_at IS 'When the newest message was written that is not marked as deleted.';
COMMENT ON COLUMN conversations.message_count IS 'Messages that are not marked as deleted; a trigger counts them.';
COMMENT ON COLUMN conversations.importance_score IS '1 (least) to 10.';
COMMENT ON COLUMN conversations.company_id IS 'The company (companies.uid) that the conversation is about.';
COMMENT ON COLUMN conversations.town_id IS 'The town (towns.uid) in which it was held.';
COMMENT ON TABLE messages IS 'Messages of conversations: seen by who sees the conversation.';
COMMENT ON COLUMN messages.role IS 'Who speaks.';
COMMENT ON COLUMN messages.deleted_at IS 'When the message was marked as deleted; NULL: it was not.';
COMMENT ON COLUMN messages.token_count IS 'How long the message is, in tokens of the model.';
COMMENT ON COLUMN messages.confidence_score IS 'How sure the model was: 0 to 1.';
COMMENT ON COLUMN messages.parent_message_id IS 'The message that this one answers.';
COMMENT ON COLUMN messages.reaction_emojis IS 'Reactions: an emoji to how many gave it.';
COMMENT ON COLUMN messages.company_id IS 'The company (companies.uid) that the message is about.';
COMMENT ON COLUMN messages.town_id IS 'The town (towns.uid) in which it was written.';
COMMENT ON TABLE conversation_context IS 'What a conversation keeps in mind: one value a key.';
COMMENT ON TABLE conversation_analytics IS 'What was measured about a conversation.';
COMMENT ON COLUMN conversation_analytics.user_satisfaction_score IS '0 (worst) to 5.';
COMMENT ON TABLE ai_memories IS 'What the AI remembers of a user, or of a town where it is of no user.';
COMMENT ON COLUMN ai_memories.subject IS 'What the memory is about.';
COMMENT ON COLUMN ai_memories.confidence_level IS 'How sure it is: 0 to 1.';
COMMENT ON COLUMN ai_memories.importance_level IS '1 (least) to 10.';
COMMENT ON COLUMN ai_memories.evidence_count IS 'How often it was observed.';
COMMENT ON COLUMN ai_memories.source_references IS 'Ids of the messages or documents that it comes from.';
COMMENT ON COLUMN ai_memories.emotional_weight IS '1 (least) to 10.';
COMMENT ON COLUMN ai_memories.last_accessed IS 'When it was last written; a trigger sets it.';
COMMENT ON COLUMN ai_memories.access_count IS 'How often it was written; a trigger counts.';
COMMENT ON COLUMN ai_memories.decay_rate IS 'By what its weight is multiplied a day: 0 to 1.';
COMMENT ON COLUMN ai_memories.is_core_memory IS 'Never forgotten.';
COMMENT ON COLUMN ai_memories.town_id IS 'The town (towns.uid) in which it was learned.';
COMMENT ON TABLE ai_mentors IS 'Characters that the AI can take; the same in every town, written by the owner alone.';
COMMENT ON COLUMN ai_mentors.tool_permissions IS 'Names of the tools that it may use.';
COMMENT ON FUNCTION update_conversation_stats() IS 'Keeps message_count and last_message_at of conversations.';
COMMENT ON FUNCTION update_memory_access() IS 'Keeps last_accessed and access_count of ai_memories.';

COMMIT;
