package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/internal/app/fault"
)

// The output formats, as kubectl names them. text is the default.
const (
	outText = "text"
	outWide = "wide"
	outJSON = "json"
	outYAML = "yaml"
	outName = "name"
)

// outputFlag is --output of the commands that show what is recorded or declared. All of them print one document in JSON and
// YAML: a list of objects, or one object.
type outputFlag struct {
	format  string
	formats []string
}

// listOutput and objectOutput are the formats of commands that show a list, and of those that show one object.
var (
	listOutput   = []string{outText, outWide, outJSON, outYAML, outName}
	objectOutput = []string{outText, outJSON, outYAML}
)

// add adds the flag to a command, with the formats that it has.
func (o *outputFlag) add(cmd *cobra.Command, formats []string) {
	o.formats = formats
	last := len(formats) - 1
	cmd.Flags().StringVarP(&o.format, "output", "o", formats[0], "the output format: "+strings.Join(formats[:last], ", ")+" or "+formats[last])
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
}

// check rejects a format that the command doesn't have.
func (o *outputFlag) check() error {
	if slices.Contains(o.formats, o.format) {
		return nil
	}
	hint := ""
	if near := diag.Suggest(o.format, o.formats); near != "" {
		hint = fmt.Sprintf("; did you mean %q?", near)
	}
	return usage("there is no output %q: one of %s%s", o.format, strings.Join(o.formats, ", "), hint)
}

// text reports whether people read the output.
func (o *outputFlag) text() bool { return o.format == outText || o.format == outWide }

// wide reports whether tables have all columns.
func (o *outputFlag) wide() bool { return o.format == outWide }

// document prints v as JSON or YAML, if that is the format. It reports whether it has.
func (o *outputFlag) document(w io.Writer, v any) (bool, error) {
	if o.format != outJSON && o.format != outYAML {
		return false, nil
	}
	var data bytes.Buffer
	enc := json.NewEncoder(&data)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return true, fault.Env(err)
	}
	text := data.Bytes()
	if o.format == outYAML {
		var err error
		if text, err = yaml.JSONToYAML(text); err != nil {
			return true, fault.Env(err)
		}
	}
	_, err := w.Write(text)
	return true, fault.Env(err)
}

// names prints names, one on a line, if that is the format. It reports whether it has.
func (o *outputFlag) names(w io.Writer, names []string) (bool, error) {
	if o.format != outName {
		return false, nil
	}
	for _, name := range names {
		if _, err := fmt.Fprintln(w, name); err != nil {
			return true, fault.Env(err)
		}
	}
	return true, nil
}

// table returns a writer that aligns columns, which are separated by tabs.
func table(w io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(w, 0, 4, 3, ' ', 0) }

// tableRow prints the cells of a row. An empty cell is a dash.
func tableRow(w io.Writer, cells ...string) {
	for i, cell := range cells {
		if cell == "" {
			cells[i] = "-"
		}
	}
	fmt.Fprintln(w, strings.Join(cells, "\t"))
}
