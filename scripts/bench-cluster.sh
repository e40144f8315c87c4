#!/usr/bin/env bash
# Measures on the test cluster: make bench-cluster. Everything is measured, and then it fails where a target was missed.
set -uo pipefail
cd "$(dirname "$0")/.."

failed=0
go run ./test/bench/cluster || failed=1
echo
go run ./test/bench/s3 || failed=1
echo
go run ./test/bench/fair || failed=1
exit "$failed"
