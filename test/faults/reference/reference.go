// Package reference reads the reference runs of the simulation: archives with a project, what its steps do, what users do,
// and how the run ends if nothing but that happens.
//
// The sections of an archive are:
//
//	main.pipec.hcl   the project; the pipeline p is run
//	script           STEP[.ATTEMPT] [exit|vanish|oom|killed|evict|wait|deaf] [run=DURATION] [code=N] [log=TEXT] [OUTPUT=VALUE …]
//	commands         cancel [on=STEP] [after=DURATION], or approve=STEP [value=JSON] [after=DURATION]
//	before           the script of an earlier run of the same program
//	kept             the steps that are kept of that run, as a rerun does
//	want             the status of the run with its reason, and of each step: its status, its attempts and its reason
//
// A pod that vanishes or is killed does so once: when its attempt has another pod, its process exits with 0.
package reference

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/schema/kube/pod"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/test/faults/world"
)

// Reference is a reference run.
type Reference struct {
	Name     string
	Program  *program.Program // bound to a cluster
	Encoded  []byte
	Script   Scripts
	Before   Scripts // nil: there is no earlier run
	Kept     []string
	Commands []world.Command
	Want     Want
}

// Load reads all reference runs, sorted by name.
func Load(files fs.FS, dir string) ([]*Reference, error) {
	paths, err := fs.Glob(files, dir+"/*.txtar")
	if err != nil {
		return nil, err
	}
	var out []*Reference
	for _, path := range paths {
		data, err := fs.ReadFile(files, path)
		if err != nil {
			return nil, err
		}
		r, err := parse(strings.TrimSuffix(filepath.Base(path), ".txtar"), data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		out = append(out, r)
	}
	return out, nil
}

func parse(name string, data []byte) (r *Reference, err error) {
	r = &Reference{Name: name, Script: Scripts{}}
	for _, f := range txtar.Parse(data).Files {
		text := string(f.Data)
		switch f.Name {
		case "main.pipec.hcl":
			err = r.compile(f.Data)
		case "script":
			r.Script, err = parseScripts(text)
		case "before":
			r.Before, err = parseScripts(text)
		case "kept":
			r.Kept = strings.Fields(text)
		case "commands":
			r.Commands, err = parseCommands(text)
		case "want":
			r.Want, err = parseWant(text)
		default:
			err = fmt.Errorf("unknown section")
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return r, nil
}

// stack is where the runs run. Nothing listens at its addresses.
var stack = program.Stack{
	Name: "k8s", Orchestrator: program.Orchestrator{
		Kind: "kubernetes", Namespace: world.Namespace, Version: "1.37", StoreGrace: program.Duration(15 * time.Minute), // as the language's default
	},
	ArtifactStore: program.Store{Kind: "s3", Path: "s3://bucket"}, Registry: &program.Registry{Kind: "generic", URI: "registry.example.com"},
}

// compile compiles and binds the project.
func (r *Reference) compile(source []byte) error {
	dir, err := os.MkdirTemp("", "pipec-faults-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "main.pipec.hcl"), source, 0o666); err != nil {
		return err
	}
	result, err := compiler.Compile(compiler.Options{Dir: dir})
	if err != nil {
		return err
	}
	if result.Diags.HasErrors() {
		return fmt.Errorf("%v", result.Diags.Sorted())
	}
	lock := &program.Lock{Version: program.LockVersion, Images: map[string]program.LockedImage{
		"busybox": {Digest: "sha256:" + strings.Repeat("0", 64)},
	}}
	for _, p := range result.Programs {
		if p.Pipeline != "p" {
			continue
		}
		p.Project = "project" // not the name of the temporary directory
		own := stack
		if r.Program, _, err = pod.Bind(p, &own, lock, pod.Options{Version: "v1.37.2"}); err != nil {
			return err
		}
		r.Encoded, err = r.Program.Encode()
		return err
	}
	return fmt.Errorf("there is no pipeline p")
}
