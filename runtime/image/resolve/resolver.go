package resolve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"pipec.dev/pipec/runtime/image/index"
	"pipec.dev/pipec/runtime/image/packaging"
	"pipec.dev/pipec/runtime/image/wheel"
)

// resolver resolves requirements with uv if it is installed, or else with pip.
func (f *finder) resolver() ([]Package, error) {
	wanted, err := f.wanted()
	if err != nil || len(wanted) == 0 {
		return nil, err
	}
	if name, err := exec.LookPath("uv"); err == nil {
		return f.uv(name, wanted)
	}
	for _, python := range []string{"python3", "python"} {
		name, err := exec.LookPath(python)
		if err != nil || exec.CommandContext(f.ctx, name, "-c", "import pip").Run() != nil {
			continue
		}
		return f.pip(name, wanted)
	}
	return nil, errors.New("resolving `requirements` needs uv, or a python3 with pip, on the PATH: install one of them, or set `lock` to a file that states the packages")
}

// wanted returns the requirements, and those that keep the current packages at their versions.
func (f *finder) wanted() ([]string, error) {
	var out []string
	for _, text := range f.request.Requirements {
		m := requirementPattern().FindStringSubmatch(strings.TrimSpace(text))
		switch {
		case m == nil || strings.ContainsAny(text, "\n\r") || m[3] != "" && !strings.ContainsAny(m[3][:1], "<>=!~;@("):
			return nil, &Error{Text: fmt.Sprintf("%.200q is not a requirement, such as \"numpy>=1.26\"", redact(text))}
		case strings.HasPrefix(m[3], "@") && !strings.HasSuffix(strings.TrimSpace(strings.SplitN(strings.SplitN(m[3], ";", 2)[0], "#", 2)[0]), ".whl"):
			return nil, &Error{Text: fmt.Sprintf("%s is not at the address of a wheel; %s", m[1], wayOut)}
		case strings.HasPrefix(m[3], "@"):
			if err := index.CheckAddress(strings.TrimSpace(m[3][1:])); err != nil {
				return nil, err
			}
		}
		out = append(out, strings.TrimSpace(text))
	}
	return out, nil
}

// constraints keep packages that may not change at their versions. They don't require them.
func (f *finder) constraints() []string {
	if f.request.Only == nil {
		return nil
	}
	var out []string
	for _, p := range f.request.Current {
		if !slices.ContainsFunc(f.request.Only, func(name string) bool { return wheel.NormalName(name) == p.Name }) {
			out = append(out, p.Name+"=="+p.Version)
		}
	}
	return out
}

// flags returns the flags of a resolver for the addresses of packages and the versions to keep. Resolvers have different names for
// three of them. The caller must call remove after the resolver has ended.
func (f *finder) flags(first, extra, constraints string) (args []string, remove func(), err error) {
	if f.request.Index != "" {
		args = append(args, first, f.request.Index)
	}
	for _, at := range f.request.ExtraIndexes {
		args = append(args, extra, at)
	}
	for _, at := range f.request.FindLinks {
		args = append(args, "--find-links", at)
	}
	keep := f.constraints()
	if len(keep) == 0 {
		return args, func() {}, nil
	}
	file, remove, err := temporary(keep)
	if err != nil {
		return nil, nil, err
	}
	return append(args, constraints, file), remove, nil
}

// run runs a resolver and returns its output. The text of its errors is passed on: it states the conflict of requirements.
func (f *finder) run(ctx context.Context, stdin, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stdin = f.request.Dir, strings.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.Env = append(os.Environ(), "PIP_DISABLE_PIP_VERSION_CHECK=1", "PIP_NO_INPUT=1", "NO_COLOR=1")
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err == nil:
		return out.Bytes(), nil
	}
	said := strings.TrimSpace(redact(errs.String()))
	if said == "" {
		said = err.Error()
	}
	return nil, &Error{Text: fmt.Sprintf("the requirements can't be resolved for %s:\n%s", f.describe(), indent(said))}
}

// redact removes credentials from addresses in a text, such as the output of a resolver.
func redact(text string) string {
	return userinfo().ReplaceAllString(text, "$1")
}

func indent(text string) string {
	lines := strings.Split(text, "\n")
	const shown = 20
	if len(lines) > shown {
		lines = lines[len(lines)-shown:]
	}
	return "  " + strings.Join(lines, "\n  ")
}

// patched runs pip with the markers of the image's environment. pip itself evaluates markers for the Python that runs it,
// whatever --python-version and --platform are.
const patched = `import json, sys
from pip._vendor.packaging import markers
environment = json.loads(sys.argv.pop(1))
markers.default_environment = lambda: dict(environment)
from pip._internal.cli.main import main
sys.exit(main(sys.argv[1:]))
`

// pip resolves with pip's resolver.
func (f *finder) pip(python string, wanted []string) ([]Package, error) {
	t := f.request.Target
	variables := t.Variables()
	variables["extra"] = ""
	environment, err := json.Marshal(variables)
	if err != nil {
		return nil, err
	}
	args := []string{"-c", patched, string(environment), "install", "--dry-run", "--ignore-installed", "--quiet", "--report", "-",
		"--only-binary=:all:", "--implementation", "cp", "--python-version", t.Python.Version}
	for _, p := range t.Platforms() {
		args = append(args, "--platform", p)
	}
	for _, a := range t.ABIs() {
		args = append(args, "--abi", a)
	}
	// pip before 24 accepts --platform only together with --target. Nothing is written there.
	target, err := os.MkdirTemp("", "pipec-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(target)
	args = append(args, "--target", target)
	more, remove, err := f.flags("--index-url", "--extra-index-url", "--constraint")
	if err != nil {
		return nil, err
	}
	defer remove()
	args = append(args, more...)
	out, err := f.run(f.ctx, "", python, append(append(args, "--"), wanted...)...)
	if err != nil {
		return nil, err
	}
	return f.report(out)
}

// temporary writes lines to a file that a resolver reads.
func temporary(lines []string) (name string, remove func(), err error) {
	file, err := os.CreateTemp("", "pipec-*.txt")
	if err != nil {
		return "", nil, err
	}
	_, err = file.WriteString(strings.Join(lines, "\n") + "\n")
	return file.Name(), func() { _ = os.Remove(file.Name()) }, errors.Join(err, file.Close())
}

// report reads pip's installation report.
func (f *finder) report(data []byte) ([]Package, error) {
	var report struct {
		Install []struct {
			Metadata struct {
				Name    string `json:"name"`
				Version string `json:"version"`
			} `json:"metadata"`
			Download struct {
				URL     string `json:"url"`
				Archive struct {
					Hash   string            `json:"hash"`
					Hashes map[string]string `json:"hashes"`
				} `json:"archive_info"`
			} `json:"download_info"`
		} `json:"install"`
	}
	if err := json.Unmarshal(data, &report); err != nil {
		return nil, fmt.Errorf("pip's report can't be read: %w", err)
	}
	var out []Package
	for _, i := range report.Install {
		sum := i.Download.Archive.Hashes["sha256"]
		if s, ok := strings.CutPrefix(i.Download.Archive.Hash, "sha256="); ok && sum == "" {
			sum = s
		}
		pin := pinned{name: wheel.NormalName(i.Metadata.Name), version: i.Metadata.Version}
		if sum != "" {
			pin.hashes = []string{sum}
		}
		p, err := f.fromURL(pin, f.relative(i.Download.URL), 0)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// relative returns the address of a file in the project as a path relative to it, so that a lock is the same on every machine.
func (f *finder) relative(address string) string {
	rest, ok := strings.CutPrefix(address, "file://"+f.request.Dir+"/")
	if !ok {
		return address
	}
	return rest
}

// uv resolves with uv, whose output is a requirements file with hashes.
func (f *finder) uv(name string, wanted []string) ([]Package, error) {
	t := f.request.Target
	args := []string{"pip", "compile", "--quiet", "--no-header", "--no-annotate", "--generate-hashes", "--emit-index-url", "--only-binary", ":all:",
		"--python-version", t.Python.Version, "--python-platform", uvPlatform(t)}
	more, remove, err := f.flags("--default-index", "--index", "--constraints")
	if err != nil {
		return nil, err
	}
	defer remove()
	args = append(args, more...)
	out, err := f.run(f.ctx, strings.Join(wanted, "\n")+"\n", name, append(args, "-")...)
	if err != nil {
		return nil, err
	}
	s := &source{}
	if err := s.parse(f.request.Dir, "the output of uv", string(out), maxNested); err != nil {
		return nil, err
	}
	return f.locked(s)
}

// uvPlatform returns uv's name of a platform. It knows some versions of glibc only.
func uvPlatform(t packaging.Target) string {
	machine := t.Machine()
	switch {
	case t.Libc.Name == "musl":
		return machine + "-unknown-linux-musl"
	case t.Libc.Minor >= 31:
		return fmt.Sprintf("%s-manylinux_2_%d", machine, min(t.Libc.Minor, 40))
	case t.Libc.Minor >= 28:
		return machine + "-manylinux_2_28"
	}
	return machine + "-manylinux_2_17"
}
