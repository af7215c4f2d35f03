#!/usr/bin/env bash
# limits.sh PID: raises the system's limits for a load test, open files for PID and the processes that it starts later.
# Nothing is lowered. What may not be changed is named, and the job goes on: preflight and the verdict judge the rest.
set -euo pipefail

readonly OPEN_FILES=65536 PORTS_FROM=10240 PORTS_TO=65535 BACKLOG=65535
pid="${1:?usage: limits.sh PID}"

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

setting() {
  sysctl -n "$1" 2>/dev/null || echo unknown
}

open_files() {
  prlimit --pid "$pid" --nofile --noheadings --output SOFT,HARD 2>/dev/null || echo "unknown unknown"
}

show() {
  local soft hard
  read -r soft hard <<<"$(open_files)"
  echo "$1: open files $soft (at most $hard)"
  echo "$1: net.ipv4.ip_local_port_range $(setting net.ipv4.ip_local_port_range | tr '\t' ' ')"
  echo "$1: net.core.somaxconn $(setting net.core.somaxconn)"
}

raise_open_files() {
  local soft hard
  read -r soft hard <<<"$(open_files)"
  if [ "$soft" = unlimited ] || { [[ "$soft" =~ ^[0-9]+$ ]] && [ "$soft" -ge "$OPEN_FILES" ]; }; then return; fi
  if [[ "$hard" =~ ^[0-9]+$ ]] && [ "$hard" -lt "$OPEN_FILES" ]; then hard="$OPEN_FILES"; fi
  as_root prlimit --pid "$pid" --nofile="$OPEN_FILES:$hard" 2>/dev/null || echo "::warning::not set: open files $OPEN_FILES"
}

raise_setting() { # name, value
  as_root sysctl -q -w "$1=$2" >/dev/null 2>&1 || echo "::warning::not set: $1 $2"
}

raise_ports() {
  local from to
  read -r from to <<<"$(setting net.ipv4.ip_local_port_range | tr '\t' ' ')"
  if [[ "$from" =~ ^[0-9]+$ && "${to:-}" =~ ^[0-9]+$ ]] && [ "$from" -le "$PORTS_FROM" ] && [ "$to" -ge "$PORTS_TO" ]; then return; fi
  raise_setting net.ipv4.ip_local_port_range "$PORTS_FROM $PORTS_TO"
}

raise_backlog() {
  local now
  now="$(setting net.core.somaxconn)"
  if [[ "$now" =~ ^[0-9]+$ ]] && [ "$now" -ge "$BACKLOG" ]; then return; fi
  raise_setting net.core.somaxconn "$BACKLOG"
}

show before
raise_open_files
raise_ports
raise_backlog
show after
