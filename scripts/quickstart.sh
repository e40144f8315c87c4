#!/usr/bin/env bash
# Runs the digits example on this machine: make quickstart. It installs what is missing, and says so.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/python-deps.sh examples/digits
"${MAKE:-make}" --no-print-directory -s bin/pipec
bin/pipec run -C examples/digits --stack local

cat <<'END'

That was examples/digits, on this machine. Next:

  bin/pipec graph -C examples/digits                                  the pipeline, drawn
  bin/pipec runs -C examples/digits --stack local                     the runs so far
  bin/pipec run -C examples/digits --stack local --param gamma=0.01   another one, with another gamma
  bin/pipec run -C examples/shell --stack local                       a pipeline without Python
  bin/pipec init -C /tmp/mine                                         a project of your own
END
