package docs

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"

	"pipec.dev/pipec/schema/language"
)

// testingIntro is what the table of the files of tests can't contain.
//
//go:embed testing.md
var testingIntro string

// Testing writes the page on tests: the introduction, and every block and attribute of the table.
func Testing(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprint(b, testingIntro)
	bodies := map[string]string{}
	for _, block := range language.Tests().Blocks {
		writeBlock(b, block, nil, bodies)
	}
	return b.Flush()
}
