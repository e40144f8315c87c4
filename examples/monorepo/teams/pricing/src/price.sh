# price.sh TABLE OUT writes the mean price of a table.
awk -F, 'NR > 1 { sum += $2; n++ } END { print sum / n }' "$1" > "$2"
