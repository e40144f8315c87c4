# score.sh FIRST LAST FILE: scores rows. The shard that begins with row 41 fails at its first attempt.
if [ "$1" = 41 ] && [ "$PIPEC_ATTEMPT" = 1 ]; then
  echo "$SHARD: the model server was away" >&2
  exit 1
fi
i=$1
while [ "$i" -le "$2" ]; do
  echo "row $i score $((i * 7 % 100))"
  i=$((i + 1))
done >"$3"
echo "$SHARD: rows $1 to $2"
