# Finds the largest order of a file of them.
set -eu

largest=$(sort -t, -k2,2n "$1" | tail -n 1)
echo "the largest order is $largest" | tee "$2"
