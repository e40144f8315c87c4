#!/usr/bin/env bash
# Runs a command on the test cluster, with its addresses in the environment:
#
#   scripts/with-cluster.sh COMMAND [ARGUMENT...]
#
# The cluster is left as it was found: up or down; KEEP=1 leaves it up. Exit status 69 where this machine can't run it.
set -euo pipefail
cd "$(dirname "$0")/.."

[ $# -gt 0 ] || { echo "usage: scripts/with-cluster.sh COMMAND [ARGUMENT...]" >&2; exit 64; }
was_up=yes
scripts/cluster.sh status >/dev/null 2>&1 || was_up=""
finish() {
  local status=$?
  trap '' INT TERM
  if [ -z "$was_up" ] && [ -z "${KEEP:-}" ]; then scripts/cluster.sh down; fi
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM
scripts/cluster.sh up
eval "$(scripts/cluster.sh env)"
"$@"
