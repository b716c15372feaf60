-- What passed between a town and the people that it deals with, what they did on its sites, and how
-- engaged they are.
--
--      1  Tables
--      2  Who sees and writes what
--      3  Scores: engagement_events, engagement_event_scores, person_engagement, company_engagement,
--         email_engagement_rates
--      4  Comments
--
-- Needs 12-rbac_and_privacy.sql and 17-crm-entities.sql. PostgreSQL 15 to 18, no extension, no
-- superuser; any number of times.

BEGIN ISOLATION LEVEL READ COMMITTED;

SET LOCAL client_min_messages = warning;

DO $$
BEGIN
    IF to_regprocedure('schema_begin(text,text[])') IS NULL THEN
        RAISE EXCEPTION '19-interactions-database.sql needs the table users of 01-core.sql'
              USING HINT = 'Apply 01-core.sql first, or all files: schema/init-unified-schema.sql.';
    END IF;
    PERFORM set_config('search_path',
                       schema_begin('19-interactions-database.sql', 'users', 'towns', 'companies',
                                    'roles', 'crm_contacts'), true);
END
$$;

-- 1  Tables -------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS interactions (
    id                 uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    interaction_type   varchar(50) NOT NULL,
    direction          varchar(20) NOT NULL,
    person_id          uuid,
    company_id         uuid,
    deal_id            uuid,
    subject            varchar(500),
    content            text,
    summary            text,
    source             varchar(100),
    external_id        varchar(200),
    thread_id          varchar(200),
    opened_at          timestamptz,
    clicked_at         timestamptz,
    replied_at         timestamptz,
    time_spent_seconds integer      DEFAULT 0,
    engagement_score   numeric(3,2) DEFAULT 0.0,
    sentiment          varchar(20),
    urgency            varchar(20),
    priority           varchar(20),
    created_at         timestamptz  DEFAULT now(),
    updated_at         timestamptz  DEFAULT now(),
    company_id_tenant  uuid,
    town_id            uuid,
    privacy_level      varchar(20)  DEFAULT 'internal'
);

CREATE TABLE IF NOT EXISTS email_engagement (
    id                 uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    interaction_id     uuid,
    email_id           varchar(200) NOT NULL,
    opened_at          timestamptz,
    open_count         integer     DEFAULT 0,
    first_open_at      timestamptz,
    last_open_at       timestamptz,
    clicked_at         timestamptz,
    click_count        integer     DEFAULT 0,
    first_click_at     timestamptz,
    last_click_at      timestamptz,
    clicked_links      text[],
    replied_at         timestamptz,
    reply_count        integer     DEFAULT 0,
    unsubscribed_at    timestamptz,
    unsubscribe_reason varchar(500),
    device_type        varchar(50),
    location_country   varchar(100),
    location_city      varchar(100),
    created_at         timestamptz DEFAULT now(),
    updated_at         timestamptz DEFAULT now()
);

CREATE TABLE IF NOT EXISTS website_activity (
    id                   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    person_id            uuid,
    company_id           uuid,
    page_url             varchar(1000) NOT NULL,
    page_title           varchar(500),
    referrer             varchar(1000),
    session_id           varchar(200),
    user_agent           text,
    ip_address           inet,
    time_on_page_seconds integer DEFAULT 0,
    scroll_depth_percent integer DEFAULT 0,
    bounce               boolean DEFAULT false,
    converted            boolean DEFAULT false,
    conversion_type      varchar(100),
    conversion_value     numeric(10,2),
    visited_at           timestamptz DEFAULT now(),
    company_id_tenant    uuid,
    town_id              uuid
);

CREATE TABLE IF NOT EXISTS engagement_rules (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    rule_name    varchar(200) NOT NULL,
    rule_type    varchar(50)  NOT NULL,
    conditions   jsonb        NOT NULL,
    base_score   numeric(3,2) NOT NULL,
    multiplier   numeric(3,2) DEFAULT 1.0,
    max_score    numeric(3,2) DEFAULT 1.0,
    decay_hours  integer      DEFAULT 24,
    decay_factor numeric(3,2) DEFAULT 0.9,
    active       boolean      DEFAULT true,
    priority     integer      DEFAULT 0,
    created_at   timestamptz  DEFAULT now(),
    updated_at   timestamptz  DEFAULT now()
);

CREATE TABLE IF NOT EXISTS person_engagement_scores (
    id                    uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    person_id             uuid UNIQUE,
    total_score           numeric(5,2) DEFAULT 0.0,
    email_score           numeric(5,2) DEFAULT 0.0,
    website_score         numeric(5,2) DEFAULT 0.0,
    social_score          numeric(5,2) DEFAULT 0.0,
    meeting_score         numeric(5,2) DEFAULT 0.0,
    total_interactions    integer      DEFAULT 0,
    email_interactions    integer      DEFAULT 0,
    website_visits        integer      DEFAULT 0,
    social_interactions   integer      DEFAULT 0,
    meetings              integer      DEFAULT 0,
    last_interaction_at   timestamptz,
    last_email_at         timestamptz,
    last_website_visit_at timestamptz,
    last_social_at        timestamptz,
    last_meeting_at       timestamptz,
    score_trend           varchar(20),
    activity_trend        varchar(20),
    calculated_at         timestamptz  DEFAULT now(),
    updated_at            timestamptz  DEFAULT now()
);

CREATE TABLE IF NOT EXISTS company_engagement_scores (
    id                       uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    company_id               uuid UNIQUE,
    total_score              numeric(5,2) DEFAULT 0.0,
    email_score              numeric(5,2) DEFAULT 0.0,
    website_score            numeric(5,2) DEFAULT 0.0,
    social_score             numeric(5,2) DEFAULT 0.0,
    meeting_score            numeric(5,2) DEFAULT 0.0,
    total_interactions       integer      DEFAULT 0,
    unique_people_interacted integer      DEFAULT 0,
    email_interactions       integer      DEFAULT 0,
    website_visits           integer      DEFAULT 0,
    social_interactions      integer      DEFAULT 0,
    meetings                 integer      DEFAULT 0,
    last_interaction_at      timestamptz,
    last_email_at            timestamptz,
    last_website_visit_at    timestamptz,
    last_social_at           timestamptz,
    last_meeting_at          timestamptz,
    score_trend              varchar(20),
    activity_trend           varchar(20),
    calculated_at            timestamptz  DEFAULT now(),
    updated_at               timestamptz  DEFAULT now()
);

DO $$
BEGIN
    PERFORM schema_modernise('interactions', 'email_engagement', 'website_activity',
                             'engagement_rules', 'person_engagement_scores',
                             'company_engagement_scores');
    PERFORM schema_default('interactions', 'town_id', 'current_town_id()');
    PERFORM schema_default('website_activity', 'town_id', 'current_town_id()');

    PERFORM schema_index('idx_interactions_person_id', 'interactions (person_id, created_at)');
    PERFORM schema_index('idx_interactions_company_id', 'interactions (company_id, created_at)');
    PERFORM schema_index('idx_interactions_deal_id', 'interactions (deal_id)');
    PERFORM schema_index('interactions_town_idx', 'interactions (town_id, created_at)');
    PERFORM schema_index('idx_website_activity_person_id', 'website_activity (person_id, visited_at)');
    PERFORM schema_index('idx_website_activity_company_id',
                         'website_activity (company_id, visited_at)');
    PERFORM schema_index('website_activity_town_idx', 'website_activity (town_id, visited_at)');
    -- What passed stays when the CRM's record of whom it was with goes; scores go with it.
    PERFORM schema_reference('interactions', 'person_id', 'crm_contacts (id)', 'SET NULL');
    PERFORM schema_reference('interactions', 'company_id', 'crm_companies (id)', 'SET NULL');
    PERFORM schema_reference('interactions', 'deal_id', 'crm_deals (id)', 'SET NULL');
    PERFORM schema_reference('interactions', 'company_id_tenant', 'companies (uid)', 'SET NULL');
    PERFORM schema_reference('interactions', 'town_id', 'towns (uid)');
    PERFORM schema_reference('email_engagement', 'interaction_id', 'interactions (id)', 'CASCADE');
    PERFORM schema_reference('website_activity', 'person_id', 'crm_contacts (id)', 'SET NULL');
    PERFORM schema_reference('website_activity', 'company_id', 'crm_companies (id)', 'SET NULL');
    PERFORM schema_reference('website_activity', 'company_id_tenant', 'companies (uid)', 'SET NULL');
    PERFORM schema_reference('website_activity', 'town_id', 'towns (uid)');
    PERFORM schema_reference('person_engagement_scores', 'person_id', 'crm_contacts (id)', 'CASCADE');
    PERFORM schema_reference('company_engagement_scores', 'company_id', 'crm_companies (id)',
                             'CASCADE');
    PERFORM schema_keep_updated_at('interactions', 'email_engagement', 'engagement_rules',
                                   'person_engagement_scores', 'company_engagement_scores');

    PERFORM schema_check('interactions', 'interactions_numbers_check',
                         'time_spent_seconds >= 0 AND engagement_score >= 0');
    PERFORM schema_check('email_engagement', 'email_engagement_counts_check',
                         'open_count >= 0 AND click_count >= 0 AND reply_count >= 0');
    PERFORM schema_check('email_engagement', 'email_engagement_order_check',
                         'first_open_at <= last_open_at AND first_click_at <= last_click_at');
    PERFORM schema_check('website_activity', 'website_activity_numbers_check',
        'time_on_page_seconds >= 0 AND scroll_depth_percent BETWEEN 0 AND 100 '
        'AND conversion_value >= 0');
    PERFORM schema_check('engagement_rules', 'engagement_rules_numbers_check',
        'base_score >= 0 AND multiplier >= 0 AND max_score >= 0 AND decay_hours >= 0 '
        'AND decay_factor BETWEEN 0 AND 1');
    -- A name that engagement_events does not have would never match, and nobody would know.
    PERFORM schema_check('engagement_rules', 'engagement_rules_conditions_check',
        $part$jsonb_typeof(conditions) = 'object' AND conditions - ARRAY['direction', 'source',
              'sentiment', 'urgency', 'priority', 'opened', 'clicked', 'replied', 'bounce',
              'converted', 'conversion_type'] = '{}'$part$);

    PERFORM schema_index('idx_interactions_created_at', 'interactions (created_at)');
    PERFORM schema_index('idx_interactions_type', 'interactions (interaction_type)');
    PERFORM schema_index('idx_interactions_direction', 'interactions (direction)');
    PERFORM schema_index('idx_interactions_engagement_score', 'interactions (engagement_score)');
    PERFORM schema_index('interactions_external_idx',
                         'interactions (source, external_id) WHERE external_id IS NOT NULL');
    PERFORM schema_index('interactions_thread_idx',
                         'interactions (thread_id) WHERE thread_id IS NOT NULL');
    PERFORM schema_index('idx_email_engagement_email_id', 'email_engagement (email_id)');
    PERFORM schema_index('idx_email_engagement_opened_at', 'email_engagement (opened_at)');
    PERFORM schema_index('idx_email_engagement_clicked_at', 'email_engagement (clicked_at)');
    PERFORM schema_index('idx_website_activity_visited_at',
                         'website_activity USING brin (visited_at)');
    PERFORM schema_index('idx_website_activity_converted',
                         'website_activity (visited_at) WHERE converted');
    PERFORM schema_index('engagement_rules_type_idx', 'engagement_rules (rule_type) WHERE active');
    PERFORM schema_index('idx_person_engagement_scores_total_score',
                         'person_engagement_scores (total_score)');
    PERFORM schema_index('idx_company_engagement_scores_total_score',
                         'company_engagement_scores (total_score)');
END
$$;


-- 2  Who sees and writes what -------------------------------------------------------------------

DO $$
DECLARE
    owner CONSTANT text := $part$(SELECT pg_has_role(relowner, 'USAGE') FROM pg_class
                                   WHERE oid = 'interactions'::regclass)$part$;
BEGIN
    -- A town says of its own contacts, companies and deals alone what passed: a reference to
    -- another's would keep that town from removing it.
    PERFORM schema_own_references('interactions', 'website_activity');
    PERFORM schema_protect_town('interactions');
    PERFORM schema_protect_town('website_activity');
    -- For writing, too: an UPDATE without WHERE reads nothing, and would make them all public.
    PERFORM schema_policy('interactions', 'private_read', format(
        'AS RESTRICTIVE USING (coalesce(privacy_level IN (''public'', ''internal''), true) '
        'OR %s OR (SELECT app_has_permission(''interactions.read_private''))) WITH CHECK (true)',
        owner));
    PERFORM schema_protect('email_engagement',
        '(SELECT all_towns()) '
        'OR EXISTS (SELECT FROM interactions i WHERE i.id = email_engagement.interaction_id)');
    PERFORM schema_protect('person_engagement_scores',
        '(SELECT all_towns()) '
        'OR EXISTS (SELECT FROM crm_contacts c WHERE c.id = person_engagement_scores.person_id)');
    PERFORM schema_protect('company_engagement_scores',
        '(SELECT all_towns()) '
        'OR EXISTS (SELECT FROM crm_companies c WHERE c.id = company_engagement_scores.company_id)');
    -- The rules are the same in every town; only the owner writes them.
    PERFORM schema_owner_alone('engagement_rules');
    PERFORM schema_policy('engagement_rules', 'read_by_all', 'FOR SELECT USING (true)');
    IF to_regprocedure('schema_audit(text[])') IS NOT NULL THEN
        PERFORM schema_audit('engagement_rules');
    END IF;
END
$$;


-- 3  Scores -------------------------------------------------------------------------------------

-- Which of the scores' columns an interaction counts for; NULL: for the total alone.
CREATE OR REPLACE FUNCTION engagement_channel(interaction_type text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN interaction_type ~* '^e?mail' THEN 'email'
                WHEN interaction_type ~* '^(web|page|form)' THEN 'website'
                WHEN interaction_type ~* '^(social|linkedin|twitter|slack)' THEN 'social'
                WHEN interaction_type ~* '^(meeting|call|demo)' THEN 'meeting' END
$$;

-- 'rising' and 'falling' where the later number differs.
CREATE OR REPLACE FUNCTION engagement_trend(earlier numeric, later numeric) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE sign(later - earlier) WHEN 1 THEN 'rising' WHEN -1 THEN 'falling'
                                      WHEN 0 THEN 'steady' END
$$;

DO $$
DECLARE
    -- One row of person_engagement or company_engagement, from its events `e`.
    aggregates CONSTANT text := $part$
        round(least(coalesce(sum(e.score), 0), 999.99), 2)::numeric(5,2) AS total_score,
        round(least(coalesce(sum(e.score) FILTER (WHERE e.channel = 'email'), 0), 999.99), 2)::numeric(5,2)
            AS email_score,
        round(least(coalesce(sum(e.score) FILTER (WHERE e.channel = 'website'), 0), 999.99), 2)::numeric(5,2)
            AS website_score,
        round(least(coalesce(sum(e.score) FILTER (WHERE e.channel = 'social'), 0), 999.99), 2)::numeric(5,2)
            AS social_score,
        round(least(coalesce(sum(e.score) FILTER (WHERE e.channel = 'meeting'), 0), 999.99), 2)::numeric(5,2)
            AS meeting_score,
        count(e.event_id)::integer AS total_interactions,
        count(*) FILTER (WHERE e.channel = 'email')::integer AS email_interactions,
        count(*) FILTER (WHERE e.channel = 'website')::integer AS website_visits,
        count(*) FILTER (WHERE e.channel = 'social')::integer AS social_interactions,
        count(*) FILTER (WHERE e.channel = 'meeting')::integer AS meetings,
        max(e.happened_at) AS last_interaction_at,
        max(e.happened_at) FILTER (WHERE e.channel = 'email') AS last_email_at,
        max(e.happened_at) FILTER (WHERE e.channel = 'website') AS last_website_visit_at,
        max(e.happened_at) FILTER (WHERE e.channel = 'social') AS last_social_at,
        max(e.happened_at) FILTER (WHERE e.channel = 'meeting') AS last_meeting_at,
        engagement_trend(
            count(*) FILTER (WHERE e.happened_at <= now() - interval '30 days'
                               AND e.happened_at > now() - interval '60 days'),
            count(*) FILTER (WHERE e.happened_at > now() - interval '30 days')) AS activity_trend$part$;
BEGIN
    -- What happened, one row each, with what the rules look at.
    PERFORM schema_view('engagement_events', $view$
        SELECT i.id AS event_id, i.town_id, i.person_id, i.company_id,
               i.interaction_type AS event_type, engagement_channel(i.interaction_type) AS channel,
               i.created_at AS happened_at, coalesce(i.engagement_score, 0) AS own_score,
               jsonb_build_object(
                   'direction', i.direction, 'source', i.source, 'sentiment', i.sentiment,
                   'urgency', i.urgency, 'priority', i.priority,
                   'opened', i.opened_at IS NOT NULL OR coalesce(m.opened, false),
                   'clicked', i.clicked_at IS NOT NULL OR coalesce(m.clicked, false),
                   'replied', i.replied_at IS NOT NULL OR coalesce(m.replied, false)) AS facts
          FROM interactions i
          LEFT JOIN LATERAL (
                SELECT bool_or(e.open_count > 0 OR e.opened_at IS NOT NULL) AS opened,
                       bool_or(e.click_count > 0 OR e.clicked_at IS NOT NULL) AS clicked,
                       bool_or(e.reply_count > 0 OR e.replied_at IS NOT NULL) AS replied
                  FROM email_engagement e WHERE e.interaction_id = i.id) AS m ON true
        UNION ALL
        SELECT w.id, w.town_id, w.person_id, w.company_id, 'website_visit', 'website', w.visited_at, 0,
               jsonb_build_object('bounce', w.bounce, 'converted', w.converted,
                                  'conversion_type', w.conversion_type)
          FROM website_activity w$view$);

    -- The score of each by the first rule that fits it, less what it lost since: decay_factor for
    -- each decay_hours that passed whole. Where no rule fits, it is the interaction's own.
    PERFORM schema_view('engagement_event_scores', $view$
        SELECT e.event_id, e.town_id, e.person_id, e.company_id, e.event_type, e.channel,
               e.happened_at, r.rule_name,
               CASE WHEN r.id IS NULL THEN e.own_score
                    ELSE least(coalesce(r.max_score, 9.99), r.base_score * coalesce(r.multiplier, 1))
                         * power(coalesce(r.decay_factor, 1), CASE WHEN r.decay_hours > 0
                               THEN least(greatest(floor(extract(epoch FROM now() - e.happened_at)
                                                         / 3600 / r.decay_hours), 0), 1000)
                               ELSE 0 END) END AS score
          FROM engagement_events e
          LEFT JOIN LATERAL (
                SELECT * FROM engagement_rules r
                 WHERE r.active AND r.rule_type = e.event_type AND e.facts @> r.conditions
                 ORDER BY r.priority DESC NULLS LAST, r.rule_name, r.id LIMIT 1) AS r ON true$view$);

    PERFORM schema_view('person_engagement', format($view$
        SELECT c.id AS person_id, %s
          FROM crm_contacts c LEFT JOIN engagement_event_scores e ON e.person_id = c.id
         GROUP BY c.id$view$, aggregates));
    PERFORM schema_view('company_engagement', format($view$
        SELECT c.id AS company_id, count(DISTINCT e.person_id)::integer AS unique_people_interacted, %s
          FROM crm_companies c LEFT JOIN engagement_event_scores e ON e.company_id = c.id
         GROUP BY c.id$view$, aggregates));

    -- Of the mails that a town sent in a month, how many were opened, clicked and answered.
    PERFORM schema_view('email_engagement_rates', $view$
        SELECT town_id, month, sent, opened, clicked, replied,
               round(opened::numeric / sent, 4) AS open_rate,
               round(clicked::numeric / sent, 4) AS click_rate,
               round(replied::numeric / sent, 4) AS reply_rate
          FROM (SELECT town_id, date_trunc('month', happened_at, 'UTC') AS month, count(*) AS sent,
                       count(*) FILTER (WHERE (facts -> 'opened')::boolean) AS opened,
                       count(*) FILTER (WHERE (facts -> 'clicked')::boolean) AS clicked,
                       count(*) FILTER (WHERE (facts -> 'replied')::boolean) AS replied
                  FROM engagement_events
                 WHERE channel = 'email' AND facts ->> 'direction' = 'outbound'
                 GROUP BY 1, 2) AS counted$view$);
END
$$;

-- Writes the scores of now into the tables of scores, for the session's town; returns how many rows.
-- With the owner's rights, whom row level security binds to the town, too: what is private counts,
-- whoever calls. Of rows from an earlier call, score_trend says where the total went.
CREATE OR REPLACE FUNCTION refresh_engagement_scores() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    columns text;
    subject text;
    written integer;
    total integer := 0;
BEGIN
    FOREACH subject IN ARRAY ARRAY['person', 'company'] LOOP
        SELECT string_agg(quote_ident(attname), ', ') INTO columns
          FROM pg_attribute
         WHERE attrelid = (subject || '_engagement')::regclass AND attname <> subject || '_id';
        EXECUTE format($part$
            INSERT INTO %1$s_engagement_scores AS kept (%1$s_id, %2$s, calculated_at)
            SELECT %1$s_id, %2$s, now() FROM %1$s_engagement ORDER BY %1$s_id
            ON CONFLICT (%1$s_id) DO UPDATE
               SET (%2$s, calculated_at, score_trend) = ROW (%3$s, EXCLUDED.calculated_at,
                    engagement_trend(kept.total_score, EXCLUDED.total_score))$part$,
            subject, columns, 'EXCLUDED.' || replace(columns, ', ', ', EXCLUDED.'));
        GET DIAGNOSTICS written = ROW_COUNT;
        total := total + written;
    END LOOP;
    RETURN total;
END
$$;


-- 4  Comments -----------------------------------------------------------------------------------

COMMENT ON TABLE interactions IS 'What passed between a town and a person, a company, a deal: mails, calls, meetings.';
COMMENT ON COLUMN interactions.interaction_type IS
    'email, meeting, linkedin_message: how the word begins decides for which score it counts (engagement_channel()).';
COMMENT ON COLUMN interactions.direction IS 'inbound or outbound, as the town sees it.';
COMMENT ON COLUMN interactions.external_id IS 'Its id in the system that `source` names.';
COMMENT ON COLUMN interactions.engagement_score IS 'Its score where no rule fits it.';
COMMENT ON COLUMN interactions.company_id IS 'The company as the CRM has it (crm_companies.id).';
COMMENT ON COLUMN interactions.company_id_tenant IS 'The company of ours (companies.uid).';
COMMENT ON COLUMN interactions.town_id IS 'The town (towns.uid) that sees it.';
COMMENT ON COLUMN interactions.privacy_level IS
    'public and internal are seen by the whole town; anything else only with the permission interactions.read_private.';
COMMENT ON TABLE email_engagement IS 'What became of a mail: opened, clicked, answered.';
COMMENT ON COLUMN email_engagement.email_id IS 'The mail''s id in the system that sent it.';
COMMENT ON TABLE website_activity IS 'Visits of pages of a town''s sites.';
COMMENT ON COLUMN website_activity.bounce IS 'The visitor left without a second page.';
COMMENT ON COLUMN website_activity.company_id IS 'The company as the CRM has it (crm_companies.id).';
COMMENT ON COLUMN website_activity.company_id_tenant IS 'The company of ours (companies.uid).';
COMMENT ON COLUMN website_activity.town_id IS 'The town (towns.uid) that sees it.';
COMMENT ON TABLE engagement_rules IS 'What an event scores; the same in every town. Only the owner writes it.';
COMMENT ON COLUMN engagement_rules.rule_type IS 'The interaction_type that the rule is for; website_visit for visits.';
COMMENT ON COLUMN engagement_rules.conditions IS
    'What an event''s facts (engagement_events) must hold: {"direction": "inbound", "replied": true}.';
COMMENT ON COLUMN engagement_rules.base_score IS 'The score is base_score times multiplier, max_score at most.';
COMMENT ON COLUMN engagement_rules.decay_factor IS 'What is left of the score after decay_hours.';
COMMENT ON COLUMN engagement_rules.decay_hours IS 'After so many hours the score is multiplied by decay_factor, again and again; 0: never.';
COMMENT ON COLUMN engagement_rules.priority IS 'Of the rules that fit, the one with the highest counts.';
COMMENT ON TABLE person_engagement_scores IS 'What person_engagement said when refresh_engagement_scores() ran.';
COMMENT ON COLUMN person_engagement_scores.score_trend IS 'rising, falling or steady against the calculation before.';
COMMENT ON COLUMN person_engagement_scores.activity_trend IS 'rising, falling or steady: the last 30 days against the 30 before.';
COMMENT ON TABLE company_engagement_scores IS 'What company_engagement said when refresh_engagement_scores() ran.';
COMMENT ON COLUMN company_engagement_scores.company_id IS 'The company as the CRM has it (crm_companies.id).';
COMMENT ON COLUMN company_engagement_scores.score_trend IS 'rising, falling or steady against the calculation before.';
COMMENT ON COLUMN company_engagement_scores.activity_trend IS 'rising, falling or steady: the last 30 days against the 30 before.';
COMMENT ON VIEW engagement_events IS 'Interactions and visits, one row each, with what rules look at.';
COMMENT ON VIEW engagement_event_scores IS 'What each event scores now, and by which rule.';
COMMENT ON VIEW person_engagement IS 'How engaged a contact is now.';
COMMENT ON VIEW company_engagement IS 'How engaged a company is now, by the events that name it.';
COMMENT ON VIEW email_engagement_rates IS 'Of the mails sent in a month (UTC), the parts that were opened, clicked and answered.';
COMMENT ON FUNCTION engagement_channel(text) IS 'email, website, social or meeting, for the type of an interaction.';
COMMENT ON FUNCTION engagement_trend(numeric, numeric) IS 'rising, falling or steady.';
COMMENT ON FUNCTION refresh_engagement_scores() IS 'Writes the scores of now into the tables, for the session''s town; returns the rows.';

COMMIT;
