#!/usr/bin/env bash
# Prints what may make a database slow, one line a finding. It only reads.
#
#     schema/scripts/analyze-performance.sh -d robbieverse
#     schema/scripts/analyze-performance.sh --format json -d robbieverse
#
# Takes psql's options, and PGHOST, PGDATABASE and so on from the environment. What each check means:
# docs/maintenance.md; the JSON: docs/output.md.
set -euo pipefail

scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
format=text
if [ "${1-}" = --format ]; then
    format=${2-}
    shift $(($# > 1 ? 2 : 1))
fi
case $format in
    text)
        shown="concat_ws(': ', \"check\", object, what) || coalesce(E'\n  -> ' || nullif(remedy, ''), '')"
        shown="string_agg($shown, E'\n' ORDER BY place, size DESC, object)"
        ;;
    json)
        shown="jsonb_build_object('check', \"check\", 'object', object, 'what', what, 'remedy', remedy, 'measures', measures)"
        shown="jsonb_pretty(jsonb_build_object('version', 1,
            'database', (jsonb_agg(measures || jsonb_build_object('name', object)) FILTER (WHERE place = 0)) -> 0,
            'findings', coalesce(jsonb_agg($shown ORDER BY place, size DESC, object) FILTER (WHERE place > 0), '[]')))"
        ;;
    *)
        echo "--format is text or json, not '$format'" >&2
        exit 2
        ;;
esac

statements() {
    psql -X -q -A -t -v ON_ERROR_STOP=1 "$@" <<'SQL'
SELECT quote_ident(n.nspname)
  FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
 WHERE e.extname = 'pg_stat_statements' AND current_setting('pg_stat_statements.max', true) IS NOT NULL
SQL
}

home=$(statements "$@")
{
    echo 'BEGIN TRANSACTION READ ONLY;'
    echo "SELECT set_config('search_path', concat_ws(', ', nullif(current_setting('search_path'), ''),"
    echo "       nullif('${home//\'/\'\'}', '')), true) AS path \\gset"
    echo "SELECT $shown FROM ("
    cat "$scripts/analyze-performance.sql"
    [ -z "$home" ] || { echo 'UNION ALL' && cat "$scripts/slow-statements.sql"; }
    echo ') AS found;'
} | psql -X -q -A -t -v ON_ERROR_STOP=1 "$@" -f -
