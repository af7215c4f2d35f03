#!/usr/bin/env bash
# prometheus.sh start | watch URL | save FOLDER: a Prometheus on this machine reads URL/metrics every 5 s; its database
# is saved for later questions. It observes: when it fails the log says so, and the load test goes on.
set -euo pipefail

readonly NAME=load-test-prometheus IMAGE=prom/prometheus:v3.5.3 URL=http://127.0.0.1:9090 PATIENCE_S=60
folder="${RUNNER_TEMP:?}/prometheus"

start() {
  mkdir -p "$folder/data"
  chmod 0777 "$folder" "$folder/data" # the container's user is not this one
  echo '[]' >"$folder/targets.json"
  cat >"$folder/prometheus.yml" <<'CONFIG'
global: {scrape_interval: 5s, scrape_timeout: 4s}
scrape_configs:
  - job_name: target
    file_sd_configs:
      - {files: [/load-test/targets.json], refresh_interval: 5s}
CONFIG
  docker run --detach --name "$NAME" --network host --volume "$folder:/load-test" "$IMAGE" \
    --config.file=/load-test/prometheus.yml --storage.tsdb.path=/load-test/data \
    --web.listen-address=127.0.0.1:9090 --web.enable-admin-api
  curl --silent --show-error --fail --output /dev/null --retry "$PATIENCE_S" --retry-delay 1 --retry-max-time "$PATIENCE_S" \
    --retry-all-errors "$URL/-/ready"
  echo "Prometheus is ready"
}

watch() { # the target's address
  [[ "$1" =~ ^(https?)://([^/@?#\"\\]+) ]] || { echo "no http address: $1" >&2; return 1; }
  printf '[{"targets": ["%s"], "labels": {"__scheme__": "%s"}}]\n' "${BASH_REMATCH[2]}" "${BASH_REMATCH[1]}" \
    >"$folder/targets.new"
  mv "$folder/targets.new" "$folder/targets.json"
  echo "Prometheus reads ${BASH_REMATCH[1]}://${BASH_REMATCH[2]}/metrics"
}

save() { # where to
  local answer name
  echo "times that it read the target:"
  curl --silent --show-error --fail --max-time 20 --get --data-urlencode 'query=sum_over_time(up[1d])' "$URL/api/v1/query" |
    jq --compact-output '[.data.result[] | {instance: .metric.instance, times: .value[1]}]'
  answer="$(curl --silent --show-error --fail --max-time 60 --request POST "$URL/api/v1/admin/tsdb/snapshot")"
  name="$(jq --raw-output --exit-status '.data.name | select(test("^[0-9A-Za-z-]+$"))' <<<"$answer")"
  mkdir -p "$1"
  cp -R "$folder/data/snapshots/$name/." "$1/"
  echo "saved for \`prometheus --storage.tsdb.path=FOLDER\`"
}

case "${1:-}" in
  start | watch | save) ;;
  *) echo "usage: prometheus.sh start | watch URL | save FOLDER" >&2 && exit 2 ;;
esac
# A subshell of its own, since bash forgets -e inside of a function that stands in a condition.
code=0
set +e
(
  set -e
  "$@"
)
code=$?
set -e
if [ "$1" = save ]; then docker rm --force "$NAME" >/dev/null 2>&1 || true; fi
if [ "$code" -ne 0 ]; then echo "::warning::Prometheus ($1) failed: its readings of the target are not complete"; fi
