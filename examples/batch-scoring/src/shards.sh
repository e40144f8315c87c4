# shards.sh ROWS FILE: shards of 20 rows, as JSON.
rows=$1
first=1
sep='['
while [ "$first" -le "$rows" ]; do
  last=$((first + 19))
  [ "$last" -le "$rows" ] || last=$rows
  printf '%s{"name": "shard-%s", "first": %s, "last": %s}' "$sep" "$first" "$first" "$last"
  sep=', '
  first=$((last + 1))
done >"$2"
[ "$sep" = '[' ] && printf '[' >"$2"
echo ']' >>"$2"
