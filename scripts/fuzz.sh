#!/usr/bin/env bash
# Runs each fuzz target for a time: make fuzz FUZZTIME=30s.
set -euo pipefail
cd "$(dirname "$0")/.."

time="${FUZZTIME:-30s}"
targets="$(go test -list '^Fuzz' ./... | awk '/^Fuzz/ { name[n++] = $1 } /^ok/ { for (i = 0; i < n; i++) print $2, name[i]; n = 0 }')"
[ -n "$targets" ] || { echo "there is no fuzz target" >&2; exit 1; }
while read -r package target; do
  echo "--- $package $target"
  go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 5x "$package"
done <<<"$targets"
