# Writes orders of $REGION, one a line: how many, and to which file, are the arguments.
set -eu

i=1
while [ "$i" -le "$1" ]; do
  printf '%s-%03d,%d\n' "$REGION" "$i" $((i * 25))
  i=$((i + 1))
done >"$2"

echo "$1 orders of $REGION"
