package step

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"syscall"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// placeholder replaces Root in a cache key: the run's directory is not a part of the key.
const placeholder = "/pipec"

// Keyer computes the cache keys of steps on this machine. It caches what it learned about executables and interpreters.
// It is safe for concurrent use.
type Keyer struct {
	// Dir is the directory in which facts about interpreters are cached between runs, as small files; "" disables that.
	Dir string

	mu      sync.Mutex
	digests map[fileID]string
	queried map[string]*interpreter // by path and environment
}

// fileID identifies the content of a file: it changes when the file system reports a change.
type fileID struct {
	path        string
	size, mtime int64
	inode       uint64
}

// Key is the result of Keyer.Key.
type Key struct {
	Digest   string            // "" if the step can't be cached
	Why      string            // the reason if it can't
	Parts    map[string]string // short digests of what Digest covers, by name
	Packages []string          // what the interpreter can import in addition to the code
}

// keyForm is the data that is digested. Its JSON is canonical: structs in field order, maps sorted.
type keyForm struct {
	Version     int               `json:"version"`
	Command     []string          `json:"command,omitempty"`
	Python      string            `json:"python,omitempty"`
	Env         []string          `json:"env"`
	Secrets     []program.Secret  `json:"secrets"`
	Executable  string            `json:"executable"` // digest of the program or the interpreter
	Interpreter *interpreterState `json:"interpreter,omitempty"`
	Runner      string            `json:"runner,omitempty"`
	Inputs      []keyDatum        `json:"inputs"`
	Outputs     []program.Output  `json:"outputs"`
	Order       []string          `json:"order,omitempty"`
	Code        string            `json:"code,omitempty"`
	Salt        string            `json:"salt,omitempty"`
	Key         json.RawMessage   `json:"key,omitempty"`
}

type keyDatum struct {
	Name   string          `json:"name"`
	Type   string          `json:"type"`
	Value  json.RawMessage `json:"value,omitempty"`
	Digest string          `json:"digest,omitempty"`
	Format string          `json:"format,omitempty"`
	Elems  []keyDatum      `json:"elems,omitempty"`
}

func newKeyDatum(d *record.Datum) keyDatum {
	kd := keyDatum{Name: d.Name, Type: d.Type, Value: d.Value}
	if d.Artifact != nil {
		kd.Digest, kd.Format = d.Artifact.Digest, d.Artifact.Format
	}
	for i := range d.Elems {
		kd.Elems = append(kd.Elems, newKeyDatum(&d.Elems[i]))
	}
	return kd
}

// Key digests everything that determines the step's outputs. If something has no digest, the step is not cached, and
// Why names it. The error is for the environment, such as an executable that can't be read.
func (k *Keyer) Key(ctx context.Context, spec *Spec, d Deps) (Key, error) {
	s := *spec
	s.Root = placeholder
	if len(s.Program.Outputs) == 0 {
		return Key{Why: "it has no outputs"}, nil
	}
	form, f := s.keyForm()
	if f != nil {
		return Key{Why: f.message}, nil // the attempt will fail with the same message
	}
	var why string
	var err error
	switch {
	case s.Program.Python != "":
		form.Python, form.Runner = s.Program.Python, RunnerDigest()
		why, err = k.python(ctx, &s, d, form)
	case s.Program.Script != "":
		argv, f := s.command()
		if f != nil {
			return Key{Why: f.message}, nil
		}
		form.Command = argv[1:] // without the interpreter, which has a digest
		why, err = k.python(ctx, &s, d, form)
	default:
		why, err = k.program(ctx, &s, d, form)
	}
	if err != nil || why != "" {
		return Key{Why: why}, err
	}
	data, err := store.EncodeJSON(form)
	if err != nil {
		return Key{}, err
	}
	key := Key{Digest: program.Digest(data), Parts: form.parts()}
	if form.Interpreter != nil {
		key.Packages = form.Interpreter.Distributions
	}
	return key, nil
}

// keyForm returns the data that is common to all steps: everything except the program and its location.
func (s *Spec) keyForm() (*keyForm, *failure) {
	form := &keyForm{
		Version: SpecVersion, Env: []string{}, Secrets: s.Program.SecretEnv, Inputs: []keyDatum{},
		Outputs: s.Program.Outputs, Order: s.outputOrder(), Code: s.Code,
	}
	if s.Program.Cache != nil {
		form.Salt = s.Program.Cache.Salt
	}
	if key := s.Program.CacheKey(); key != nil {
		f := s.ownKey(key, form)
		return form, f
	}
	for i := range s.Inputs {
		form.Inputs = append(form.Inputs, newKeyDatum(&s.Inputs[i]))
	}
	for i := range s.Program.Env {
		e := &s.Program.Env[i]
		value, ok, f := s.variable(&e.Value, e.Name)
		if f != nil {
			return nil, f
		}
		if ok {
			form.Env = append(form.Env, e.Name+"="+value)
		}
	}
	return form, nil
}

// ownKey adds the value that counts instead of the inputs and the environment.
func (s *Spec) ownKey(key *program.Value, form *keyForm) *failure {
	v, err := key.Eval(s.lookup())
	if err == nil && !v.IsNull() {
		form.Key, err = types.ToJSON(v)
	} else if err == nil {
		form.Key = json.RawMessage("null")
	}
	if err != nil {
		return userFailure(record.ReasonExpression, "the cache key can't be evaluated: %s", err)
	}
	return nil
}

// program adds the command and the digest of its executable.
func (k *Keyer) program(ctx context.Context, s *Spec, d Deps, form *keyForm) (why string, err error) {
	argv, f := s.command()
	if f != nil {
		return f.message, nil
	}
	form.Command = argv
	name := argv[0]
	if name == s.Python {
		form.Command = append([]string{"python"}, argv[1:]...) // wherever it is
		return k.interpreter(ctx, s, d, form)
	}
	if s.Code != "" && strings.ContainsRune(name, '/') && !filepath.IsAbs(name) {
		form.Executable = "code" // a file of the bundle, which has a digest already
		return "", nil
	}
	if name == s.InputPath("") || strings.HasPrefix(name, filepath.Join(placeholder, inputsDir)+"/") {
		form.Executable = "input" // an input, which has a digest already
		return "", nil
	}
	path, f := lookPath(name, s.keyEnvironment(d, form), s.Dir)
	if f == nil {
		f = badPath(name, path)
	}
	if f != nil {
		return f.message, nil
	}
	form.Executable, err = k.fileDigest(path)
	return "", err
}

// keyEnvironment returns the environment in which PATH is looked up: inherited variables, and those that the step sets.
func (s *Spec) keyEnvironment(d Deps, form *keyForm) []string {
	return append(append([]string{}, d.Environ...), form.Env...)
}

// fileDigest digests a file, again only if the file has changed.
func (k *Keyer) fileDigest(path string) (string, error) {
	id, err := identify(path)
	if err != nil {
		return "", err
	}
	k.mu.Lock()
	digest := k.digests[id]
	k.mu.Unlock()
	if digest != "" {
		return digest, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	digest = "sha256:" + hex.EncodeToString(h.Sum(nil))
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.digests == nil {
		k.digests = map[fileID]string{}
	}
	k.digests[id] = digest
	return digest, nil
}

func identify(path string) (fileID, error) {
	info, err := os.Stat(path)
	if err != nil {
		return fileID{}, err
	}
	id := fileID{path: path, size: info.Size(), mtime: info.ModTime().UnixNano()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		id.inode = st.Ino
	}
	return id, nil
}

// interpreterState is what an interpreter could import in addition to the step's code.
type interpreterState struct {
	Version       string   `json:"version"`
	Distributions []string `json:"distributions"` // names of *.dist-info and *.egg-info; *.pth with their content
}

// python adds the interpreter of a function or a script, whose text is in the step's code.
func (k *Keyer) python(ctx context.Context, s *Spec, d Deps, form *keyForm) (why string, err error) {
	if s.Code == "" {
		return "the step has no code block, so the content of its module has no digest", nil
	}
	if filepath.IsAbs(s.Program.Script) {
		return "its script is not a file of its code, and has no digest", nil
	}
	return k.interpreter(ctx, s, d, form)
}

// interpreter adds the interpreter and the installed packages.
func (k *Keyer) interpreter(ctx context.Context, s *Spec, d Deps, form *keyForm) (why string, err error) {
	env := s.keyEnvironment(d, form)
	if lookupEnv(env, "PYTHONPATH") != "" {
		return "PYTHONPATH is set, and its content has no digest", nil
	}
	path, f := lookPath(s.interpreter(), env, "")
	if f == nil {
		f = badPath(s.interpreter(), path)
	}
	if f != nil {
		return f.message, nil
	}
	p, err := k.probe(ctx, path, probeEnvironment(s, d, form))
	if err != nil {
		return "the interpreter didn't respond: " + err.Error(), nil
	}
	form.Interpreter = &interpreterState{Version: p.Version, Distributions: p.listed}
	form.Executable, err = k.fileDigest(p.Executable)
	return "", err
}

// listDistributions names the packages that are installed in the directories from which modules are imported.
func listDistributions(dirs []string) ([]string, error) {
	var out []string
	for i, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
			continue // pythonXY.zip, or a user site that does not exist
		}
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			name := e.Name()
			switch filepath.Ext(name) {
			case ".dist-info", ".egg-info", ".egg-link":
				out = append(out, fmt.Sprintf("%d/%s", i, name))
			case ".pth":
				data, err := os.ReadFile(filepath.Join(dir, name))
				if err != nil {
					return nil, err
				}
				out = append(out, fmt.Sprintf("%d/%s %s", i, name, program.Digest(data)))
			}
		}
	}
	sort.Strings(out)
	return out, nil
}

// CacheEntryFor returns the cache entry for a result.
func CacheEntryFor(result *record.Result) record.CacheEntry {
	return record.CacheEntry{Version: record.Version, Run: result.Run, At: result.EndedAt, Result: *result}
}
