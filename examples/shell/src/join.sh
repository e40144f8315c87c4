# Joins two files, sorted. Inputs and outputs stand in the environment too, as paths.
set -eu

sort "$PIPEC_INPUT_europe" "$PIPEC_INPUT_asia" >"$PIPEC_OUTPUT_orders"
wc -l <"$PIPEC_OUTPUT_orders" | tr -d ' ' >"$PIPEC_OUTPUT_count"

echo "$(cat "$PIPEC_OUTPUT_count") orders in all"
