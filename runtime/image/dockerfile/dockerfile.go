// Package dockerfile builds images from Dockerfiles, by a program that the user has: buildctl for a BuildKit that runs somewhere,
// docker with buildx, podman or buildah. The program also pushes the image, because what it built is in its own storage.
//
// It contains no builder, and it does not decide when an image is built: package image does.
package dockerfile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
)

// Request is what to build, and where to push it.
type Request struct {
	// Dir is the directory that the Dockerfile can copy from, and File is the Dockerfile. Both are absolute paths.
	Dir, File string
	// Ref is where the image is pushed.
	Ref       string
	Platforms []string          // such as linux/arm64; empty: linux/amd64
	Args      map[string]string // build arguments
	Target    string            // the stage to build; "": the last one
	// Secrets are in the notation of docker: id=NAME,src=FILE or id=NAME,env=VARIABLE. No layer contains them.
	Secrets []string
	Fresh   bool // nothing of earlier builds is used, and bases are looked up again
}

// Builder builds by the first program that it finds.
type Builder struct {
	Getenv func(string) string
	// Credentials returns the user name and the password for the registry of a reference. It reports false if there are none.
	Credentials func(ctx context.Context, ref string) (user, password string, ok bool, err error)
	// Progress is called with each line that the program prints. It may be nil.
	Progress func(line string)
}

// Generated is a Dockerfile that adds packages of the base's own distribution to a base. Its user remains that of the base.
func Generated(base, user string, packages []string) string {
	var names strings.Builder
	for _, p := range packages {
		names.WriteString(" " + word(p))
	}
	list := names.String()
	text := "FROM " + base + "\nUSER 0\nRUN " +
		"if command -v apt-get >/dev/null; then apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends" + list +
		" && rm -rf /var/lib/apt/lists/*; " +
		"elif command -v apk >/dev/null; then apk add --no-cache" + list + "; " +
		"elif command -v microdnf >/dev/null; then microdnf install -y" + list + " && microdnf clean all; " +
		"elif command -v dnf >/dev/null; then dnf install -y" + list + " && dnf clean all; " +
		"else echo 'the base has no apt-get, apk, microdnf or dnf' >&2; exit 1; fi\n"
	if user != "" {
		text += "USER " + user + "\n"
	}
	return text
}

// word quotes a word for the shell of a RUN instruction, in which a line break would end the instruction.
func word(s string) string {
	return "'" + strings.NewReplacer("'", `'\''`, "\n", " ", "\r", " ").Replace(s) + "'"
}

// Build builds and pushes an image, and returns the digest that the registry has. An *Error has the end of what the program
// printed; a *NoBuilderError names the programs that were looked for.
func (b *Builder) Build(ctx context.Context, r Request) (digest string, err error) {
	t, err := b.find(ctx)
	if err != nil {
		return "", err
	}
	ref, err := name.ParseReference(r.Ref)
	if err != nil {
		return "", err
	}
	if len(r.Platforms) == 0 {
		r.Platforms = []string{"linux/amd64"}
	}
	tmp, err := os.MkdirTemp("", "pipec-build-") // readable by the user only
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	j := &job{b: b, Request: r, tmp: tmp, insecure: ref.Context().Scheme() == "http", program: t.path}
	if err := j.login(ctx, ref); err != nil {
		return "", err
	}
	digest, err = t.build(ctx, j)
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	return digest, err
}

// Error reports that a program failed.
type Error struct {
	Program string
	Output  string // the end of it
	Err     error
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s failed (%v):\n  %s", e.Program, e.Err, strings.ReplaceAll(strings.TrimSpace(e.Output), "\n", "\n  "))
}

func (e *Error) Unwrap() error { return e.Err }

// NoBuilderError reports that there is no program that builds images.
type NoBuilderError struct {
	Reasons []string // one for each program
}

func (e *NoBuilderError) Error() string {
	return "no program that builds images was found: " + strings.Join(e.Reasons, "; ")
}

var errNoDigest = errors.New("the program did not report the digest of the image")
