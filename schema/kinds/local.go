package kinds

import (
	"path/filepath"
	"strconv"
	"strings"

	"pipec.dev/pipec/schema/program"
)

// local is the orchestrator of this machine.
func local() *Orchestrator {
	return &Orchestrator{
		Kind: "local", Doc: "processes on this machine", Bare: true,
		DefaultStore: &program.Store{Kind: "local", Path: ".pipec/store"},
		Attributes: []Attribute{
			{Name: "parallel", Type: "number", Default: "0", Doc: "How many processes run at once. 0 means as many as the machine has cores."},
			{Name: "python", Type: "string", Doc: "The interpreter of `python` steps; `PIPEC_PYTHON` overrides it. Without both: the project's `.venv`, `VIRTUAL_ENV`, `python3` in `PATH`."},
		},
		Read: func(v Values, o *program.Orchestrator) []Fault {
			o.Parallel, o.Python = v.Int("parallel"), v.String("python")
			return nil
		},
	}
}

// directory is the store of kind local.
func directory() *Store {
	return &Store{
		Kind: "local", PathDoc: "a directory, relative to the project", Private: "a directory of this machine",
		Path: func(path string) (string, *Fault) {
			if path == "" || strings.Contains(path, "://") {
				return path, &Fault{Text: strconv.Quote(path) + " is not a valid directory"}
			}
			return filepath.ToSlash(filepath.Clean(path)), nil
		},
	}
}
