// Package step is the wrapper around the user's process, the same on a laptop and in a pod. It fetches inputs, unpacks
// the code, starts the process in its own process group, stores its log, enforces its timeout, checks and stores its
// outputs, and commits the attempt by writing its result.json, once.
//
// It makes no decisions about a run: no retries, no order, no cache (it only computes the cache key of a step). It
// needs no shell, and no network except for the store. It works on Unix only.
package step

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"pipec.dev/pipec/runtime/lines"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// SpecVersion is the version of Spec's JSON format. Newer versions are rejected.
const SpecVersion = 1

// Spec describes one attempt of one step: everything that the wrapper needs, except secrets.
type Spec struct {
	Version     int    `json:"version"`
	Run         string `json:"run"`
	Pipeline    string `json:"pipeline"`
	Step        string `json:"step"`          // its address: "train", "call.train"
	Key         string `json:"key,omitempty"` // each.key of an instance of a for_each
	Attempt     int    `json:"attempt"`       // counts all attempts from 1
	UserAttempt int    `json:"user_attempt"`  // PIPEC_ATTEMPT: repeats after an infrastructure failure keep the number

	Program program.Step   `json:"program"`
	Inputs  []record.Datum `json:"inputs,omitempty"` // evaluated; one for each of Program.Inputs
	// Refs are the values that command and env read in addition to the step's inputs and outputs: "run.name",
	// "param.p".
	Refs map[string]json.RawMessage `json:"refs,omitempty"`
	Code string                     `json:"code,omitempty"` // digest of the code bundle's tree; "": none

	Root   string `json:"root"`             // absolute; directory of inputs, outputs, code and scratch
	Dir    string `json:"dir,omitempty"`    // absolute; working directory of a step without code; "": the current one
	Python string `json:"python,omitempty"` // interpreter of a python step; "": python3 in PATH

	AttemptDir string `json:"attempt_dir"` // key prefix of the attempt's objects: record.Run.AttemptDir
	// Segments states that the step runs in a pod, which may disappear and be created again: the log is stored in segments
	// while the step runs, and a result that the attempt has committed before is looked for. Otherwise the log is a file
	// (LogFile) that can be followed, and is stored at the end.
	Segments bool `json:"segments,omitempty"`
}

// Deps are the dependencies of the wrapper.
type Deps struct {
	Store   store.Store
	Environ []string // NAME=value; inherited by the process except PIPEC_*, see Spec.environment
	// Inherited is Environ in parsed form; may be nil.
	Inherited *Inherited
	// Seal is the key with which the result is sealed (record.Seal); "": it is not sealed.
	Seal    string
	Secrets map[string]string // values of Program.SecretEnv by variable name; never stored, never logged
	// Line is called with each line of stdout and stderr, with pieces of long ones, and with states of those that are
	// overwritten: see package lines. It must not keep the bytes after it returns, and is never called concurrently. It
	// may be nil.
	Line func(line lines.Line)
	// Tee receives the bytes of the log before they are stored, with marks that a lines.Unmarker removes; may be nil.
	Tee io.Writer
	// Started is called with the process when it runs; may be nil.
	Started func(pid int)
	// Later runs work that nothing waits for, such as releasing the resources of a process that has ended. It must run
	// it once, soon; nil: it runs immediately.
	Later func(do func())
	// Keeps are files that the process inherits, as descriptors from 3 on: a lock that the process holds even if its
	// parent ends.
	Keeps []*os.File
	// Ready states that Root exists with all directories that the wrapper creates for every step, empty.
	Ready  bool
	Memory *Memory // nil: each attempt finds it
	// Simulate takes the place of the step's process, in a test without processes; nil: the process is started.
	Simulate func(ctx context.Context, c Command) Exit
	Now      func() time.Time // nil: time.Now
}

// The names in Root.
const (
	inputsDir  = "inputs"
	outputsDir = "outputs"
	codeDir    = "code"
	scratchDir = "scratch"
	logName    = "log"
)

// InputPath is the path of an input.
func (s *Spec) InputPath(name string) string { return filepath.Join(s.Root, inputsDir, name) }

// OutputPath is the path to which the process writes an output.
func (s *Spec) OutputPath(name string) string { return filepath.Join(s.Root, outputsDir, name) }

// LogFile is the log of a running step without Segments. It exists from its first byte on. At the end it is moved or
// copied to the store, so that open files remain readable.
func (s *Spec) LogFile() string { return filepath.Join(s.Root, logName) }

// ResultKey is the key of the committed result.
func (s *Spec) ResultKey() string { return s.AttemptDir + "/result.json" }

// LogKey is the key of a segment of the stored log.
func LogKey(attemptDir string, segment int) string {
	return fmt.Sprintf("%s/log/%06d", attemptDir, segment)
}

// workDir returns the process's working directory.
func (s *Spec) workDir() string {
	if s.Code != "" {
		return filepath.Join(s.Root, codeDir)
	}
	return s.Dir
}

// Decode decodes a Spec from JSON.
func Decode(data []byte) (*Spec, error) {
	var s Spec
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("the step's spec: %w", err)
	}
	return &s, s.check()
}

func (s *Spec) check() error {
	switch {
	case s.Version < 1 || s.Version > SpecVersion:
		return fmt.Errorf("the step's spec has version %d, but this pipec reads version %d", s.Version, SpecVersion)
	case !filepath.IsAbs(s.Root):
		return fmt.Errorf("the step's spec: root %q is not an absolute path", s.Root)
	case s.Program.Interpreter() != program.NeedsPython && len(s.Program.Command) == 0 && s.Program.CommandList == nil,
		s.Program.Interpreter() == program.NeedsPython && (len(s.Program.Command) > 0 || s.Program.CommandList != nil),
		s.Program.Python != "" && s.Program.Script != "":
		return fmt.Errorf("the step's spec: exactly one of command, python and script is required")
	}
	if err := store.CheckKey(s.AttemptDir); err != nil {
		return fmt.Errorf("the step's spec: attempt_dir: %w", err)
	}
	for _, in := range s.Inputs {
		if !plainName(in.Name) {
			return fmt.Errorf("the step's spec: %q is not a valid name of an input", in.Name)
		}
	}
	for _, out := range s.Program.Outputs {
		if !plainName(out.Name) {
			return fmt.Errorf("the step's spec: %q is not a valid name of an output", out.Name)
		}
	}
	return nil
}

// plainName reports whether a label can be a file name.
func plainName(name string) bool {
	return name != "" && name != "." && name != ".." && len(name) < 256 && !strings.ContainsAny(name, "/\\\x00")
}

// envName returns a label in the form in which it is a part of a variable's name.
func envName(label string) string { return strings.ReplaceAll(label, "-", "_") }

func (d *Deps) later(do func()) {
	if d.Later == nil {
		do()
		return
	}
	d.Later(do)
}
