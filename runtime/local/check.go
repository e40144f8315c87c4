package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store"
)

// Finding is what Check found out about one part of a stack.
type Finding struct {
	Part string `json:"part"`
	OK   bool   `json:"ok"`
	Text string `json:"text"` // what is there, or what is wrong with it
}

// Check tries what runs on this stack will need: the artifact store, and, where python is asked for, the interpreter.
// What it writes to try the store stays there, at keys of its own.
func Check(ctx context.Context, o Options, python bool) []Finding {
	found := []Finding{checkStore(ctx, &o)}
	if python {
		found = append(found, checkPython(ctx, &o))
	}
	return found
}

// checkStore keeps an object that may be there once, reads it back, and has the store refuse it the second time.
func checkStore(ctx context.Context, o *Options) Finding {
	f := Finding{Part: "artifact store"}
	s, err := runs.OpenStore(o.Project, o.Stack.ArtifactStore)
	if err != nil {
		f.Text = err.Error()
		return f
	}
	defer s.Close()
	key := fmt.Sprintf("check/%d", time.Now().UnixNano())
	content := []byte("pipec stack check\n")
	err = s.Put(ctx, key, bytes.NewReader(content), store.IfAbsent)
	if err == nil {
		var back []byte
		if back, err = store.ReadAll(ctx, s, key); err == nil && !bytes.Equal(back, content) {
			err = errors.New("what was written does not read back")
		}
	}
	if err == nil {
		if again := s.Put(ctx, key, bytes.NewReader(content), store.IfAbsent); !errors.Is(again, store.ErrExists) {
			err = errors.New("it writes an object a second time that may be written once")
		}
	}
	if err != nil {
		f.Text = o.Stack.ArtifactStore.Path + ": " + err.Error()
		return f
	}
	f.OK, f.Text = true, o.Stack.ArtifactStore.Path+": can be written and read, and keeps what may be written once"
	return f
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
