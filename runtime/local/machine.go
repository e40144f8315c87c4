package local

import (
	"context"
	"errors"
	"path/filepath"
	"slices"

	"pipec.dev/pipec/runtime/drive"
	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/store/stores"
	"pipec.dev/pipec/runtime/work"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// machine holds what runs use on this machine: the project's directory, the artifact store, secrets and an interpreter. It does
// not change after equip.
type machine struct {
	o       *Options
	dir     work.Dir
	store   stores.Store
	keyer   *step.Keyer
	memory  *step.Memory
	inherit *step.Inherited
	python  string
	secrets secrets
}

// openMachine opens the parts that every run uses. The caller closes the machine.
func openMachine(o *Options) (*machine, error) {
	if o.Stack == nil || o.elsewhere() {
		return nil, drive.Refuse(drive.RefusedStack, "the stack doesn't run steps on this machine")
	}
	dir, err := work.In(o.Project)
	if err != nil {
		return nil, err
	}
	s, err := o.openStore()
	if err != nil {
		return nil, err
	}
	return &machine{
		o: o, dir: dir, store: s, keyer: &step.Keyer{Dir: filepath.Join(dir.Project(), ".pipec", "interpreters")},
		memory: step.FindMemory(), inherit: step.Inherit(o.Environ),
	}, nil
}

// close closes the store.
func (m *machine) close() { _ = m.store.Close() }

// equip finds the secrets and the interpreter for the steps of a run.
func (m *machine) equip(run *record.Run, p *program.Program) (err error) {
	var taking []*program.Step
	python := program.NoPython
	for _, s := range p.All() {
		if len(run.Only) > 0 && !slices.Contains(run.Only, s.Name) || !s.Composite() && slices.Contains(run.Kept, s.Name) {
			continue
		}
		taking = append(taking, s)
	}
	taking = p.Reach(taking)
	for _, s := range taking {
		python = max(python, s.Interpreter())
	}
	if m.secrets, err = m.o.findSecrets(taking); err != nil {
		return err
	}
	if python == program.NoPython {
		return nil
	}
	m.python, err = step.FindPython(m.o.getenv, m.o.Stack.Orchestrator.Python, m.dir.Project())
	if err != nil && (python == program.NeedsPython || m.o.getenv("PIPEC_PYTHON") != "" || m.o.Stack.Orchestrator.Python != "") {
		return drive.Refuse(drive.RefusedPython, "%s", err)
	}
	return nil
}

// pack stores the code that the steps of a program use, and returns the digests by the names of the codes.
func (m *machine) pack(ctx context.Context, p *program.Program) (map[string]string, error) {
	if len(p.Codes) == 0 {
		return nil, nil
	}
	out := map[string]string{}
	for i := range p.Codes {
		c := &p.Codes[i]
		dir := filepath.Join(m.dir.Project(), filepath.FromSlash(c.Root), filepath.FromSlash(c.Dir))
		a, err := store.Pack(ctx, m.store, dir, c.Exclude)
		var content *store.ContentError
		if errors.As(err, &content) {
			return nil, drive.Refuse(drive.RefusedCode, "code %q: %s", c.Name, content)
		}
		if err != nil {
			return nil, err
		}
		out[c.Name] = a.Digest
	}
	return out, nil
}

// lookupEnv returns a variable of the environment with which runs are started.
func (m *machine) lookupEnv(name string) (string, bool) {
	value := m.o.getenv(name)
	return value, value != ""
}
