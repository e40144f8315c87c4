# Writes a value: outputs that are no plain text are JSON. The texts come as JSON too, quoted by the pipeline.
set -eu

cat >"$PIPEC_OUTPUT_summary" <<END
{"count": $(cat "$PIPEC_INPUT_count"), "finding": $FINDING, "greeting": $GREETING}
END

cat "$PIPEC_OUTPUT_summary"
