# Reports how the run ended.
set -eu

echo "the run: $RUN_STATUS; the audit: $AUDIT_STATUS"
