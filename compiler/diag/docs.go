package diag

import (
	"bufio"
	"fmt"
	"io"
)

// WriteDocs writes the reference of all codes, as Markdown.
func WriteDocs(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprint(b, "# Diagnostics\n\nGenerated from `compiler/diag/codes.go`. A code is stable: its meaning never changes.\n\n")
	fmt.Fprint(b, "| code | severity | meaning |\n|---|---|---|\n")
	for _, c := range Codes {
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", c.Name, c.Severity, c.Doc)
	}
	return b.Flush()
}
