# Writes a value. Outputs that are not plain text are JSON, and so are the texts, which the pipeline quotes.
set -eu

cat >"$PIPEC_OUTPUT_summary" <<END
{"count": $(cat "$PIPEC_INPUT_count"), "finding": $FINDING, "greeting": $GREETING}
END

cat "$PIPEC_OUTPUT_summary"
