package diag

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// GitHub writes the view as workflow commands: a runner of GitHub Actions that reads them in a job's output shows each at
// its line of the change under review.
func GitHub(w io.Writer, v *View, _ Options) error {
	b := bufio.NewWriter(w)
	for _, d := range v.Diagnostics {
		fmt.Fprintf(b, "::%s ", githubCommands[d.Severity])
		if d.Range != nil {
			fmt.Fprintf(b, "file=%s,", githubProperty.Replace(filepath.ToSlash(d.Range.Filename)))
		}
		if d.Range != nil && d.Range.Start.Line > 0 {
			start, end := d.Range.Start, d.Range.End
			fmt.Fprintf(b, "line=%d,endLine=%d,", start.Line, max(start.Line, end.Line))
			if start.Line == end.Line { // columns are allowed only within one line
				fmt.Fprintf(b, "col=%d,endColumn=%d,", max(1, start.Column), max(1, end.Column))
			}
		}
		fmt.Fprintf(b, "title=%s::%s\n", githubProperty.Replace(d.Code), githubData.Replace(message(d)))
	}
	return b.Flush()
}

var githubCommands = map[Severity]string{Error: "error", Warning: "warning", Note: "notice"}

var (
	githubData     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	githubProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)
