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

// The output formats, as kubectl names them. text is the default. Every command with --output has all of them.
const (
	outText = "text"
	outWide = "wide" // text with everything that fits in a table
	outJSON = "json"
	outYAML = "yaml"
	outName = "name" // only the names of what is shown, one a line
)

var outputFormats = []string{outText, outWide, outJSON, outYAML, outName}

// outputFlag is --output of the commands that show what is recorded or declared, or that follow a run. A command that shows
// something prints one document in JSON and YAML: a list of objects, or one object. A command that follows something prints a
// stream: a line of JSON, or a YAML document, for each event.
type outputFlag struct{ format string }

// add adds the flag to a command that prints one document. names is what -o name prints.
func (o *outputFlag) add(cmd *cobra.Command, names string) {
	o.flag(cmd, "the output format: text, wide, json, yaml, or name: "+names)
}

// addStream adds the flag to a command that prints a stream.
func (o *outputFlag) addStream(cmd *cobra.Command, of, names string) {
	o.flag(cmd, "the output format: text, wide, json (a line for "+of+"), yaml (a document for "+of+"), or name: "+names)
}

func (o *outputFlag) flag(cmd *cobra.Command, usage string) {
	cmd.Flags().StringVarP(&o.format, "output", "o", outText, usage)
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(outputFormats, cobra.ShellCompDirectiveNoFileComp))
}

// check rejects an unknown format.
func (o *outputFlag) check() error {
	if slices.Contains(outputFormats, o.format) {
		return nil
	}
	hint := ""
	if near := diag.Suggest(o.format, outputFormats); near != "" {
		hint = fmt.Sprintf("; did you mean %q?", near)
	}
	return usage("there is no output %q: one of %s%s", o.format, strings.Join(outputFormats, ", "), hint)
}

// text reports whether people read the output.
func (o *outputFlag) text() bool { return o.format == outText || o.format == outWide }

// wide reports whether tables have all columns.
func (o *outputFlag) wide() bool { return o.format == outWide }

// data reports whether programs read the output, as JSON or YAML.
func (o *outputFlag) data() bool { return o.format == outJSON || o.format == outYAML }

// document prints v as JSON or YAML, if that is the format. It reports whether it has.
func (o *outputFlag) document(w io.Writer, v any) (bool, error) {
	if !o.data() {
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

// stream returns a writer for the lines of JSON of a stream: they are written to w as they are, or as YAML documents.
func (o *outputFlag) stream(w io.Writer) io.Writer {
	if o.format == outYAML {
		return &yamlDocuments{w: w}
	}
	return w
}

// yamlDocuments writes each line of JSON as a document of YAML.
type yamlDocuments struct {
	w    io.Writer
	line []byte // that has not ended
}

func (y *yamlDocuments) Write(data []byte) (int, error) {
	y.line = append(y.line, data...)
	for {
		end := bytes.IndexByte(y.line, '\n')
		if end < 0 {
			return len(data), nil
		}
		text, err := yaml.JSONToYAML(y.line[:end])
		if err == nil {
			_, err = y.w.Write(append([]byte("---\n"), text...))
		}
		if err != nil {
			return 0, err
		}
		y.line = y.line[end+1:]
	}
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
