#!/bin/sh
# Prints what is wrong with the schema, one line a finding, and exits 1 where anything is.
#
#     schema/scripts/validate-schema.sh -d robbieverse
#
# Takes psql's options, and PGHOST, PGDATABASE and so on from the environment.
set -eu
found=$(psql -X -q -t -A -F ': ' -v ON_ERROR_STOP=1 "$@" -f "$(dirname "$0")/validate-schema.sql")
if [ -n "$found" ]; then
    printf '%s\n' "$found"
    exit 1
fi
echo "the schema is sound"
