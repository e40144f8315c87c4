package definitions

import (
	"context"
	"slices"
	"strings"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/notice"
	"pipec.dev/pipec/runtime/image"
	"pipec.dev/pipec/runtime/image/registry"
)

// BuildRequest selects which images are built.
type BuildRequest struct {
	Images   []string // image blocks; empty: all that pipec builds
	Upgrade  bool     // resolve everything again, also the base
	Packages []string // resolve only these Python packages again
	Secrets  []string // for Dockerfiles
}

// Build builds and pushes the images of image blocks, and writes the digests to the lock.
func (d *Definitions) Build(ctx context.Context, r BuildRequest) (*image.Result, error) {
	o, err := d.buildOptions(r)
	if err != nil {
		return nil, err
	}
	result, err := image.Build(ctx, o)
	d.Notify(notice.PushEnded{})
	return result, pushFault(ctx, err)
}

// PreviewBuild returns the images that Build would build. It downloads packages, uploads nothing, and doesn't change the lock.
func (d *Definitions) PreviewBuild(ctx context.Context, r BuildRequest) ([]image.Preview, error) {
	o, err := d.buildOptions(r)
	if err != nil {
		return nil, err
	}
	out, err := image.Previews(ctx, o)
	d.Notify(notice.PushEnded{})
	return out, pushFault(ctx, err)
}

func (d *Definitions) buildOptions(r BuildRequest) (o image.Options, err error) {
	c, err := d.Checked()
	if err != nil {
		return o, err
	}
	stack, err := d.stack(c, "build")
	if err != nil {
		return o, err
	}
	programs, err := c.Pipelines(nil)
	if err != nil {
		return o, err
	}
	var names []string
	for _, w := range image.List(programs, stack) {
		if w.Built {
			names = append(names, w.Name)
		}
	}
	for _, name := range r.Images {
		if !slices.Contains(names, name) {
			return o, fault.Usagef("there is no image %q that pipec builds", name).
				WithHint("steps use these image blocks that are built: %s", strings.Join(names, ", "))
		}
	}
	o = image.Options{
		Dir: d.Dir(), Programs: programs, Stack: stack, Images: r.Images, Upgrade: r.Upgrade, UpgradePackages: r.Packages, Secrets: r.Secrets,
		Getenv: d.Getenv, Agent: "pipec/" + d.Version(), Progress: func(g image.Progress) { d.Notify(notice.Pushing{Progress: g}) },
	}
	if o.Registry, err = registry.New(registry.Options{Agent: o.Agent}); err != nil {
		return o, fault.Env(err)
	}
	return o, nil
}
