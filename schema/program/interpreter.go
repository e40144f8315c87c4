package program

// Interpreter is how much a step needs the Python interpreter of its environment.
type Interpreter int

// The degrees.
const (
	NoPython    Interpreter = iota
	NamesPython             // its command names `python` or `python3`, which may also be found in PATH
	NeedsPython             // it is a Python function or script
)

// Interpreter returns how much the step needs a Python interpreter.
func (s *Step) Interpreter() Interpreter {
	switch {
	case s.Python != "" || s.Script != "":
		return NeedsPython
	case s.CommandList != nil, len(s.Command) > 0 && IsPython(unquoted(s.Command[0].Const)):
		return NamesPython
	}
	return NoPython
}

// IsPython reports whether the program of a command is the Python interpreter of the step's environment.
func IsPython(name string) bool { return name == "python" || name == "python3" }

// unquoted returns the text of a JSON string without escapes.
func unquoted(data []byte) string {
	if len(data) < 2 || data[0] != '"' {
		return ""
	}
	return string(data[1 : len(data)-1])
}

// CacheKey returns the value that counts in the cache key instead of the inputs; nil if the inputs count.
func (s *Step) CacheKey() *Value {
	if s.Cache == nil {
		return nil
	}
	return s.Cache.Key
}
