package dockerfile

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// job is one build by a program.
type job struct {
	b *Builder
	Request
	program  string
	tmp      string   // a directory that only the user can read
	env      []string // beside the user's
	authFile string   // for podman and buildah; "": theirs
	insecure bool     // the registry has no TLS
}

const (
	outputKept = 15              // lines of a program that failed
	lineMax    = 64 << 10        // bytes of a line; the rest is a line of its own
	stopTime   = 5 * time.Second // for a program that is interrupted
)

// buildx builds by docker.
func buildx(ctx context.Context, j *job) (string, error) {
	metadata := filepath.Join(j.tmp, "metadata.json")
	args := []string{"buildx", "build", "--progress", "plain", "--file", j.File, "--platform", strings.Join(j.Platforms, ","),
		"--output", j.output(), "--metadata-file", metadata}
	args = append(args, j.common()...)
	if err := j.run(ctx, append(args, j.Dir)...); err != nil {
		return "", err
	}
	return buildkitDigest(metadata)
}

// buildctl builds by a BuildKit.
func buildctl(ctx context.Context, j *job) (string, error) {
	metadata := filepath.Join(j.tmp, "metadata.json")
	args := []string{"build", "--progress", "plain", "--frontend", "dockerfile.v0", "--local", "context=" + j.Dir, "--local", "dockerfile=" + filepath.Dir(j.File),
		"--opt", "filename=" + filepath.Base(j.File), "--opt", "platform=" + strings.Join(j.Platforms, ","), "--output", j.output(), "--metadata-file", metadata}
	for _, name := range slices.Sorted(maps.Keys(j.Args)) {
		args = append(args, "--opt", "build-arg:"+name+"="+j.Args[name])
	}
	if j.Target != "" {
		args = append(args, "--opt", "target="+j.Target)
	}
	for _, s := range j.Secrets {
		args = append(args, "--secret", s)
	}
	if j.Fresh {
		args = append(args, "--no-cache", "--opt", "image-resolve-mode=pull")
	}
	if err := j.run(ctx, args...); err != nil {
		return "", err
	}
	return buildkitDigest(metadata)
}

// output describes BuildKit's output. A reference has no commas, so nothing has to be quoted.
func (j *job) output() string {
	out := "type=image,name=" + j.Ref + ",push=true"
	if j.insecure {
		out += ",registry.insecure=true"
	}
	return out
}

// buildah builds by podman or buildah, whose options are the same. Several platforms make a manifest list.
func buildah(ctx context.Context, j *job) (string, error) {
	digest := filepath.Join(j.tmp, "digest")
	args := []string{"build", "--layers", "--file", j.File, "--platform", strings.Join(j.Platforms, ",")}
	push := []string{"push"}
	if len(j.Platforms) > 1 {
		// A list of an earlier build would keep its images.
		_ = exec.CommandContext(ctx, j.program, "manifest", "rm", j.Ref).Run()
		args = append(args, "--manifest", j.Ref)
		push = []string{"manifest", "push", "--all"}
	} else {
		args = append(args, "--tag", j.Ref)
	}
	if j.authFile != "" {
		args, push = append(args, "--authfile", j.authFile), append(push, "--authfile", j.authFile)
	}
	args = append(args, j.common()...)
	if err := j.run(ctx, append(args, j.Dir)...); err != nil {
		return "", err
	}
	if j.insecure {
		push = append(push, "--tls-verify=false")
	}
	if err := j.run(ctx, append(push, "--digestfile", digest, j.Ref, "docker://"+j.Ref)...); err != nil {
		return "", err
	}
	data, err := os.ReadFile(digest)
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(data)), nil
}

// common returns the options that all programs but buildctl have.
func (j *job) common() (out []string) {
	for _, name := range slices.Sorted(maps.Keys(j.Args)) {
		out = append(out, "--build-arg", name+"="+j.Args[name])
	}
	if j.Fresh {
		out = append(out, "--no-cache", "--pull")
	}
	if j.Target != "" {
		out = append(out, "--target", j.Target)
	}
	for _, s := range j.Secrets {
		out = append(out, "--secret", s)
	}
	return out
}

// run runs the program. It interrupts the program if ctx ends, so that what is complete stays in its cache.
func (j *job) run(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, j.program, args...)
	cmd.Env = append(append(os.Environ(), "BUILDX_NO_DEFAULT_ATTESTATIONS=1"), j.env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = stopTime
	r, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	last := make(chan []string, 1)
	go func() { last <- j.follow(r) }()
	err := cmd.Run()
	w.Close()
	lines := <-last
	if err == nil {
		return nil
	}
	return &Error{Program: filepath.Base(j.program), Output: strings.Join(lines, "\n"), Err: err}
}

// follow reports lines, and returns the last ones.
func (j *job) follow(r io.Reader) (last []string) {
	in := bufio.NewReaderSize(r, lineMax)
	for {
		line, _, err := in.ReadLine()
		if text := strings.TrimRight(string(line), " \r"); text != "" {
			if j.b.Progress != nil {
				j.b.Progress(text)
			}
			if last = append(last, text); len(last) > outputKept {
				last = slices.Delete(last, 0, 1)
			}
		}
		if err != nil {
			_, _ = io.Copy(io.Discard, r)
			return last
		}
	}
}

// buildkitDigest reads the digest of an image from what BuildKit reports of a build.
func buildkitDigest(file string) (string, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", errNoDigest
	}
	if err != nil {
		return "", err
	}
	var m struct {
		Digest string `json:"containerimage.digest"`
	}
	if err := json.Unmarshal(data, &m); err != nil || m.Digest == "" {
		return "", errNoDigest
	}
	return m.Digest, nil
}
