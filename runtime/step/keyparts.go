package step

import (
	"strings"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
)

// The names of parts of a cache key whose changes have a text of their own.
const (
	PartInterpreter = "interpreter" // its version, a space, and a digest
	PartPackages    = "packages"    // the digest of Key.Packages
)

// partSize is how much of a digest identifies a part, in hexadecimal digits.
const partSize = 12

// partDigest returns the short digest of a part of a cache key.
func partDigest(v any) string {
	data, err := store.EncodeJSON(v)
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(program.Digest(data), "sha256:")[:partSize]
}

// parts returns the parts of the key by name. A part that is not there has no name.
func (f *keyForm) parts() map[string]string {
	out := map[string]string{"format": partDigest(f.Version), "outputs": partDigest([]any{f.Outputs, f.Order})}
	set := func(name string, there bool, v any) {
		if there {
			out[name] = partDigest(v)
		}
	}
	set("command", len(f.Command) > 0, f.Command)
	set("function", f.Python != "", f.Python)
	set("secrets", len(f.Secrets) > 0, f.Secrets)
	set("executable", f.Executable != "", f.Executable)
	set("runner", f.Runner != "", f.Runner)
	set("code", f.Code != "", f.Code)
	set("salt", f.Salt != "", f.Salt)
	for _, entry := range f.Env {
		name, value, _ := strings.Cut(entry, "=")
		out["environment "+name] = partDigest(value)
	}
	for i := range f.Inputs {
		out["input "+f.Inputs[i].Name] = partDigest(&f.Inputs[i])
	}
	if in := f.Interpreter; in != nil {
		version, _, _ := strings.Cut(in.Version, " ")
		out[PartInterpreter] = version + " " + partDigest(in.Version)
		out[PartPackages] = program.Digest(PackageList(in.Distributions))
	}
	return out
}

// PackageList returns installed packages as the content that PartPackages is the digest of.
func PackageList(packages []string) []byte { return []byte(strings.Join(packages, "\n") + "\n") }
