package dockerfile

import (
	"context"
	"os/exec"
	"strings"
	"time"
)

// tool is a program that builds images.
type tool struct {
	path  string
	build func(context.Context, *job) (digest string, err error)
}

// answerTimeout is how long a builder may take to answer. The first time, docker downloads it.
const answerTimeout = time.Minute

// find returns the program to use: buildctl if BUILDKIT_HOST is set, or the first that works of docker, podman and buildah. A
// program whose daemon doesn't answer does not work.
func (b *Builder) find(ctx context.Context) (*tool, error) {
	if host := b.Getenv("BUILDKIT_HOST"); host != "" {
		path, err := exec.LookPath("buildctl")
		if err != nil {
			return nil, &NoBuilderError{[]string{"BUILDKIT_HOST is set, but buildctl is not installed"}}
		}
		return &tool{path, buildctl}, nil
	}
	none := &NoBuilderError{[]string{"BUILDKIT_HOST is not set"}}
	path, err := exec.LookPath("docker")
	switch {
	case err != nil:
		none.Reasons = append(none.Reasons, "docker is not installed")
	default:
		reason := b.docker(ctx, path)
		if reason == "" {
			return &tool{path, buildx}, nil
		}
		none.Reasons = append(none.Reasons, reason)
	}
	for _, name := range []string{"podman", "buildah"} {
		if path, err := exec.LookPath(name); err == nil {
			return &tool{path, buildah}, nil
		}
		none.Reasons = append(none.Reasons, name+" is not installed")
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return nil, none
}

// docker returns why docker can't be used, or "".
func (b *Builder) docker(ctx context.Context, path string) string {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	version, err := exec.CommandContext(ctx, path, "buildx", "version").CombinedOutput()
	if err != nil || !strings.Contains(string(version), "buildx") {
		return "docker has no buildx"
	}
	// A remote builder needs no daemon beside it, so buildx itself is asked.
	if err := exec.CommandContext(ctx, path, "buildx", "inspect", "--bootstrap").Run(); err != nil {
		return "docker's builder does not answer (docker buildx inspect --bootstrap)"
	}
	return ""
}
