#!/bin/bash
# Words that are no program of their own are given to `airflow`, as the real image does.
set -e
case "${1:-}" in
    bash | python) exec "$@" ;;
    airflow) shift ;;
esac
exec airflow "$@"
