# Joins two files, sorted. Environment variables contain the paths of inputs and outputs.
set -eu

sort "$PIPEC_INPUT_europe" "$PIPEC_INPUT_asia" >"$PIPEC_OUTPUT_orders"
wc -l <"$PIPEC_OUTPUT_orders" | tr -d ' ' >"$PIPEC_OUTPUT_count"

echo "$(cat "$PIPEC_OUTPUT_count") orders in all"
