#!/usr/bin/env bash
# Checks the source without running it: make lint. Everything is checked, and then it fails if anything did.
set -uo pipefail
cd "$(dirname "$0")/.."

failed=0
check() {
  local what="$1"
  shift
  if ! "$@"; then
    echo "lint: $what" >&2
    failed=1
  fi
}

formatted() {
  local files
  files="$(git ls-files -z --cached --others --exclude-standard -- '*.go' | xargs -0 gofmt -l)"
  [ -z "$files" ] || { echo "$files"; return 1; }
}

in_cluster() { (cd test/cluster && "$@"); }

# The database of vulnerabilities is on the network. If it can't be reached, the script reports this and does not fail.
vulnerabilities() {
  local out status=0
  out="$(bin/tools/govulncheck ./... 2>&1)" || status=$?
  case "$status:$out" in
    0:*) ;;
    *"fetching vulnerabilities"*) echo "govulncheck: not checked, its database can't be reached" ;;
    *) echo "$out"; return 1 ;;
  esac
}

check "not as gofmt writes it (gofmt -w)" formatted
check "go vet" go vet ./...
check "go vet, tools" go -C tools vet ./...
# Kubernetes itself is left out: to check the one file that joins its programs would be to build it once more.
cluster="$(go -C test/cluster list ./... | grep -v '/kube$')"
check "go vet, test/cluster" go -C test/cluster vet $cluster
check "staticcheck, test/cluster" in_cluster ../../bin/tools/staticcheck $cluster
check "go.mod is not tidy (go mod tidy)" go mod tidy -diff
check "tools/go.mod is not tidy (go mod tidy)" go -C tools mod tidy -diff
check "test/cluster/go.mod is not tidy (go mod tidy)" go -C test/cluster mod tidy -diff
check "staticcheck" bin/tools/staticcheck ./...
check "govulncheck" vulnerabilities
for script in scripts/*.sh .ci/run; do
  check "$script can't be parsed" bash -n "$script"
done
exit "$failed"
