# branch.sh NAME FILE: counts a branch's rows.
if [ "$BROKEN" = true ]; then
  echo "$1: the warehouse does not answer" >&2
  exit 1
fi
case $1 in
sales) n=120 ;;
stock) n=80 ;;
*) n=7 ;;
esac
echo "$1: $n rows"
echo "$n" >"$2"
