// Package starter writes pipelines for code that a user has: it reads the code's text, and runs nothing.
package starter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"pipec.dev/pipec/compiler/python"
	"pipec.dev/pipec/internal/app/fault"
)

// Script returns the source of a pipeline that runs a Python script with argparse, for a project in dir. Each argument is a
// param; what the text of the script doesn't show is left out, with a comment. required are the params without a default.
func Script(dir, script string) (text []byte, required []string, err error) {
	src, err := os.ReadFile(script)
	if err != nil {
		return nil, nil, fault.Usagef("--from: %v", err)
	}
	args, err := python.Arguments(src)
	if err != nil {
		return nil, nil, fault.Userf("%s: %v", script, err)
	}
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, nil, fault.Env(err)
	}
	path, err := filepath.Abs(script)
	if err != nil {
		return nil, nil, fault.Env(err)
	}
	rel, err := filepath.Rel(root, path)
	if err != nil || strings.HasPrefix(rel, "..") {
		return nil, nil, fault.Usagef("--from: %s is outside of the project's directory %s", script, dir)
	}
	w := writer{name: nameOf(script), file: filepath.Base(script), taken: map[string]bool{}}
	w.code = "./" + filepath.ToSlash(filepath.Dir(rel))
	if w.code == "./." {
		w.code = "."
	}
	for i := range args {
		w.argument(&args[i])
	}
	w.left = append(w.left, remarks(src, len(args) > 0)...)
	return w.source(), w.required, nil
}

// writer collects the parts of the pipeline.
type writer struct {
	name, file, code string
	params           []string
	list             []string // elements of `args` as a list
	options          []string // entries of `args` as a map
	plain            bool     // there are arguments that a map can't express
	left             []string // comments about arguments that are left out
	required         []string // the params without a default
	taken            map[string]bool
}

// optionName matches the names of options that `args` writes: letters, digits and dashes.
var optionName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*$`)

var notInName = regexp.MustCompile(`[^A-Za-z0-9_]+`)

// nameOf makes the name of a block of a name of Python, or of a file.
func nameOf(text string) string {
	name := strings.Trim(notInName.ReplaceAllString(strings.TrimSuffix(filepath.Base(text), ".py"), "_"), "_")
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		name = "arg_" + name
	}
	return name
}

// argument adds an argument of the script: a param, and its part of the command.
func (w *writer) argument(a *python.Argument) {
	name := nameOf(a.Name)
	flag := longest(a.Flags)
	kind, list := typeOf(a.Type), a.NArgs != "" && a.NArgs != "?"
	ref := "param." + name
	option := strings.ReplaceAll(strings.TrimPrefix(flag, "--"), "-", "_") + " = " + ref
	var element, value string
	switch {
	case w.taken[name]:
		return
	case a.Action == "store_true":
		kind, value = "bool", "false"
		element = fmt.Sprintf("%s ? %s : null", ref, quoted(flag))
	case a.Action == "store_false":
		kind, value = "bool", "true"
		element = fmt.Sprintf("%s ? null : %s", ref, quoted(flag))
		option = strings.ReplaceAll(option, "= ", "= !")
	case a.Type == "bool" && a.Action == "" && a.Unclear == "" && !list && flag != "": // for argparse, every text except the empty one is true
		kind, option = "bool", ""
		element = fmt.Sprintf(`%s, %s ? "true" : ""`, quoted(flag), ref)
		if !a.Required {
			value = strconv.FormatBool(a.Default != nil && !slices.Contains([]string{"false", "null", `""`, "0"}, string(a.Default)))
		}
	case strings.HasSuffix(a.Action, "BooleanOptionalAction") && strings.HasPrefix(flag, "--"):
		kind, value, option = "bool", "null", ""
		if a.Default != nil {
			value = string(a.Default)
		}
		element = fmt.Sprintf("%s == null ? null : %[1]s ? %s : %s", ref, quoted(flag), quoted("--no-"+flag[2:]))
	case a.Action == "append" && flag != "":
		element, value, option = fmt.Sprintf("[for v in %s : [%s, v]]", ref, quoted(flag)), listDefault(a), ""
		kind = "list(" + kind + ")"
	case a.Action != "" && a.Action != "store":
		w.left = append(w.left, fmt.Sprintf("# %s is left out: its action is %s.", a.Name, a.Action))
		return
	case a.Unclear != "" && !a.Required:
		w.left = append(w.left, fmt.Sprintf("# %s is left out, so that the script's own default holds: it is computed.", flagOr(flag, a.Name)))
		return
	case list:
		if flag != "" {
			element = fmt.Sprintf("length(%s) > 0 ? %s : null, ", ref, quoted(flag))
		}
		element, value, kind = element+ref, listDefault(a), "list("+kind+")"
	case flag == "":
		element = ref // null is left out
		if a.NArgs == "?" || a.Default != nil {
			value = scalar(a, kind)
		}
	case !a.Required && (a.Default == nil || string(a.Default) == "null"):
		value, element = "null", fmt.Sprintf(`%s == null ? null : "%s=${%[1]s}"`, ref, flag)
	default:
		if !a.Required {
			value = scalar(a, kind)
		}
		element = quoted(flag) + ", " + ref
	}
	if long := strings.TrimPrefix(flag, "--"); long == flag || !optionName.MatchString(long) || option == "" {
		w.plain = true
	} else {
		w.options = append(w.options, option)
	}
	w.taken[name] = true
	if value == "" {
		w.required = append(w.required, name)
	}
	w.params = append(w.params, param(name, kind, value, a))
	w.list = append(w.list, element)
}

func flagOr(flag, name string) string {
	if flag != "" {
		return flag
	}
	return name
}

// param writes the block of a param.
func param(name, kind, value string, a *python.Argument) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  param %s {\n    type = %s\n", quoted(name), kind)
	if value != "" {
		fmt.Fprintf(&b, "    default = %s\n", value)
	}
	help := strings.Join(strings.Fields(a.Help), " ")
	switch choices := choices(a); {
	case len(choices) == 0:
	case strings.HasPrefix(kind, "list(") || value != "" && value != "null" && !slices.Contains(choices, value):
		help = strings.TrimSpace(help + " One of " + strings.Join(choices, ", ") + ".")
	default:
		fmt.Fprintf(&b, "    enum = [%s]\n", strings.Join(choices, ", "))
	}
	if help != "" {
		fmt.Fprintf(&b, "    description = %s\n", quoted(help))
	}
	b.WriteString("  }\n")
	return b.String()
}

// scalar returns the default of an argument as a value of its type.
func scalar(a *python.Argument, kind string) string {
	var plain string
	switch {
	case a.Default == nil:
		return "null"
	case json.Unmarshal(a.Default, &plain) == nil && string(a.Default) != "null":
		if kind == "number" {
			return plain // argparse converts the text of a default
		}
		return quoted(plain)
	case kind == "string" && string(a.Default) != "null":
		return quoted(string(a.Default))
	}
	return string(a.Default)
}

// choices returns the choices of an argument as values of its type.
func choices(a *python.Argument) []string {
	var out []string
	for _, c := range a.Choices {
		out = append(out, scalar(&python.Argument{Default: c}, typeOf(a.Type)))
	}
	return out
}

// listDefault returns the default of an argument with several values; "" if it is required.
func listDefault(a *python.Argument) string {
	var all []json.RawMessage
	if json.Unmarshal(a.Default, &all) == nil && all != nil {
		parts := make([]string, len(all))
		for i := range all {
			parts[i] = scalar(&python.Argument{Default: all[i]}, typeOf(a.Type))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	if a.Required || len(a.Flags) == 0 && a.NArgs != "*" {
		return ""
	}
	return "[]"
}

func typeOf(text string) string {
	if text == "int" || text == "float" {
		return "number"
	}
	return "string"
}

// longest returns the long flag of an argument, or else the first one.
func longest(flags []string) string {
	for _, f := range flags {
		if strings.HasPrefix(f, "--") {
			return f
		}
	}
	if len(flags) > 0 {
		return flags[0]
	}
	return ""
}

// quoted writes a string of HCL.
func quoted(text string) string {
	data, err := json.Marshal(text)
	if err != nil {
		return `""`
	}
	out := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(data))
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(out)
}

// source returns the text of the pipeline.
func (w *writer) source() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "# The directory of the script, which is shipped to the step and is its working directory.\ncode \"src\" {\n  dir = %s\n}\n\n", quoted(w.code))
	fmt.Fprintf(&b, "pipeline %s {\n  code = code.src\n  image = \"python:3.13-slim\" # for pods\n  timeout = \"24h\"\n\n", quoted(w.name))
	for _, p := range w.params {
		b.WriteString(p + "\n")
	}
	for _, left := range w.left {
		b.WriteString("  " + oneLine(left) + "\n")
	}
	fmt.Fprintf(&b, "%s  step %s {\n    script = %s\n", comment, quoted(w.name), quoted(w.file))
	switch {
	case len(w.list) == 0:
	case w.plain:
		fmt.Fprintf(&b, "    args = [\n      %s,\n    ]\n", strings.Join(w.list, ",\n      "))
	default:
		fmt.Fprintf(&b, "    args = {\n      %s\n    }\n", strings.Join(w.options, "\n      "))
	}
	b.WriteString("    resources {\n      cpu = \"1\"\n      memory = \"1Gi\"\n    }\n  }\n}\n")
	return []byte(b.String())
}

// comment is about the step, in the words of a beginner's next task.
const comment = "  # Declare what the script writes as `output`, and give it output.NAME.path as an argument.\n"

// remarks returns comments about what a script does besides calls of add_argument.
func remarks(src []byte, found bool) []string {
	var out []string
	if bytes.Contains(src, []byte("add_subparsers(")) {
		out = append(out, "# The script has subcommands. The params are those of all of them: keep what one needs, and write args = [\"SUBCOMMAND\", …].")
	}
	if !found && otherOptions.Match(src) {
		out = append(out, "# The script's options are not read, because they are not declared with argparse. Write them here: args = { NAME = value }.")
	}
	return out
}

// otherOptions matches the text of a script that reads options without argparse.
var otherOptions = regexp.MustCompile(`(?m)^\s*(import|from)\s+(click|typer|fire|docopt|absl|hydra)\b|\bsys\.argv\b`)

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
