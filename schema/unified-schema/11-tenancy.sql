-- Which towns a company works in, and who belongs to it.
--
-- A row of company_towns shares nothing by itself: a company is seen by its home town
-- (companies.town_id) alone, and a town can't write itself into another's company.
--
-- Needs 01-core.sql. PostgreSQL 15 to 18, no extension, no superuser; any number of times.

BEGIN ISOLATION LEVEL READ COMMITTED;

SET LOCAL client_min_messages = warning;

DO $$
BEGIN
    IF to_regprocedure('schema_begin(text,text[])') IS NULL THEN
        RAISE EXCEPTION '11-tenancy.sql needs the table users of 01-core.sql'
              USING HINT = 'Apply 01-core.sql first, or all files: schema/init-unified-schema.sql.';
    END IF;
    PERFORM set_config('search_path',
                       schema_begin('11-tenancy.sql', 'users', 'towns', 'companies'), true);
END
$$;

CREATE TABLE IF NOT EXISTS company_towns (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    company_id uuid NOT NULL,
    town_id    uuid NOT NULL,
    settings   jsonb       DEFAULT '{}',
    created_at timestamptz DEFAULT now(),
    UNIQUE (company_id, town_id)
);

CREATE TABLE IF NOT EXISTS company_members (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    company_id uuid NOT NULL,
    user_id    uuid NOT NULL,
    role       text NOT NULL CHECK (role IN ('owner', 'admin', 'manager', 'employee', 'contractor')),
    created_at timestamptz DEFAULT now(),
    UNIQUE (company_id, user_id)
);

DO $$
BEGIN
    PERFORM schema_modernise('company_towns', 'company_members');
    PERFORM schema_reference('company_towns', 'company_id', 'companies (uid)', 'CASCADE');
    PERFORM schema_reference('company_towns', 'town_id', 'towns (uid)', 'CASCADE');
    PERFORM schema_reference('company_members', 'company_id', 'companies (uid)', 'CASCADE');
    PERFORM schema_reference('company_members', 'user_id', 'users (id)', 'CASCADE');
    PERFORM schema_protect('company_towns',
        '(SELECT all_towns()) OR town_id = (SELECT current_town_id()) '
        'AND company_id IN (SELECT uid FROM companies)');
    PERFORM schema_protect_company('company_members');
END
$$;

COMMENT ON TABLE company_towns IS 'Towns in which a company works, with what it has set there.';
COMMENT ON TABLE company_members IS 'People of a company, and what they are in it.';

COMMIT;
