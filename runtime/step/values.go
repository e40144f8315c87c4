package step

import (
	"fmt"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// lookup returns the values that a step's own command and env refer to.
func (s *Spec) lookup() expr.Lookup {
	return func(ref string) (cty.Value, error) {
		switch kind, name, _ := strings.Cut(ref, "."); kind {
		case "input":
			for i := range s.Inputs {
				if s.Inputs[i].Name == name {
					return s.inputValue(&s.Inputs[i])
				}
			}
		case "output":
			for i := range s.Program.Outputs {
				if s.Program.Outputs[i].Name == name {
					return pathObject(s.OutputPath(name)), nil
				}
			}
		}
		raw, ok := s.Refs[ref]
		switch {
		case !ok:
			return cty.NilVal, fmt.Errorf("%s has no value", ref)
		case string(raw) == "null":
			return cty.NullVal(cty.DynamicPseudoType), nil
		}
		v, err := types.FromJSON(raw, cty.DynamicPseudoType)
		if err != nil {
			return cty.NilVal, fmt.Errorf("%s: %w", ref, err)
		}
		return v, nil
	}
}

func pathObject(path string) cty.Value {
	return cty.ObjectVal(map[string]cty.Value{"path": types.StringVal(path)})
}

func (s *Spec) inputValue(d *record.Datum) (cty.Value, error) {
	t, err := types.ParseString(d.Type)
	if err != nil {
		return cty.NilVal, err
	}
	if d.Artifact != nil || types.HasArtifact(t) {
		return pathObject(s.InputPath(d.Name)), nil
	}
	if isNull(d) {
		return cty.NullVal(t), nil
	}
	v, err := types.FromJSON(d.Value, t)
	if err != nil {
		return cty.NilVal, fmt.Errorf("input.%s: %w", d.Name, err)
	}
	return v, nil
}

// variable evaluates a variable of env. It returns false if the value is null: the variable is left out then.
func (s *Spec) variable(v *program.Value, name string) (text string, ok bool, f *failure) {
	if text, ok := plainText(v); ok {
		return text, true, nil
	}
	val, err := v.Eval(s.lookup())
	if err == nil && val.IsNull() {
		return "", false, nil
	}
	if err == nil {
		if val, err = types.Convert(val, cty.String); err != nil {
			err = v.Explain(err)
		}
	}
	if err != nil {
		return "", false, userFailure(record.ReasonExpression, "env %s can't be evaluated: %s", name, err)
	}
	return types.Text(val), true, nil
}

// plainText returns a constant without parsing. Most strings of commands are constants.
func plainText(v *program.Value) (string, bool) {
	if v.Expr != nil || v.Ref != "" || len(v.Const) < 2 || v.Const[0] != '"' || v.Const[len(v.Const)-1] != '"' {
		return "", false
	}
	text := v.Const[1 : len(v.Const)-1]
	for _, c := range text {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			return "", false
		}
	}
	return string(text), true
}

// maxString is Linux's limit for one argument or variable, including the final NUL byte.
const maxString = 128 << 10

// fits rejects strings that the kernel would reject with only "argument list too long".
func fits(s, what string) *failure {
	switch {
	case strings.IndexByte(s, 0) >= 0:
		return userFailure(record.ReasonStart, "%s contains a NUL byte, which can't be passed to a process", what)
	case len(s) >= maxString:
		return userFailure(record.ReasonStart, "%s has %d bytes, but the system's limit is %d (128 KiB): "+
			"pass the file name instead (input.x.path), and read the file in the process", what, len(s), maxString)
	}
	return nil
}

// command returns the arguments of the process of a step with a command or a script.
func (s *Spec) command() ([]string, *failure) {
	args, f := s.arguments()
	if s.Program.Script != "" {
		args, f = s.script()
	}
	switch {
	case f != nil:
		return nil, f
	case len(args) == 0:
		return nil, userFailure(record.ReasonStart, "the command is an empty list: its first element must name the program to start")
	case args[0] == "":
		return nil, userFailure(record.ReasonStart, "command[0] is empty: it must name the program to start")
	}
	for i, arg := range args {
		if f := fits(arg, fmt.Sprintf("command[%d]", i)); f != nil {
			return nil, f
		}
	}
	if s.Python != "" && program.IsPython(args[0]) && !s.setsPath() {
		args[0] = s.Python
	}
	return args, nil
}

// setsPath reports whether the step itself sets PATH, in which its programs are then found.
func (s *Spec) setsPath() bool {
	return slices.ContainsFunc(s.Program.Env, func(e program.Env) bool { return e.Name == "PATH" })
}

func (s *Spec) arguments() ([]string, *failure) {
	if list := s.Program.CommandList; list != nil {
		return s.argument(nil, list, "command")
	}
	args := make([]string, 0, len(s.Program.Command))
	for i := range s.Program.Command {
		var f *failure
		if args, f = s.argument(args, &s.Program.Command[i], fmt.Sprintf("command[%d]", i)); f != nil {
			return nil, f
		}
	}
	return args, nil
}

// argument appends an element of the command to args: a string, a list of such elements, or nothing for null.
func (s *Spec) argument(args []string, v *program.Value, what string) ([]string, *failure) {
	if text, ok := plainText(v); ok {
		return append(args, text), nil
	}
	val, err := v.Eval(s.lookup())
	if err != nil {
		return nil, userFailure(record.ReasonExpression, "%s can't be evaluated: %s", what, err)
	}
	more, err := types.Arguments(val)
	if err != nil {
		return nil, userFailure(record.ReasonExpression, "%s can't be evaluated: %s", what, v.Explain(err))
	}
	return append(args, more...), nil
}
