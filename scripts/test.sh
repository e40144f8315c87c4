#!/usr/bin/env bash
# Runs all tests: make test. The fast ones run first, so that a mistake is reported soon. Then the source is checked. Then
# everything runs, with the race detector if there is a C compiler, which it requires.
#
# Meanwhile the test cluster (test/cluster) starts, for the tests that come last. It is stopped at the end unless it was up
# before. If this machine can't run it, or with CLUSTER=off, these tests are skipped; with CI=true they fail.
#
# The last line counts the tests of the whole run.
set -euo pipefail
cd "$(dirname "$0")/.."

starting="" # the process that brings the cluster up
ours=""     # whether the cluster is to be brought down
log="$(mktemp)"

finish() {
  local status=$?
  trap '' INT TERM
  if [ -n "$starting" ]; then
    kill -- "-$starting" 2>/dev/null || true
    wait "$starting" || true
  fi
  [ -z "$ours" ] || scripts/cluster.sh down
  rm -f "$log"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

# start_cluster keeps a running cluster. It stops a cluster of other sources only if there is no user to ask.
start_cluster() {
  scripts/cluster.sh up && return
  [ "${CI:-}" = true ] && scripts/cluster.sh down && scripts/cluster.sh up
}

if [ "${CLUSTER:-auto}" = off ]; then
  export PIPEC_TEST_CLUSTER=off
else
  able=0
  scripts/cluster.sh status 2>/dev/null || able=$?
  case "$able" in
    0) ;;
    69) export PIPEC_TEST_CLUSTER=unable ;;
    *) ours=yes ;;
  esac
  if [ "$able" != 69 ]; then
    set -m # in a group of its own, so that all of it can be ended
    start_cluster >"$log" 2>&1 </dev/null &
    set +m
    starting=$!
  fi
fi

# What draws DOT, to hold the graphs to it, and what builds Dockerfiles. Without them these tests are skipped.
for pair in dot:graphviz buildah:buildah; do
  if ! command -v "${pair%%:*}" >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing ${pair#*:} (apt-get)"
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "${pair#*:}" >/dev/null 2>&1 </dev/null || true
  fi
done

# What builds the page of `pipec ui` and opens it in a browser. Without them these tests are skipped. The browser is not needed
# before all tests run.
browser=""
if ! command -v chromium >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing chromium (apt-get)"
  DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends chromium >/dev/null 2>&1 </dev/null &
  browser=$!
fi
if [ ! -d ui/node_modules/playwright-core ] && command -v npm >/dev/null; then
  echo "installing the packages of ui/ (npm)"
  (cd ui && npm ci --no-audit --no-fund >/dev/null 2>&1 </dev/null) || rm -rf ui/node_modules
fi

echo "== fast tests"
go test -short -timeout 40m ./... # the default of 10 minutes is too short for a slow machine
go test -timeout 40m ./test/faults # 2,000 simulated runs; with the race detector there are fewer
(cd tools && go test ./...)
# Kubernetes itself has no tests here; to vet it for them would be to build it once more.
go -C test/cluster test $(go -C test/cluster list ./... | grep -v '/kube$')

echo "== lint"
scripts/lint.sh

race=""
if [ "${RACE:-auto}" != off ] && command -v "$(go env CC)" >/dev/null; then
  race="-race"
fi
# The tests don't inherit the pipe to the counter: programs of the cluster that they restart would keep it open.
run() { go test -json -count=1 -timeout 40m ${race:+$race} "$@" 3>&-; }

on_cluster="$(grep -rlE --include='*_test.go' '"pipec.dev/pipec/(internal/testcluster|runtime/store/storetest)"' . | xargs -n 1 dirname | sort -u | xargs go list)"
elsewhere="$(go list ./... | grep -vxF "$on_cluster")"

[ -z "$browser" ] || wait "$browser" || true
echo "== all tests${race:+ (with the race detector)}"
exec 3> >(bin/tools/testsum -skips .ci/skips)
counting=$!
failed=0
run $elsewhere >&3 || failed=1

if [ -n "$starting" ]; then
  wait "$starting" || failed=1 # the tests say then that there is none
  starting=""
  cat "$log" >&2
  # Not what else it has for a person: tests ask for what they need by name.
  eval "$(scripts/cluster.sh env | grep '^export PIPEC_TEST_')"
fi
# Most of their time these wait for pods, so many run at once.
run -p 4 -parallel 8 $on_cluster >&3 || failed=1
# Restarts programs of the cluster, which would disturb all other tests there.
[ -z "${PIPEC_TEST_KUBECONFIG:-}" ] || run ./test/faults/cluster -run 'TestRestarts$' -restarts >&3 || failed=1

exec 3>&-
wait "$counting" || failed=1
exit "$failed"
