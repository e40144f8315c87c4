# Says how the run ended.
set -eu

echo "the run has $RUN_STATUS; the audit was $AUDIT_STATUS"
