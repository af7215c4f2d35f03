#!/usr/bin/env bash
# start_target.sh: starts the container image LOAD_TEST_IMAGE on this machine's network and waits until
# LOAD_TEST_BASE_URL/health answers 200. TARGET_ENV holds more of its settings, a line NAME=value each.
set -euo pipefail

readonly NAME=load-test-target PATIENCE_S=180
: "${LOAD_TEST_IMAGE:?}" "${LOAD_TEST_BASE_URL:?}" "${DATABASE_URL:?}" "${REDIS_URL:?}" "${RUNNER_TEMP:?}"

settings="$RUNNER_TEMP/target.env"
(umask 077 && printf '%s\n' "${TARGET_ENV:-}" >"$settings")
JWT_SECRET_KEY="$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')"
export JWT_SECRET_KEY
if [ -n "${REGISTRY_PASSWORD:-}" ]; then
  host="${LOAD_TEST_IMAGE%%/*}"
  [[ "$host" =~ [.:] ]] || host= # docker's own default
  printf '%s' "$REGISTRY_PASSWORD" |
    docker login --username "${REGISTRY_USER:?REGISTRY_PASSWORD needs REGISTRY_USER}" --password-stdin ${host:+"$host"}
fi
# RATELIMIT_ENABLED: a limiter by address would judge one machine's load as an attack.
docker run --detach --name "$NAME" --network host --env DATABASE_URL --env REDIS_URL --env LLM_API_KEY \
  --env JWT_SECRET_KEY --env RATELIMIT_ENABLED=false --env-file "$settings" "$LOAD_TEST_IMAGE"
rm -f "$settings"

deadline=$((SECONDS + PATIENCE_S))
until curl --silent --fail --max-time 5 --output /dev/null "${LOAD_TEST_BASE_URL%/}/health"; do
  alive="$(docker inspect --format '{{.State.Running}}' "$NAME" 2>/dev/null || echo false)"
  if [ "$alive" != true ] || [ "$SECONDS" -ge "$deadline" ]; then
    word="$(cat /proc/sys/kernel/random/uuid)"
    echo "::error::the service does not answer 200 on ${LOAD_TEST_BASE_URL%/}/health (running: $alive); its last lines follow"
    echo "::stop-commands::$word"
    docker logs --tail 100 "$NAME" 2>&1 || true
    echo "::$word::"
    exit 1
  fi
  sleep 2
done
echo "the service answers on $LOAD_TEST_BASE_URL"
