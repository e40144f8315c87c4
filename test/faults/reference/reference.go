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
// An archive with sections other/script, other/commands or other/want has a second run beside the first one: of the pipeline
// q, or of p if there is no q. The section other/after contains when that run starts, such as 2s.
//
// A pod that vanishes or is killed does so once: when its attempt has another pod, its process exits with 0.
package reference

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/kube/pod"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/test/faults/plan"
	"pipec.dev/pipec/test/faults/world"
)

// Reference is a reference run, or two runs that share a cluster.
type Reference struct {
	Name   string
	Runs   []Run
	Before Scripts // of an earlier run with the program of the first one; nil: there is none
}

// Run is a run of a reference.
type Run struct {
	Name     string           // of its Job
	Program  *program.Program // bound to a cluster
	Encoded  []byte
	After    time.Duration // when it starts
	Script   Scripts
	Kept     []string // the steps that are kept of the earlier run
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
	r = &Reference{Name: name}
	run, other := Run{Name: "run", Script: Scripts{}}, Run{Name: "other", Script: Scripts{}}
	var programs map[string]*program.Program
	two := false
	for _, f := range txtar.Parse(data).Files {
		section, at := f.Name, &run
		if own, ok := strings.CutPrefix(section, "other/"); ok {
			section, at, two = own, &other, true
		}
		switch {
		case section == "main.pipec.hcl":
			programs, err = compile(f.Data)
		case section == "before":
			r.Before, err = parseScripts(string(f.Data))
		default:
			err = at.parse(section, string(f.Data))
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	if err := run.bind(programs["p"]); err != nil {
		return nil, err
	}
	r.Runs = []Run{run}
	if two {
		err = other.bind(cmp.Or(programs["q"], programs["p"]))
		r.Runs = append(r.Runs, other)
	}
	return r, err
}

// parse reads a section of the archive that is about one run.
func (r *Run) parse(section, text string) (err error) {
	switch section {
	case "script":
		r.Script, err = parseScripts(text)
	case "kept":
		r.Kept = strings.Fields(text)
	case "commands":
		r.Commands, err = parseCommands(text)
	case "want":
		r.Want, err = parseWant(text)
	case "after":
		r.After, err = time.ParseDuration(strings.TrimSpace(text))
	default:
		err = errors.New("unknown section")
	}
	return err
}

// stack is where the runs run. Nothing listens at its addresses.
var stack = program.Stack{
	Name: "k8s", Orchestrator: program.Orchestrator{
		Kind: "kubernetes", Namespace: world.Namespace, Version: "1.37", StoreGrace: program.Duration(15 * time.Minute), // as the language's default
	},
	ArtifactStore: program.Store{Kind: "s3", Path: "s3://bucket"}, Registry: &program.Registry{Kind: "generic", URI: "registry.example.com"},
}

// compile returns the programs of the project by their pipelines.
func compile(source []byte) (map[string]*program.Program, error) {
	dir, err := os.MkdirTemp("", "pipec-faults-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "main.pipec.hcl"), source, 0o666); err != nil {
		return nil, err
	}
	result, err := compiler.Compile(compiler.Options{Dir: dir})
	if err != nil {
		return nil, err
	}
	if result.Diags.HasErrors() {
		return nil, fmt.Errorf("%v", result.Diags.Sorted())
	}
	out := map[string]*program.Program{}
	for _, p := range result.Programs {
		p.Project = "project" // not the name of the temporary directory
		out[p.Pipeline] = p
	}
	return out, nil
}

// bind binds the program of the run.
func (r *Run) bind(p *program.Program) (err error) {
	if p == nil {
		return errors.New("there is no pipeline p")
	}
	lock := &program.Lock{Version: program.LockVersion, Images: map[string]program.LockedImage{
		"busybox": {Digest: "sha256:" + strings.Repeat("0", 64)},
	}}
	own := stack
	if r.Program, _, err = pod.Bind(p, &own, lock, pod.Options{Version: "v1.37.2"}); err != nil {
		return err
	}
	r.Encoded, err = r.Program.Encode()
	return err
}

// Options returns the simulation of the reference, without its files.
func (r *Reference) Options(c plan.Cell) world.Options {
	o := world.Options{Cell: c}
	for i := range r.Runs {
		o.Runs = append(o.Runs, r.Runs[i].world())
	}
	return o
}

// Earlier returns the simulation of the earlier run.
func (r *Reference) Earlier() world.Options {
	return world.Options{Runs: []world.Run{{Name: earlier, Program: r.Runs[0].Program, Encoded: r.Runs[0].Encoded, Script: r.Before.Of}}}
}

// earlier is the name of the earlier run.
const earlier = "earlier"

func (r *Run) world() world.Run {
	out := world.Run{Name: r.Name, Program: r.Program, Encoded: r.Encoded, After: r.After, Script: r.Script.Of, Commands: r.Commands}
	if r.Kept != nil {
		kept, _ := json.Marshal(r.Kept) // a list of strings
		out.Annotations = map[string]string{kube.AnnotationRerunOf: earlier, kube.AnnotationKept: string(kept)}
	}
	return out
}
