// Package step is what wraps the user's process, the same on a laptop and in a pod: it fetches inputs, makes the working
// directory of the code, starts the process in its own process group, keeps its log, ends it in time, checks and stores
// its outputs, and commits the attempt by writing its result.json, once.
//
// It decides nothing about a run: no retries, no order, no cache (it only says what the key of a step is). It needs no
// shell and no network but the store's. It is unix only.
package step

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// SpecVersion is the version of Spec's JSON form. A reader refuses a newer one.
const SpecVersion = 1

// Spec is one attempt of one step: all that the wrapper must know, but secrets.
type Spec struct {
	Version     int    `json:"version"`
	Run         string `json:"run"`
	Pipeline    string `json:"pipeline"`
	Step        string `json:"step"`          // its address: "train", "call.train"
	Key         string `json:"key,omitempty"` // each.key, of an instance of a for_each
	Attempt     int    `json:"attempt"`       // counts every attempt from 1
	UserAttempt int    `json:"user_attempt"`  // PIPEC_ATTEMPT: an infrastructure repeat keeps the number

	Program program.Step   `json:"program"`
	Inputs  []record.Datum `json:"inputs,omitempty"` // evaluated; one for each of Program.Inputs
	// Refs are the values of what command and env read besides their own inputs and outputs: "run.name", "param.p".
	Refs map[string]json.RawMessage `json:"refs,omitempty"`
	Code string                     `json:"code,omitempty"` // digest of the code bundle's tree; "": none

	Root   string `json:"root"`             // absolute; inputs, outputs, code and scratch are made in it
	Dir    string `json:"dir,omitempty"`    // absolute; working directory of a step without code; "": the current one
	Python string `json:"python,omitempty"` // interpreter of a python step; "": python3 in PATH

	AttemptDir string `json:"attempt_dir"` // key prefix of what the attempt writes: record.Run.AttemptDir
	// Segments says that the log is stored piece by piece while the step runs, as in a pod that may vanish. Else it is
	// a file (LogFile) that can be followed, and stored at the end.
	Segments bool `json:"segments,omitempty"`
}

// Deps are the world as the wrapper sees it.
type Deps struct {
	Store   store.Store
	Environ []string // NAME=value; what the process inherits: all but PIPEC_*, see Spec.environment
	// Inherited is Environ, read before; may be nil.
	Inherited *Inherited
	Secrets   map[string]string // values of Program.SecretEnv, by the variable's name; never kept, never logged
	// Line is given each line of stdout and stderr, without its newline, long ones in pieces; may be nil. The bytes are
	// its own only until it returns.
	Line func(line []byte)
	// Tee is given the log as it is kept, byte for byte, before it is; may be nil.
	Tee io.Writer
	// Started is told of the process when it runs; may be nil.
	Started func(pid int)
	// Later takes what nobody waits for, such as giving back what the kernel holds of a process that has ended. It is to
	// be done soon, once; nil: it is done at once.
	Later func(do func())
	// Keeps are files that the process inherits, from 3 on: a lock that is held for it outlives whoever started it.
	Keeps []*os.File
	// Ready says that Root is there with all directories that the wrapper makes for every step, empty.
	Ready  bool
	Memory *Memory          // nil: looked for by each attempt
	Now    func() time.Time // nil: time.Now
}

// The names beneath Root.
const (
	inputsDir  = "inputs"
	outputsDir = "outputs"
	codeDir    = "code"
	scratchDir = "scratch"
	logName    = "log"
)

// InputPath is where the process finds an input.
func (s *Spec) InputPath(name string) string { return filepath.Join(s.Root, inputsDir, name) }

// OutputPath is where the process leaves an output.
func (s *Spec) OutputPath(name string) string { return filepath.Join(s.Root, outputsDir, name) }

// LogFile is the live log of a step without Segments, there from its first byte on. At the end it is moved or copied to the store: who holds it open
// reads on.
func (s *Spec) LogFile() string { return filepath.Join(s.Root, logName) }

// ResultKey is where the result is committed.
func (s *Spec) ResultKey() string { return s.AttemptDir + "/result.json" }

// LogKey is a segment of the stored log.
func LogKey(attemptDir string, segment int) string {
	return fmt.Sprintf("%s/log/%06d", attemptDir, segment)
}

// workDir is the process's working directory.
func (s *Spec) workDir() string {
	if s.Code != "" {
		return filepath.Join(s.Root, codeDir)
	}
	return s.Dir
}

// Decode reads a Spec from JSON.
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
	case (s.Program.Python == "") == (len(s.Program.Command) == 0 && s.Program.CommandList == nil):
		return fmt.Errorf("the step's spec: exactly one of command and python is required")
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

// plainName says whether a label can be a file's name.
func plainName(name string) bool {
	return name != "" && name != "." && name != ".." && len(name) < 256 && !strings.ContainsAny(name, "/\\\x00")
}

// envName is how a label stands in the name of a variable.
func envName(label string) string { return strings.ReplaceAll(label, "-", "_") }

func (d *Deps) later(do func()) {
	if d.Later == nil {
		do()
		return
	}
	d.Later(do)
}
