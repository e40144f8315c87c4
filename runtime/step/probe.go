package step

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
)

// probeScript has an interpreter say what it is. The user's site counts even where it isn't there yet.
const probeScript = `import json, site, sys
paths = [p for p in sys.path if p]
user = site.getusersitepackages() if site.ENABLE_USER_SITE is not None else None
if user and user not in paths:
    paths.append(user)
print(json.dumps({"executable": sys.executable, "version": sys.version, "paths": paths}))`

// probeTime bounds an interpreter that doesn't come back.
const probeTime = 30 * time.Second

// interpreter is what an interpreter said, and with what in place it said it.
type interpreter struct {
	Executable string   `json:"executable"`
	Version    string   `json:"version"`
	Paths      []string `json:"paths"`
	PthFiles   []string `json:"pth_files"` // as listed when it was asked: they add to Paths

	listed []string
}

// probe asks the interpreter at path, or finds what it said before: it can't have changed as long as its file, its
// pyvenv.cfg, PYTHON* and the .pth files are the same. A script, such as pyenv's, may lead anywhere, and is asked once by
// each Keyer. What is installed is listed every time.
func (k *Keyer) probe(ctx context.Context, path string, env []string) (*interpreter, error) {
	here := path + "\x00" + strings.Join(env, "\x00")
	k.mu.Lock()
	p := k.asked[here]
	k.mu.Unlock()
	if p = p.current(); p != nil {
		return p, nil
	}
	p, err := k.probeOutside(ctx, path, env)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.asked == nil {
		k.asked = map[string]*interpreter{}
	}
	k.asked[here] = p
	return p, nil
}

// probeOutside looks into Dir, and then asks.
func (k *Keyer) probeOutside(ctx context.Context, path string, env []string) (*interpreter, error) {
	name, err := probeName(path, env)
	if err != nil {
		return nil, err
	}
	if name != "" && k.Dir != "" {
		if p := k.remembered(filepath.Join(k.Dir, name)); p != nil {
			return p, nil
		}
	}
	p, err := ask(ctx, path, env)
	if err != nil {
		return nil, err
	}
	if p.listed, err = listDistributions(p.Paths); err != nil {
		return nil, err
	}
	p.PthFiles = pthFiles(p.listed)
	if name != "" && k.Dir != "" {
		k.remember(filepath.Join(k.Dir, name), p)
	}
	return p, nil
}

// probeName names what is remembered; "" for a script.
func probeName(path string, env []string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	var start [2]byte
	if n, _ := f.Read(start[:]); n < 2 || string(start[:]) == "#!" {
		return "", nil
	}
	id, err := identify(path)
	if err != nil {
		return "", err
	}
	config, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "..", "pyvenv.cfg")) // mostly there is none
	var python []string
	for _, entry := range env {
		if strings.HasPrefix(entry, "PYTHON") {
			python = append(python, entry)
		}
	}
	slices.Sort(python)
	data, err := json.Marshal([]any{id.path, id.size, id.mtime, id.inode, config, python, probeScript})
	if err != nil {
		return "", err
	}
	return "python-" + strings.TrimPrefix(program.Digest(data), "sha256:")[:32] + ".json", nil
}

// remembered reads what the interpreter said before.
func (k *Keyer) remembered(file string) *interpreter {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	var p interpreter
	if json.Unmarshal(data, &p) != nil || p.Executable == "" {
		return nil
	}
	return p.current()
}

// current is p with what is installed now; nil where the .pth files are others, so that it must be asked again.
func (p *interpreter) current() *interpreter {
	if p == nil {
		return nil
	}
	listed, err := listDistributions(p.Paths)
	if err != nil || !slices.Equal(pthFiles(listed), p.PthFiles) {
		return nil
	}
	now := *p
	now.listed = listed
	return &now
}

// remember is a matter of speed alone: what can't be written is asked again.
func (k *Keyer) remember(file string, p *interpreter) {
	data, err := store.EncodeJSON(p)
	if err != nil || os.MkdirAll(k.Dir, 0o777) != nil {
		return
	}
	temp, err := os.CreateTemp(k.Dir, "python-*.tmp")
	if err != nil {
		return
	}
	_, err = temp.Write(data)
	if cerr := temp.Close(); err != nil || cerr != nil || os.Rename(temp.Name(), file) != nil {
		_ = os.Remove(temp.Name())
	}
}

func pthFiles(listed []string) []string {
	out := []string{}
	for _, entry := range listed {
		if strings.Contains(entry, ".pth sha256:") {
			out = append(out, entry)
		}
	}
	return out
}

func ask(ctx context.Context, path string, env []string) (*interpreter, error) {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "-c", probeScript)
	cmd.Env, cmd.Dir = env, "/"
	cmd.WaitDelay = time.Second
	var talk bytes.Buffer
	cmd.Stderr = &talk
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", path, err, clip(strings.TrimSpace(talk.String())))
	}
	var p interpreter
	if err := json.Unmarshal(out, &p); err != nil || p.Executable == "" {
		return nil, fmt.Errorf("%s does not respond like a Python 3 interpreter", path)
	}
	return &p, nil
}

// probeEnvironment is the step's environment, so that the interpreter imports from where it will.
func probeEnvironment(s *Spec, d Deps, form *keyForm) []string {
	inherited := d.inherited()
	out := inherited.with(s.scratch(inherited))
	slices.Sort(out)
	return append(out, form.Env...)
}
