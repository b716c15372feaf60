-- What LinkedIn has of a town's contacts, and how far it was fetched. Whoever sees the contact sees
-- it.
--
-- Needs 17-crm-entities.sql. PostgreSQL 15 to 18, no extension, no superuser; any number of times.

BEGIN ISOLATION LEVEL READ COMMITTED;

SET LOCAL client_min_messages = warning;

DO $$
BEGIN
    IF to_regprocedure('schema_begin(text,text[])') IS NULL THEN
        RAISE EXCEPTION '18-linkedin-integration.sql needs the table users of 01-core.sql'
              USING HINT = 'Apply 01-core.sql first, or all files: schema/init-unified-schema.sql.';
    END IF;
    PERFORM set_config('search_path',
                       schema_begin('18-linkedin-integration.sql', 'users', 'crm_contacts'), true);
END
$$;

CREATE TABLE IF NOT EXISTS linkedin_profiles (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    contact_id      uuid NOT NULL UNIQUE,
    profile_url     text NOT NULL,
    name            text,
    headline        text,
    location        text,
    connections     integer     DEFAULT 0,
    followers       integer     DEFAULT 0,
    last_activity   timestamptz,
    profile_picture text,
    created_at      timestamptz DEFAULT now(),
    updated_at      timestamptz DEFAULT now()
);

CREATE TABLE IF NOT EXISTS linkedin_posts (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    post_id     text NOT NULL,
    contact_id  uuid NOT NULL,
    author_name text,
    author_url  text,
    content     text,
    post_type   text        DEFAULT 'text'
                CHECK (post_type IN ('text', 'image', 'video', 'article')),
    engagement  jsonb       DEFAULT '{}',
    posted_at   timestamptz,
    hashtags    jsonb       DEFAULT '[]',
    mentions    jsonb       DEFAULT '[]',
    created_at  timestamptz DEFAULT now(),
    updated_at  timestamptz DEFAULT now()
);

CREATE TABLE IF NOT EXISTS linkedin_messages (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    message_id    text NOT NULL,
    contact_id    uuid NOT NULL,
    sender_name   text,
    sender_url    text,
    content       text,
    sent_at       timestamptz,
    message_type  text        DEFAULT 'message'
                  CHECK (message_type IN ('connection_request', 'message', 'inmail')),
    is_read       boolean     DEFAULT false,
    response_sent boolean     DEFAULT false,
    created_at    timestamptz DEFAULT now()
);

CREATE TABLE IF NOT EXISTS linkedin_activity (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    contact_id    uuid NOT NULL,
    activity_type text NOT NULL CHECK (
        activity_type IN ('post', 'comment', 'like', 'share', 'connection', 'message')),
    activity_data jsonb       DEFAULT '{}',
    activity_date timestamptz DEFAULT now(),
    source_url    text,
    created_at    timestamptz DEFAULT now()
);

CREATE TABLE IF NOT EXISTS linkedin_sync_status (
    id                 uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    contact_id         uuid NOT NULL UNIQUE,
    last_profile_sync  timestamptz,
    last_posts_sync    timestamptz,
    last_messages_sync timestamptz,
    sync_status        text        DEFAULT 'pending'
                       CHECK (sync_status IN ('pending', 'in_progress', 'completed', 'failed')),
    error_message      text,
    created_at         timestamptz DEFAULT now(),
    updated_at         timestamptz DEFAULT now()
);

DO $$
DECLARE
    on_table text;
BEGIN
    PERFORM schema_modernise('linkedin_profiles', 'linkedin_posts', 'linkedin_messages',
                             'linkedin_activity', 'linkedin_sync_status');
    PERFORM schema_index('idx_linkedin_posts_contact', 'linkedin_posts (contact_id)');
    PERFORM schema_index('idx_linkedin_messages_contact', 'linkedin_messages (contact_id)');
    PERFORM schema_index('idx_linkedin_activity_contact', 'linkedin_activity (contact_id)');
    FOREACH on_table IN ARRAY ARRAY['linkedin_profiles', 'linkedin_posts', 'linkedin_messages',
                                    'linkedin_activity', 'linkedin_sync_status'] LOOP
        PERFORM schema_reference(on_table, 'contact_id', 'crm_contacts (id)', 'CASCADE');
        PERFORM schema_protect(on_table, format(
            '(SELECT all_towns()) OR EXISTS (SELECT FROM crm_contacts c WHERE c.id = %I.contact_id)',
            on_table));
    END LOOP;
    -- Two towns may know one person, each by a contact of its own.
    PERFORM schema_unique_within('linkedin_posts', 'contact_id', 'post_id');
    PERFORM schema_unique_within('linkedin_messages', 'contact_id', 'message_id');
    PERFORM schema_keep_updated_at('linkedin_profiles', 'linkedin_posts', 'linkedin_sync_status');
    PERFORM schema_check('linkedin_profiles', 'linkedin_profiles_count_check',
                         'connections >= 0 AND followers >= 0');
    PERFORM schema_check('linkedin_posts', 'linkedin_posts_lists_check',
        $part$jsonb_typeof(hashtags) = 'array' AND jsonb_typeof(mentions) = 'array'$part$);
    PERFORM schema_index('idx_linkedin_profiles_last_activity', 'linkedin_profiles (last_activity)');
    PERFORM schema_index('idx_linkedin_profiles_url', 'linkedin_profiles (profile_url)');
    PERFORM schema_index('idx_linkedin_posts_posted_at', 'linkedin_posts (posted_at)');
    PERFORM schema_index('idx_linkedin_messages_sent_at', 'linkedin_messages (sent_at)');
    PERFORM schema_index('linkedin_messages_unread_idx',
                         'linkedin_messages (contact_id, sent_at) WHERE NOT is_read');
    PERFORM schema_index('idx_linkedin_activity_date', 'linkedin_activity (activity_date)');
    PERFORM schema_index('idx_linkedin_activity_type', 'linkedin_activity (activity_type)');
    PERFORM schema_index('idx_linkedin_sync_status', 'linkedin_sync_status (sync_status)');
END
$$;

-- The contacts with an open deal of whom something was not fetched for some hours, or never: one row
-- each with the greatest deal of the contact's company, the greatest first.
CREATE OR REPLACE FUNCTION get_vips_needing_sync(p_sync_type text DEFAULT 'profile',
                                                 p_hours_old integer DEFAULT 24)
RETURNS TABLE (contact_id uuid, first_name text, last_name text, email text, linkedin_url text,
               company_domain text, deal_name text, deal_amount numeric)
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM linkedin_check_sync_type(p_sync_type);
    RETURN QUERY
    SELECT c.id, c.first_name, c.last_name, c.email, p.profile_url, at.domain, deal.name, deal.amount
      FROM crm_contacts c
      JOIN LATERAL (SELECT d.name, d.amount FROM crm_deals d
                     WHERE d.company_id = c.company_id AND crm_deal_is_open(d.stage)
                     ORDER BY d.amount DESC NULLS LAST, d.id LIMIT 1) AS deal ON true
      LEFT JOIN linkedin_profiles p ON p.contact_id = c.id
      LEFT JOIN linkedin_sync_status s ON s.contact_id = c.id
      LEFT JOIN LATERAL (SELECT k.domain FROM crm_companies k WHERE k.company_id = c.company_id
                          ORDER BY k.domain NULLS LAST, k.id LIMIT 1) AS at ON true
     WHERE coalesce(CASE p_sync_type WHEN 'profile' THEN s.last_profile_sync
                                     WHEN 'posts' THEN s.last_posts_sync
                                     ELSE s.last_messages_sync END, '-infinity')
           <= now() - make_interval(hours => p_hours_old)
     ORDER BY deal.amount DESC NULLS LAST, c.id;
END
$$;

-- Notes what became of fetching something of a contact. The time is noted where it was completed.
CREATE OR REPLACE FUNCTION update_linkedin_sync_status(
    p_contact_id uuid, p_sync_type text, p_status text, p_error_message text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    done CONSTANT timestamptz := CASE WHEN p_status = 'completed' THEN now() END;
BEGIN
    PERFORM linkedin_check_sync_type(p_sync_type);
    INSERT INTO linkedin_sync_status AS s (contact_id, sync_status, error_message, last_profile_sync,
                                           last_posts_sync, last_messages_sync)
    VALUES (p_contact_id, p_status, p_error_message,
            CASE p_sync_type WHEN 'profile' THEN done END,
            CASE p_sync_type WHEN 'posts' THEN done END,
            CASE p_sync_type WHEN 'messages' THEN done END)
    ON CONFLICT (contact_id) DO UPDATE
       SET sync_status = EXCLUDED.sync_status,
           error_message = EXCLUDED.error_message,
           last_profile_sync = coalesce(EXCLUDED.last_profile_sync, s.last_profile_sync),
           last_posts_sync = coalesce(EXCLUDED.last_posts_sync, s.last_posts_sync),
           last_messages_sync = coalesce(EXCLUDED.last_messages_sync, s.last_messages_sync);
END
$$;

CREATE OR REPLACE FUNCTION linkedin_check_sync_type(sync_type text) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS $$
BEGIN
    IF sync_type IS NULL OR sync_type NOT IN ('profile', 'posts', 'messages') THEN
        RAISE EXCEPTION 'nothing is fetched as %', coalesce(sync_type, 'null')
              USING ERRCODE = 'invalid_parameter_value',
                    HINT = 'There are profile, posts and messages.';
    END IF;
END
$$;

COMMENT ON TABLE linkedin_profiles IS 'The LinkedIn profile of a contact.';
COMMENT ON COLUMN linkedin_profiles.last_activity IS 'When the person was last active there.';
COMMENT ON COLUMN linkedin_profiles.profile_picture IS 'The picture''s address.';
COMMENT ON TABLE linkedin_posts IS 'Posts of contacts.';
COMMENT ON COLUMN linkedin_posts.post_id IS 'LinkedIn''s id of the post.';
COMMENT ON COLUMN linkedin_posts.engagement IS 'How many liked, shared and commented it, by name.';
COMMENT ON COLUMN linkedin_posts.mentions IS 'Whom the post names: a list.';
COMMENT ON TABLE linkedin_messages IS 'Messages with contacts.';
COMMENT ON COLUMN linkedin_messages.message_id IS 'LinkedIn''s id of the message.';
COMMENT ON COLUMN linkedin_messages.response_sent IS 'Whether the message was answered.';
COMMENT ON TABLE linkedin_activity IS 'What contacts did there: a row each time.';
COMMENT ON COLUMN linkedin_activity.activity_data IS 'What LinkedIn tells of it.';
COMMENT ON TABLE linkedin_sync_status IS 'What was last fetched of a contact, and when.';
COMMENT ON COLUMN linkedin_sync_status.error_message IS 'Why the last attempt failed.';
COMMENT ON FUNCTION get_vips_needing_sync(text, integer) IS
    'Contacts with an open deal of whom profile, posts or messages were not fetched for some hours.';
COMMENT ON FUNCTION update_linkedin_sync_status(uuid, text, text, text) IS
    'Notes what became of fetching profile, posts or messages of a contact.';

COMMIT;
