package build

import (
	"context"

	"pipec.dev/pipec/schema/program"
)

// Foundation is a base that packages of its distribution are added to.
type Foundation struct {
	Base      string // pinned by digest
	User      string // of the base
	Platforms []string
}

// Foundation looks up the base of a block. It keeps the digest of locked, the base of an earlier build, unless up resolves everything
// again.
func (b *Builder) Foundation(ctx context.Context, block *program.Image, locked string, up Upgrade) (*Foundation, error) {
	ref := block.Base
	if locked != "" && !up.All && sameRepository(locked, ref) {
		ref = locked
	}
	base, err := b.Registry.Base(ctx, ref)
	if err != nil {
		return nil, err
	}
	f := &Foundation{Base: pin(block.Base, base.Digest)}
	if f.Platforms, err = choose(block, base); err != nil {
		return nil, err
	}
	config, err := base.Platforms[f.Platforms[0]].ConfigFile()
	if err != nil {
		return nil, err
	}
	f.User = config.Config.User
	return f, nil
}
