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

// probeScript prints facts about the interpreter. The user site is included even if it does not exist yet.
const probeScript = `import json, site, sys
paths = [p for p in sys.path if p]
user = site.getusersitepackages() if site.ENABLE_USER_SITE is not None else None
if user and user not in paths:
    paths.append(user)
print(json.dumps({"executable": sys.executable, "version": sys.version, "paths": paths}))`

// probeTime limits how long an interpreter may take.
const probeTime = 30 * time.Second

// interpreter are facts about an interpreter, and the state of its environment at that time.
type interpreter struct {
	Executable string   `json:"executable"`
	Version    string   `json:"version"`
	Paths      []string `json:"paths"`
	PthFiles   []string `json:"pth_files"` // at the time of the query: they add to Paths

	listed []string
}

// probe queries the interpreter at path, or returns the cached facts: they are valid as long as its file, its
// pyvenv.cfg, PYTHON* and the .pth files are unchanged. A script, such as pyenv's, may start any interpreter, so its
// facts are cached by the Keyer only. Installed packages are listed every time.
func (k *Keyer) probe(ctx context.Context, path string, env []string) (*interpreter, error) {
	here := path + "\x00" + strings.Join(env, "\x00")
	k.mu.Lock()
	p := k.queried[here]
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
	if k.queried == nil {
		k.queried = map[string]*interpreter{}
	}
	k.queried[here] = p
	return p, nil
}

// probeOutside reads Dir, and queries the interpreter if necessary.
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

// probeName returns the name of the cache file; "" for a script.
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

// remembered reads the cached facts.
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

// current returns p with the packages installed now, or nil if the .pth files have changed, so that a new query is
// necessary.
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

// remember caches the facts. It ignores errors, because the cache only saves time.
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

// probeEnvironment returns the step's environment, so that the interpreter reports the modules that the step will
// import.
func probeEnvironment(s *Spec, d Deps, form *keyForm) []string {
	inherited := d.inherited()
	out := inherited.with(s.scratch(inherited))
	slices.Sort(out)
	return append(out, form.Env...)
}
