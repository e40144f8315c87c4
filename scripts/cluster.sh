#!/usr/bin/env bash
# Starts, stops and describes the test cluster: test/cluster/README.md.
#
#   scripts/cluster.sh up | down | status | env | build | restart PROGRAM...
#
# Exit status 69 where this machine cannot run it.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "$(uname)" != Linux ]; then # where it does not compile
  echo "cluster: this machine cannot run the test cluster: it is not Linux" >&2
  exit 69
fi
go -C test/cluster build -o ../../bin/cluster .
exec bin/cluster -C test/cluster "$@"
