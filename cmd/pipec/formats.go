package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/compiler/diag"
)

const formatsLong = `--format chooses the output: for people (human), for programs (json), for code scanning (sarif), for the log of a GitHub
workflow (github), or for the test view of a build server (junit).`

func formatFlag(cmd *cobra.Command, format *string) {
	cmd.Flags().StringVar(format, "format", "human", "the output format: "+strings.Join(formatNames(), ", "))
}

func formatNames() []string { return slices.Sorted(maps.Keys(diag.Formats)) }

func formatNamed(name string) (diag.Format, error) {
	write, ok := diag.Formats[name]
	if !ok {
		hint := ""
		if s := diag.Suggest(name, formatNames()); s != "" {
			hint = "; did you mean " + s + "?"
		}
		return nil, usage("there is no format %q: one of %s%s", name, strings.Join(formatNames(), ", "), hint)
	}
	return write, nil
}
