#!/usr/bin/env bash
# Draws docs/run.svg: what a terminal shows of a real run of the digits example. Needs `script` (util-linux).
set -euo pipefail
cd "$(dirname "$0")/.."

columns=100
scripts/python-deps.sh examples/digits
"${MAKE:-make}" --no-print-directory -s build bin/tools/termsvg
session="$(mktemp)"
trap 'rm -f "$session"' EXIT

export PATH="$PWD/bin:$PATH" TERM=xterm-256color
# shellcheck disable=SC2016 # the inner shell expands it
script -qec 'stty cols '$columns' rows 50 -echo
  say() { printf "\033[32;1m$\033[0m \033[1m%s\033[0m\n" "$*"; "$@"; }
  cd examples/digits
  say pipec validate
  say pipec run --stack local
  say pipec artifacts --stack local' /dev/null >"$session"
bin/tools/termsvg -columns "$columns" -title "pipec: a run of the digits pipeline" <"$session" >docs/run.svg
echo "docs/run.svg"
