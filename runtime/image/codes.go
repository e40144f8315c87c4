package image

import (
	"context"
	"io"
	"iter"
	"path/filepath"

	"errors"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// CodeDigest returns the digest of a code bundle's current files, without a store. The lock contains it unless it is
// outdated. Errors about the files are *store.ContentError.
func CodeDigest(ctx context.Context, dir string, c *program.Code) (string, error) {
	a, err := pack(ctx, nowhere{}, dir, c, nil)
	return a.Digest, err
}

func pack(ctx context.Context, s store.Store, dir string, c *program.Code, secret func(string)) (record.Artifact, error) {
	root := filepath.Join(dir, filepath.FromSlash(c.Root))
	return store.Pack(ctx, s, store.Bundle{Dir: filepath.Join(root, filepath.FromSlash(c.Dir)), Project: root, Exclude: c.Exclude, Secret: secret})
}

// code uploads a code bundle if the store lacks it. The tree is written after its files, so that a present tree implies
// that its files are present.
func (p *pusher) code(ctx context.Context, w *Want) (Item, func(*program.Lock), error) {
	item := Item{Status: Unchanged}
	var err error
	if item.Digest, err = CodeDigest(ctx, p.o.Dir, w.code); err != nil {
		return item, nil, err
	}
	_, err = p.o.Store.Stat(ctx, record.BlobKey(item.Digest))
	if errors.Is(err, store.ErrNotExist) {
		p.progress(KindCode, w.Name, 0, 0)
		var a record.Artifact
		var secrets []string
		if a, err = pack(ctx, p.o.Store, p.o.Dir, w.code, func(path string) { secrets = append(secrets, path) }); err == nil {
			item.Note = store.SecretsNote(secrets)
			item.Digest, item.Bytes, item.Status = a.Digest, a.Size, Pushed
		}
	}
	key := program.LockedCodeKey(p.o.Stack.Name, w.Name)
	return item, func(l *program.Lock) {
		if l.Codes == nil {
			l.Codes = map[string]program.LockedCode{}
		}
		l.Codes[key] = program.LockedCode{Digest: item.Digest}
	}, err
}

// nowhere is a store that computes digests and stores nothing.
type nowhere struct{}

func (nowhere) Get(context.Context, string) (io.ReadCloser, error) { return nil, store.ErrNotExist }

func (nowhere) Put(context.Context, string, io.Reader, store.Mode) error { return nil }

func (nowhere) Stat(context.Context, string) (store.Info, error) {
	return store.Info{}, store.ErrNotExist
}

func (nowhere) List(context.Context, string, string) iter.Seq2[string, error] {
	return func(func(string, error) bool) {}
}
