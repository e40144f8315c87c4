# quotes.sh HEADER CURRENCY OUT writes a table of quotes.
{
    echo "$1"
    for i in 1 2 3 4 5 6; do
        echo "item$i,$((10 + i * 3)),$2"
    done
} > "$3"
