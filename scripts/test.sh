#!/usr/bin/env bash
# Runs all tests: make test. First the fast ones, so that a mistake is told soon; then the source is checked; then
# everything, with the race detector where there is a C compiler, which it takes.
#
# The last line counts the tests of the whole run.
set -euo pipefail
cd "$(dirname "$0")/.."

echo "== fast tests"
go test -short ./...
(cd tools && go test ./...)

echo "== lint"
scripts/lint.sh

race=""
if [ "${RACE:-auto}" != off ] && command -v "$(go env CC)" >/dev/null; then
  race="-race"
fi
echo "== all tests${race:+ (with the race detector)}"
go test -json -count=1 -timeout 30m ${race:+$race} ./... | bin/tools/testsum -skips .ci/skips
