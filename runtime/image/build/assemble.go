package build

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/sync/errgroup"

	"pipec.dev/pipec/runtime/image/layers"
	"pipec.dev/pipec/runtime/image/registry"
	"pipec.dev/pipec/schema/program"
)

// concurrency is the number of wheels that are downloaded, and of layers that are written, at the same time.
const concurrency = 4

func group(ctx context.Context) (*errgroup.Group, context.Context) {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(concurrency)
	return g, ctx
}

// Built is an image that is ready to be pushed.
type Built struct {
	Image     program.LockedImage
	Base      map[string][]v1.Descriptor // layers of the base, by platform
	Layers    map[string][]*Layer        // by platform, in their order above those of the base
	Missing   map[string][]Missing       // by platform; the image can be pushed nevertheless
	images    map[string]v1.Image        // by platform
	pushable  remote.Taggable
	reference string
}

// Build writes the layers of a plan, and returns the image. Nothing is uploaded.
func (b *Builder) Build(ctx context.Context, p *Plan, ref string) (*Built, error) {
	base, err := b.Registry.Base(ctx, p.Base)
	if err != nil {
		return nil, err
	}
	out := &Built{Base: map[string][]v1.Descriptor{}, Layers: map[string][]*Layer{}, Missing: map[string][]Missing{}, reference: ref}
	images := map[string]v1.Image{}
	for _, platform := range slices.Sorted(maps.Keys(p.Platforms)) {
		image, ok := base.Platforms[platform]
		if !ok {
			return nil, fmt.Errorf("the base %s has no image for %s", p.Base, platform)
		}
		if images[platform], err = b.platform(ctx, p, image, platform, out); err != nil {
			return nil, err
		}
	}
	return out, out.join(images)
}

// platform builds the image of one platform.
func (b *Builder) platform(ctx context.Context, p *Plan, image v1.Image, platform string, out *Built) (v1.Image, error) {
	found, err := b.inspect(ctx, image)
	if err != nil {
		return nil, err
	}
	wheels, err := b.fetch(ctx, p.Block, p.Platforms[platform])
	if err != nil {
		return nil, err
	}
	if out.Missing[platform], err = b.missing(ctx, found, wheels); err != nil {
		return nil, err
	}
	groups := divide(wheels)
	built := make([]*Layer, len(groups))
	g, inner := group(ctx)
	for i, wheels := range groups {
		g.Go(func() (err error) {
			built[i], err = b.layer(inner, layers.Layout{Python: found.Python}, wheels, i == len(groups)-1)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	manifest, err := image.Manifest()
	if err != nil {
		return nil, err
	}
	out.Base[platform], out.Layers[platform] = manifest.Layers, built
	return b.assemble(image, manifest, built, out.reference)
}

// assemble puts layers onto a base.
func (b *Builder) assemble(base v1.Image, manifest *v1.Manifest, built []*Layer, ref string) (v1.Image, error) {
	media := types.OCILayer
	if manifest.MediaType == types.DockerManifestSchema2 {
		media = types.DockerLayer
	}
	var add []mutate.Addendum
	for _, l := range built {
		add = append(add, mutate.Addendum{
			Layer: b.mountable(blob{l, media}, ref), MediaType: media,
			History: v1.History{CreatedBy: "pipec: " + l.Describe()},
		})
	}
	image, err := mutate.Append(base, add...)
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.Config.Env = environment(config.Config.Env)
	if config.Config.Labels == nil {
		config.Config.Labels = map[string]string{}
	}
	if digest, err := base.Digest(); err == nil {
		config.Config.Labels["org.opencontainers.image.base.digest"] = digest.String()
	}
	return mutate.ConfigFile(image, config)
}

// environment puts the virtual environment first.
func environment(env []string) []string {
	out := []string{}
	search := "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	for _, e := range env {
		switch {
		case strings.HasPrefix(e, "PATH="):
			search = strings.TrimPrefix(e, "PATH=")
		case strings.HasPrefix(e, "VIRTUAL_ENV="):
		default:
			out = append(out, e)
		}
	}
	return append(out, "PATH="+layers.Root+"/bin:"+search, "VIRTUAL_ENV="+layers.Root)
}

// join makes one image of those of the platforms, and describes it for the lock.
func (o *Built) join(images map[string]v1.Image) error {
	o.images = images
	o.Image.Platforms = slices.Sorted(maps.Keys(images))
	var digest v1.Hash
	var index v1.ImageIndex = empty.Index
	for _, platform := range o.Image.Platforms {
		image := images[platform]
		config, err := image.ConfigFile()
		if err != nil {
			return err
		}
		o.Image.User, o.Image.WorkingDir = config.Config.User, config.Config.WorkingDir
		if digest, err = image.Digest(); err != nil {
			return err
		}
		o.pushable = image
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{
			Platform: &v1.Platform{OS: config.OS, Architecture: config.Architecture, Variant: config.Variant}}})
	}
	if len(images) > 1 {
		var err error
		if digest, err = index.Digest(); err != nil {
			return err
		}
		o.pushable = index
	}
	o.Image.Digest = digest.String()
	return nil
}

// mountable marks a layer that another repository of the registry is known to have.
func (b *Builder) mountable(l blob, ref string) v1.Layer {
	to, err := registry.Parse(ref)
	if err != nil {
		return l
	}
	for _, known := range b.pushed(l.Sums.Digest) {
		from, err := name.NewRepository(known)
		if err == nil && from.RegistryStr() == to.Context().RegistryStr() && from.Name() != to.Context().Name() {
			return &remote.MountableLayer{Layer: l, Reference: from.Digest(l.Sums.Digest)}
		}
	}
	return l
}

// pushed returns the repositories to which a layer was pushed from this machine.
func (b *Builder) pushed(digest string) []string {
	var out []string
	read(b.pushedFile(digest), &out)
	return out
}

func (b *Builder) pushedFile(digest string) string {
	return filepath.Join(b.Cache, "layers", hexOf(digest)+".pushed.json")
}

// Push uploads what the registry lacks of an image.
func (b *Builder) Push(ctx context.Context, o *Built, progress func(done, total int64)) error {
	if err := b.Registry.Push(ctx, o.reference, o.pushable, progress); err != nil {
		return err
	}
	to, err := registry.Parse(o.reference)
	if err != nil {
		return err
	}
	const kept = 20 // repositories of a layer
	for _, all := range o.Layers {
		for _, l := range all {
			known := b.pushed(l.Sums.Digest)
			if slices.Contains(known, to.Context().Name()) {
				continue
			}
			known = append([]string{to.Context().Name()}, known...)
			if err := write(b.pushedFile(l.Sums.Digest), known[:min(len(known), kept)]); err != nil {
				return err
			}
		}
	}
	return nil
}
