package imports

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/aws/smithy-go"
	"golang.org/x/sync/errgroup"

	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/store/s3"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// atOnce is how many objects of a prefix are read at the same time.
const atOnce = 8

// bucket is a bucket that objects are imported from.
type bucket struct {
	s3      *s3.Store
	patient store.Store
}

func (f *fetcher) bucket(ctx context.Context, name string) (*bucket, error) {
	if b := f.buckets[name]; b != nil {
		return b, nil
	}
	s, err := s3.Open(ctx, s3.Beside(f.o.Stack, name), s3.Options{Environ: f.o.Environ, Memory: f.o.Memory})
	if err != nil {
		return nil, err
	}
	if f.buckets == nil {
		f.buckets = map[string]*bucket{}
	}
	b := &bucket{s3: s, patient: store.Retrying(s, f.o.Grace, f.o.Waits)}
	f.buckets[name] = b
	return b, nil
}

func (f *fetcher) close() {
	for _, b := range f.buckets {
		_ = b.s3.Close()
	}
}

// object stores an object, or all objects with a prefix.
func (f *fetcher) object(ctx context.Context, s program.Source, kind types.Artifact) (*record.Artifact, error) {
	b, err := f.bucket(ctx, s.Bucket)
	if err != nil {
		return nil, err
	}
	if kind.Kind == "directory" || kind.Kind == "model" && s.Folder {
		a, err := f.folder(ctx, b, s)
		return a, noBucket(s, err)
	}
	var a record.Artifact
	a.Digest, a.Size, err = store.Import(ctx, f.store, b.opener(s.Key), s.String(), func(r io.Reader) (err error) {
		a.Format, err = step.CheckStream(r, kind)
		return err
	})
	return &a, noBucket(s, err)
}

func (b *bucket) opener(key string) store.Opener {
	return func(ctx context.Context) (io.ReadCloser, error) { return b.patient.Get(ctx, key) }
}

// folder stores the objects with a prefix as the files of a directory.
func (f *fetcher) folder(ctx context.Context, b *bucket, s program.Source) (*record.Artifact, error) {
	prefix := s.Key + "/"
	var tree record.Tree
	for key, err := range b.s3.Objects(ctx, prefix) {
		if err != nil {
			return nil, err
		}
		rel := strings.TrimPrefix(key, prefix)
		if rel == "" || strings.HasSuffix(rel, "/") { // a marker for a directory
			continue
		}
		if !fs.ValidPath(rel) || store.CheckKey(key) != nil {
			return nil, &Fault{Message: fmt.Sprintf("the object %q can't be a file of a directory", key)}
		}
		if tree.Files = append(tree.Files, record.File{Path: rel}); len(tree.Files) > store.MaxFiles {
			return nil, &Fault{Message: fmt.Sprintf("there are more than %d objects below it", store.MaxFiles)}
		}
	}
	if len(tree.Files) == 0 {
		return nil, fmt.Errorf("%s: %w", prefix, store.ErrNotExist)
	}
	slices.SortFunc(tree.Files, func(a, b record.File) int { return strings.Compare(a.Path, b.Path) })
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for i := range tree.Files {
		file := &tree.Files[i]
		g.Go(func() (err error) {
			key := prefix + file.Path
			file.Digest, file.Size, err = store.Import(inner, f.store, b.opener(key), "s3://"+s.Bucket+"/"+key, func(io.Reader) error { return nil })
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	a, err := store.PutTree(ctx, f.store, tree)
	if err != nil && store.ClassOf(err) == store.Permanent && store.CheckTree(tree) != nil {
		return nil, &Fault{Message: err.Error()}
	}
	return &a, err
}

// noBucket describes a missing bucket for a source.
func noBucket(s program.Source, err error) error {
	if api, ok := errors.AsType[smithy.APIError](err); ok && api.ErrorCode() == "NoSuchBucket" {
		return &Fault{Message: fmt.Sprintf("there is no bucket %q", s.Bucket)}
	}
	return err
}
