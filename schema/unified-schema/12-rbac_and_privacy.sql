-- Who may do what: roles and their permissions, the roles that a user has in a town, and columns
-- that only some may read.
--
-- The user is the one whom the application names (app.user_id), whichever database role it uses.
-- Roles and permissions are the same in every town and written by the owner alone; who has which
-- role is a town's own affair.
--
-- Needs 01-core.sql. PostgreSQL 15 to 18, no extension, no superuser; any number of times.

BEGIN ISOLATION LEVEL READ COMMITTED;

SET LOCAL client_min_messages = warning;

DO $$
BEGIN
    IF to_regprocedure('schema_begin(text,text[])') IS NULL THEN
        RAISE EXCEPTION '12-rbac_and_privacy.sql needs the table users of 01-core.sql'
              USING HINT = 'Apply 01-core.sql first, or all files: schema/init-unified-schema.sql.';
    END IF;
    PERFORM set_config('search_path',
                       schema_begin('12-rbac_and_privacy.sql', 'users', 'towns'), true);
END
$$;

CREATE TABLE IF NOT EXISTS roles (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name        varchar(50) NOT NULL UNIQUE,
    description text,
    is_boss     boolean NOT NULL DEFAULT false,
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS permissions (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name        varchar(100) NOT NULL UNIQUE CHECK (name ~ '^[a-z_]+\.[a-z_]+$'),
    description text,
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS role_permissions (
    role_id       uuid NOT NULL,
    permission_id uuid NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (role_id, permission_id)
);

CREATE TABLE IF NOT EXISTS user_roles (
    user_id    uuid NOT NULL,
    role_id    uuid NOT NULL,
    town_id    uuid NOT NULL DEFAULT current_town_id(),
    granted_by uuid DEFAULT app_user_id(),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    PRIMARY KEY (user_id, role_id, town_id)
);

CREATE TABLE IF NOT EXISTS privacy_rules (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    town_id       uuid NOT NULL DEFAULT current_town_id(),
    table_name    varchar(63) NOT NULL,
    column_name   varchar(63) NOT NULL,
    permission_id uuid NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (town_id, table_name, column_name)
);

-- Whether the session's user has a permission in the session's town. With the owner's rights, whom
-- row level security binds, too: roles in other towns don't count.
CREATE OR REPLACE FUNCTION app_has_permission(permission text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT EXISTS (
        SELECT FROM user_roles h
          JOIN users u ON u.id = h.user_id AND u.is_active
          JOIN roles r ON r.id = h.role_id
         WHERE h.user_id = app_user_id() AND h.town_id = current_town_id()
           AND (h.expires_at IS NULL OR h.expires_at > now())
           AND (r.is_boss OR EXISTS (
                   SELECT FROM role_permissions g JOIN permissions p ON p.id = g.permission_id
                    WHERE g.role_id = h.role_id AND p.name = permission)))
$$;

-- Whether the session's user has a role that may do everything in the session's town.
CREATE OR REPLACE FUNCTION app_has_boss_access() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT EXISTS (
        SELECT FROM user_roles h
          JOIN users u ON u.id = h.user_id AND u.is_active
          JOIN roles r ON r.id = h.role_id AND r.is_boss
         WHERE h.user_id = app_user_id() AND h.town_id = current_town_id()
           AND (h.expires_at IS NULL OR h.expires_at > now()))
$$;

CREATE OR REPLACE FUNCTION app_is_creator(created_by uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT coalesce(created_by = app_user_id(), false)
$$;

-- A row of a table as JSON, without the columns that the session's user may not read.
CREATE OR REPLACE FUNCTION app_readable(of_table text, row_data jsonb) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT row_data - coalesce((
        SELECT array_agg(rule.column_name::text)
          FROM privacy_rules rule JOIN permissions p ON p.id = rule.permission_id
         WHERE rule.town_id = current_town_id() AND rule.table_name = of_table
           AND NOT app_has_permission(p.name)), '{}')
$$;

DO $$
DECLARE
    on_table text;
BEGIN
    PERFORM schema_reference('role_permissions', 'role_id', 'roles (id)', 'CASCADE');
    PERFORM schema_reference('role_permissions', 'permission_id', 'permissions (id)', 'CASCADE');
    PERFORM schema_reference('user_roles', 'user_id', 'users (id)', 'CASCADE');
    PERFORM schema_reference('user_roles', 'role_id', 'roles (id)', 'CASCADE');
    PERFORM schema_reference('user_roles', 'town_id', 'towns (uid)', 'CASCADE');
    PERFORM schema_reference('user_roles', 'granted_by', 'users (id)', 'SET NULL');
    PERFORM schema_reference('privacy_rules', 'town_id', 'towns (uid)', 'CASCADE');
    PERFORM schema_reference('privacy_rules', 'permission_id', 'permissions (id)');
    -- Everybody reads the roles that there are; only the owner writes them.
    FOREACH on_table IN ARRAY ARRAY['roles', 'permissions', 'role_permissions'] LOOP
        PERFORM schema_protect(on_table, '(SELECT all_towns())');
        PERFORM schema_policy(on_table, 'read_by_all', 'FOR SELECT USING (true)');
    END LOOP;
    -- Within a town, too, only who may grant roles changes who has them, and who reads what.
    FOREACH on_table IN ARRAY ARRAY['user_roles', 'privacy_rules'] LOOP
        PERFORM schema_protect_town(on_table);
        PERFORM schema_restrict_writes(on_table,
            '(SELECT all_towns()) OR (SELECT app_has_permission(''roles.grant''))');
    END LOOP;
END
$$;

COMMENT ON TABLE roles IS 'Roles that a user may have in a town; the same in every town.';
COMMENT ON COLUMN roles.is_boss IS 'The role may do everything in the town in which a user has it.';
COMMENT ON TABLE permissions IS 'What may be allowed: deals.write. roles.grant lets a user give roles.';
COMMENT ON TABLE role_permissions IS 'What a role allows.';
COMMENT ON TABLE user_roles IS 'The roles that a user has in a town.';
COMMENT ON COLUMN user_roles.granted_by IS 'The user who gave the role.';
COMMENT ON TABLE privacy_rules IS 'Columns that app_readable() shows only to users with a permission.';
COMMENT ON FUNCTION app_has_permission(text) IS 'Whether the user may do something in this town.';
COMMENT ON FUNCTION app_has_boss_access() IS 'Whether the user may do everything in this town.';
COMMENT ON FUNCTION app_is_creator(uuid) IS 'Whether the user is the one who created a row.';
COMMENT ON FUNCTION app_readable(text, jsonb) IS 'A row without the columns that the user may not read.';

COMMIT;
