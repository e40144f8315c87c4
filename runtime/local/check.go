package local

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store"
)

// Finding is what Check reports about one part of a stack.
type Finding = store.Finding

// Check tests the requirements of runs on this stack: the artifact store and, if python is set, the interpreter. It does not
// remove the objects that it writes to test the store, which have their own keys.
func Check(ctx context.Context, o Options, python bool) []Finding {
	found := checkStore(ctx, &o)
	if python {
		found = append(found, checkPython(ctx, &o))
	}
	return found
}

func checkStore(ctx context.Context, o *Options) []Finding {
	s, err := o.openStore()
	if err != nil {
		return []Finding{{Part: store.CheckPart, Text: err.Error()}}
	}
	defer s.Close()
	return store.Check(ctx, s, o.Stack.ArtifactStore.Path)
}

func checkPython(ctx context.Context, o *Options) Finding {
	f := Finding{Part: "python"}
	path, err := step.FindPython(o.getenv, o.Stack.Orchestrator.Python, o.Project)
	if err != nil {
		f.Text = err.Error()
		return f
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "-c", "import platform; print(platform.python_version())").Output()
	if err != nil {
		f.Text = fmt.Sprintf("%s can't be run: %v", path, err)
		return f
	}
	f.OK, f.Text = true, fmt.Sprintf("%s, version %s", path, strings.TrimSpace(string(out)))
	return f
}
