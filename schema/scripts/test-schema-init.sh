#!/usr/bin/env bash
# Applies the schema in scratch databases, and prints a line for each thing that has to hold.
#
#     schema/scripts/test-schema-init.sh -h localhost -U robbie -d postgres
#     pg_dump --no-owner --no-privileges --no-comments robbieverse > backup.sql
#     schema/scripts/test-schema-init.sh --earlier backup.sql
#
#     --earlier FILE       a dump, as text, of a database to which the files shall be applied
#     --template DATABASE  make the scratch databases as copies of this one, in which an
#                          administrator has installed extensions; it is the role's own, or was
#                          altered with IS_TEMPLATE true
#
# Everything else is for psql, which connects to a server on which the role may create databases
# (CREATEDB); PGHOST and so on count, too. No database that is there is changed. Exits with 1 where
# a line says FAIL, and with 2 where nothing could be tried.
set -euo pipefail

scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
schema=$(dirname "$scripts")
earlier=
template=
server=()
while [ $# -gt 0 ]; do
    case $1 in
        --earlier | --template)
            [ $# -gt 1 ] || { echo "$1 needs a value" >&2; exit 2; }
            printf -v "${1#--}" %s "$2"
            shift
            ;;
        --help) sed -n '2,/^set /s/^# \{0,1\}//p' "$0"; exit 0 ;;
        *) server+=("$1") ;;
    esac
    shift
done

refuse() {
    printf '%s\n' "$@" >&2
    exit 2
}

# --- scratch databases -------------------------------------------------------------------------

prefix=schema_test_$$_$RANDOM
databases=()
folder=$(mktemp -d)

at_server() { psql -X -q -A -t -v ON_ERROR_STOP=1 "${server[@]}" "$@"; }

# psql in a scratch database, with everything else as the options say.
within() {
    local database=$1
    shift
    at_server -c "\\connect -reuse-previous=on dbname=$database" "$@"
}

# Makes a database, whose name is then in $made.
make() {
    made=${prefix}_${#databases[@]}
    at_server -v name="$made" -v template="$template" \
        <<<"CREATE DATABASE :\"name\" ${template:+TEMPLATE :\"template\"}" ||
        refuse "the scratch database $made could not be made"
    databases+=("$made")
    # Where the role may not install it, the files say what they do without.
    [ -n "$template" ] ||
        within "$made" -c 'CREATE EXTENSION IF NOT EXISTS vector' >"$folder/vector" 2>&1 || true
}

# Not WITH (FORCE): that fails where autovacuum is at work there; this has it leave.
remove() { at_server -c "DROP DATABASE IF EXISTS $1"; }

leave() {
    for database in "${databases[@]}"; do
        remove "$database" >"$folder/dropped" 2>&1 ||
            printf 'left behind: DROP DATABASE %s: %s\n' "$database" "$(cat "$folder/dropped")" >&2
    done
    rm -rf "$folder"
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 141' PIPE

# --- steps -------------------------------------------------------------------------------------

steps=0
failed=0
started=$(date +%s%N)

milliseconds() { echo $((($(date +%s%N) - $1) / 1000000)); }

# Runs a step and prints its line; what it says is shown where it fails. A step is a chain of &&:
# `set -e` does not hold inside.
step() {
    local name=$1 since code=0
    shift
    since=$(date +%s%N)
    note=
    "$@" >"$folder/out" 2>&1 || code=$?
    steps=$((steps + 1))
    if [ "$code" -eq 0 ]; then
        [ ! -s "$folder/note" ] || note=": $(cat "$folder/note")"
        printf 'ok    %6s ms  %s%s\n' "$(milliseconds "$since")" "$name" "$note"
    else
        failed=$((failed + 1))
        printf 'FAIL  %6s ms  %s\n' "$(milliseconds "$since")" "$name"
        sed 's/^/      /' "$folder/out"
    fi
    rm -f "$folder/note"
    return "$code"
}

apply_all() { within "$1" -f "$schema/init-unified-schema.sql"; }

apply_again() {
    within "$1" -f "$scripts/describe-schema.sql" >"$folder/before" &&
        apply_all "$1" &&
        within "$1" -f "$scripts/describe-schema.sql" >"$folder/after" &&
        { diff "$folder/before" "$folder/after" || { echo "the second run changed these"; false; }; }
}

validate() { sh "$scripts/validate-schema.sh" "${server[@]}" -c "\\connect -reuse-previous=on dbname=$1"; }

# Over nothing a file applies; or its one error has a hint, and it leaves nothing behind: then
# $unused says so.
apply_alone() {
    local said
    within "$1" -f "$2" 2>"$folder/refusal" && ! grep -q 'ERROR:' "$folder/refusal" && return
    cat "$folder/refusal"
    within "$1" -f "$scripts/describe-schema.sql" >"$folder/left" || return
    cat "$folder/left"
    if [ "$(grep -c 'ERROR:' "$folder/refusal")" != 1 ]; then
        echo "this is not one error"
    elif ! grep -q '^HINT:' "$folder/refusal"; then
        echo "the error has no hint that says what to do"
    elif [ -s "$folder/left" ]; then
        echo "it left these things behind"
    else
        said=$(sed -n 's/.*ERROR: *//p' "$folder/refusal")
        echo "refuses: ${said#"$(basename "$2") "}" >"$folder/note"
        unused=yes
        return
    fi
    return 1
}

in_master_script() {
    local file missing=0
    for file in "$schema"/unified-schema/*.sql; do
        grep -q "^\\\\ir unified-schema/$(basename "$file")\$" "$schema/init-unified-schema.sql" ||
            { echo "init-unified-schema.sql does not apply $(basename "$file")"; missing=1; }
    done
    return "$missing"
}

# What every row says. The owner of the tables sees all towns' rows so.
rows() { within "$1" -c "SET app.town = '*'" -c "SET TimeZone = 'UTC'" -f "$folder/queries"; }

load_earlier() {
    within "$1" -f "$earlier" || {
        echo "write the dump with pg_dump --no-owner --no-privileges --no-comments; where an extension" \
            "is missing, have it installed in a database, and name that with --template"
        return 1
    }
    within "$1" -f "$scripts/row-queries.sql" >"$folder/queries" &&
        rows "$1" >"$folder/rows" &&
        awk -F '|' '{ n += $2 } END { print NR " tables, " n + 0 " rows" }' "$folder/rows" >"$folder/note"
}

rows_are_whole() {
    rows "$1" >"$folder/rows-now" || return
    diff "$folder/rows" "$folder/rows-now" ||
        { echo "in these tables rows are gone or changed (name, rows, sum of their values)"; return 1; }
}

# --- what is tried -----------------------------------------------------------------------------

if [ -n "$earlier" ]; then
    [ -r "$earlier" ] || refuse "--earlier $earlier: there is no such file, or it may not be read"
    [ "$(head -c 5 "$earlier" | tr -d '\0')" != PGDMP ] ||
        refuse "--earlier $earlier is a dump in pg_restore's format" \
            "  -> pg_restore --no-owner --no-privileges --no-comments -f backup.sql $earlier, and name backup.sql"
    # Such a dump would go on in a database of its own choice, and may drop it first.
    line=$(grep -n -m 1 -E '^(\\connect |(CREATE|DROP|ALTER) DATABASE )' "$earlier" | cut -d : -f 1) || true
    [ -z "$line" ] || refuse "--earlier $earlier names a database of its own in line $line" \
        "  -> write it with pg_dump without --create, not with pg_dumpall"
fi
rights=$(at_server -c 'SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user') ||
    refuse "no database can be reached: give psql's options, such as -h localhost -U robbie -d postgres"
[ "$rights" = t ] || refuse "the role may not create databases" \
    "  -> let an administrator run: ALTER ROLE $(at_server -c 'SELECT quote_ident(current_user)') CREATEDB"

make
new=$made
step "init-unified-schema.sql names every file" in_master_script || true
if step "a new database: every file" apply_all "$new"; then
    step "a new database: again, and nothing changes" apply_again "$new" || true
    step "a new database: validate-schema.sh" validate "$new" || true
fi
counts=$(within "$new" -c "
    SELECT string_agg(format('%s %s', number, kind), ', ' ORDER BY number DESC)
      FROM (SELECT CASE WHEN relkind IN ('r', 'p') THEN 'tables'
                        WHEN relkind IN ('v', 'm') THEN 'views' ELSE 'indexes' END AS kind,
                   count(*) AS number
              FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
               AND c.relkind IN ('r', 'p', 'v', 'm', 'i', 'I') AND NOT c.relispartition
             GROUP BY 1) AS made")

unused=
for file in "$schema"/unified-schema/*.sql; do
    [ -n "$unused" ] || make
    unused=
    step "$(basename "$file") alone" apply_alone "$made" "$file" || true
done

if [ -n "$earlier" ]; then
    make
    if step "the earlier database" load_earlier "$made" &&
        step "the earlier database: every file" apply_all "$made"; then
        step "the earlier database: every row is there" rows_are_whole "$made" || true
        step "the earlier database: again, and nothing changes" apply_again "$made" || true
        step "the earlier database: every row is still there" rows_are_whole "$made" || true
    fi
else
    echo "no earlier database was tried: name a dump of one with --earlier"
fi

echo "$steps steps in $(milliseconds "$started") ms, $failed failed; a new database has ${counts:-nothing}"
[ "$failed" -eq 0 ]
