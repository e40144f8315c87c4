# The same, from a service that refuses the first call.
set -eu

if [ "$PIPEC_ATTEMPT" -lt 2 ]; then
  echo "the service of $REGION is busy (attempt $PIPEC_ATTEMPT)" >&2
  exit 75
fi
exec sh orders.sh "$@"
