-- Companies, contacts, deals and mails as a town's CRM has them: copies that a sync keeps up to
-- date. Each belongs to a company of ours, and is seen where that company is.
--
-- Needs 01-core.sql. PostgreSQL 15 to 18, no extension, no superuser; any number of times.

BEGIN ISOLATION LEVEL READ COMMITTED;

SET LOCAL client_min_messages = warning;

DO $$
BEGIN
    IF to_regprocedure('schema_begin(text,text[])') IS NULL THEN
        RAISE EXCEPTION '17-crm-entities.sql needs the table users of 01-core.sql'
              USING HINT = 'Apply 01-core.sql first, or all files: schema/init-unified-schema.sql.';
    END IF;
    PERFORM set_config('search_path',
                       schema_begin('17-crm-entities.sql', 'users', 'towns', 'companies'), true);
END
$$;

CREATE TABLE IF NOT EXISTS crm_companies (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    company_id uuid,
    hubspot_id text,
    name       text,
    domain     text,
    updated_at timestamptz DEFAULT now(),
    last_sync  timestamptz
);

CREATE TABLE IF NOT EXISTS crm_contacts (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    company_id uuid,
    hubspot_id text,
    first_name text,
    last_name  text,
    email      text,
    phone      text,
    updated_at timestamptz DEFAULT now(),
    last_sync  timestamptz
);

CREATE TABLE IF NOT EXISTS crm_deals (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    company_id uuid,
    hubspot_id text,
    name       text,
    amount     numeric,
    stage      text,
    close_date timestamptz,
    updated_at timestamptz DEFAULT now(),
    last_sync  timestamptz
);

CREATE TABLE IF NOT EXISTS crm_emails (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    company_id  uuid,
    external_id text,
    subject     text,
    sender      text,
    recipients  jsonb       DEFAULT '[]',
    body        text,
    sent_at     timestamptz,
    updated_at  timestamptz DEFAULT now(),
    UNIQUE (company_id, external_id)
);

-- Whether a deal is neither won nor lost. HubSpot's own stages are closedwon and closedlost; a
-- pipeline of one's own may write them with spaces or capitals.
CREATE OR REPLACE FUNCTION crm_deal_is_open(stage text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path FROM CURRENT AS $$
    SELECT regexp_replace(lower(coalesce(stage, '')), '[^a-z]', '', 'g')
           NOT IN ('closedwon', 'closedlost')
$$;

DO $$
DECLARE
    on_table text;
BEGIN
    PERFORM schema_modernise('crm_companies', 'crm_contacts', 'crm_deals', 'crm_emails');
    PERFORM schema_index('idx_crm_companies_company', 'crm_companies (company_id)');
    PERFORM schema_index('idx_crm_contacts_company', 'crm_contacts (company_id)');
    PERFORM schema_index('idx_crm_deals_company', 'crm_deals (company_id)');
    PERFORM schema_index('idx_crm_emails_company', 'crm_emails (company_id)');
    FOREACH on_table IN ARRAY ARRAY['crm_companies', 'crm_contacts', 'crm_deals', 'crm_emails'] LOOP
        PERFORM schema_reference(on_table, 'company_id', 'companies (uid)', 'CASCADE');
        PERFORM schema_protect_company(on_table);
    END LOOP;
    PERFORM schema_unique_within('crm_companies', 'company_id', 'hubspot_id');
    PERFORM schema_unique_within('crm_contacts', 'company_id', 'hubspot_id');
    PERFORM schema_unique_within('crm_deals', 'company_id', 'hubspot_id');
    PERFORM schema_keep_updated_at('crm_companies', 'crm_contacts', 'crm_deals', 'crm_emails');
    PERFORM schema_check('crm_deals', 'crm_deals_amount_check', 'amount >= 0');
    PERFORM schema_check('crm_emails', 'crm_emails_recipients_check',
                         $part$jsonb_typeof(recipients) = 'array'$part$);
    PERFORM schema_index('crm_companies_domain_idx', 'crm_companies (domain)');
    PERFORM schema_index('crm_contacts_email_idx', 'crm_contacts (email)');
    PERFORM schema_index('crm_deals_close_date_idx', 'crm_deals (close_date)');
    PERFORM schema_index('crm_emails_sent_at_idx', 'crm_emails (company_id, sent_at)');
END
$$;

COMMENT ON TABLE crm_companies IS 'Companies as the CRM has them.';
COMMENT ON COLUMN crm_companies.company_id IS 'The company of ours (companies.uid) to which it belongs; whoever sees that one sees it.';
COMMENT ON COLUMN crm_companies.hubspot_id IS 'The record''s id in HubSpot; one a company.';
COMMENT ON COLUMN crm_companies.last_sync IS 'When the CRM was last asked for the record.';
COMMENT ON TABLE crm_contacts IS 'People as the CRM has them.';
COMMENT ON COLUMN crm_contacts.company_id IS 'The company of ours (companies.uid) to which the person belongs.';
COMMENT ON COLUMN crm_contacts.hubspot_id IS 'The record''s id in HubSpot; one a company.';
COMMENT ON COLUMN crm_contacts.last_sync IS 'When the CRM was last asked for the record.';
COMMENT ON TABLE crm_deals IS 'Deals as the CRM has them.';
COMMENT ON COLUMN crm_deals.company_id IS 'The company of ours (companies.uid) with which the deal is made.';
COMMENT ON COLUMN crm_deals.hubspot_id IS 'The record''s id in HubSpot; one a company.';
COMMENT ON COLUMN crm_deals.stage IS 'The CRM''s word: closedwon and closedlost end a deal.';
COMMENT ON COLUMN crm_deals.last_sync IS 'When the CRM was last asked for the record.';
COMMENT ON TABLE crm_emails IS 'Mails with a company, as the CRM or a mailbox has them.';
COMMENT ON COLUMN crm_emails.company_id IS 'The company of ours (companies.uid) that the mail is about.';
COMMENT ON COLUMN crm_emails.external_id IS 'The mail''s id in the system from which it comes; one a company.';
COMMENT ON COLUMN crm_emails.recipients IS 'A list of addresses.';
COMMENT ON FUNCTION crm_deal_is_open(text) IS 'Whether a deal in this stage is neither won nor lost.';

COMMIT;
