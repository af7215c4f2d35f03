#!/bin/bash
# The first start makes the cluster and runs what lies in the folder for it; each start serves.
set -euo pipefail
[ "${1:-}" = postgres ] || exec "$@"

first_start() {
    local owner=${POSTGRES_USER:-postgres} base=${POSTGRES_DB:-} file
    if [ -z "${POSTGRES_PASSWORD:-}" ]; then
        echo "POSTGRES_PASSWORD is not set" >&2
        exit 1
    fi
    # shellcheck disable=SC2086 # several arguments in one variable, as with the real image
    initdb --username="$owner" --pwfile=<(echo "$POSTGRES_PASSWORD") --auth-local=trust ${POSTGRES_INITDB_ARGS:-}
    echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
    pg_ctl -w -o "-c listen_addresses=''" start
    [ -z "$base" ] || createdb --username="$owner" "$base"
    for file in /docker-entrypoint-initdb.d/*; do
        case "$file" in
            *.sh) . "$file" ;;
            *.sql) psql -v ON_ERROR_STOP=1 -U "$owner" -f "$file" ;;
        esac
    done
    pg_ctl -w -m fast stop
}

chmod 700 "$PGDATA"
[ -s "$PGDATA/PG_VERSION" ] || first_start
exec "$@" -c listen_addresses='*'
