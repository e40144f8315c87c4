#!/usr/bin/env bash
# Runs the digits example on the test cluster: make demo-cluster. The pipeline is the one that make quickstart runs on this
# machine; only the stack's name is another.
set -euo pipefail
cd "$(dirname "$0")/.."

namespace=digits
"${MAKE:-make}" --no-print-directory -s build agent-image
go run ./internal/testcluster/bucket digits
kubectl create namespace "$namespace" --dry-run=client -o yaml | kubectl apply -f - >/dev/null
kubectl label --overwrite namespace "$namespace" pod-security.kubernetes.io/enforce=restricted >/dev/null
# The Secret that the stack names: pipec itself writes no credentials into an object.
kubectl -n "$namespace" create secret generic store --dry-run=client -o yaml \
  --from-literal=AWS_ACCESS_KEY_ID="$AWS_ACCESS_KEY_ID" --from-literal=AWS_SECRET_ACCESS_KEY="$AWS_SECRET_ACCESS_KEY" |
  kubectl apply -f - >/dev/null

export PIPEC_STACK=k8s PIPEC_VAR_context=admin PIPEC_VAR_namespace="$namespace" PIPEC_VAR_kubernetes_version=1.37 \
  PIPEC_VAR_store=s3://digits/store PIPEC_VAR_s3_endpoint="$PIPEC_TEST_S3" PIPEC_VAR_s3_secret=store \
  PIPEC_VAR_registry="$PIPEC_TEST_REGISTRY/digits"
scripts/digits-image.sh

# A copy: what is pushed here is not what the example's lock should say.
project="$(mktemp -d)"
trap 'rm -rf "$project"' EXIT
cp -r examples/digits/. "$project"
rm -rf "$project/.pipec" "$project/pipec.lock.json"

echo "\$ pipec run --stack k8s"
bin/pipec -C "$project" run --stack k8s kubernetes_example_pipeline
echo
echo "\$ kubectl get pods -l pipeline=kubernetes_example_pipeline"
kubectl -n "$namespace" get pods -l pipeline=kubernetes_example_pipeline
