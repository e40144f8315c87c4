package store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"os"
	"path"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"pipec.dev/pipec/schema/record"
)

// Fetch writes an artifact to path, which must not exist. The caller may change the files. Every digest is verified; after
// an error part of a directory may be at path, but no file with wrong content.
func Fetch(ctx context.Context, s Store, a record.Artifact, path string) error {
	if !a.Directory {
		return fetchFile(ctx, s, a.Digest, path, 0o666)
	}
	tree, err := ReadTree(ctx, s, a)
	if err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o777); err != nil {
		return err
	}
	return fetchTree(ctx, s, tree, path)
}

// ReadTree reads the list of files of a directory artifact.
func ReadTree(ctx context.Context, s Store, a record.Artifact) (record.Tree, error) {
	var tree record.Tree
	data, err := ReadBlob(ctx, s, a.Digest, maxTree)
	if err != nil {
		return tree, err
	}
	if err := DecodeJSON(data, &tree); err != nil {
		return tree, fmt.Errorf("the directory %s: %w", record.BlobKey(a.Digest), err)
	}
	if err := CheckTree(tree); err != nil {
		return tree, fmt.Errorf("the directory %s %w", record.BlobKey(a.Digest), err)
	}
	return tree, nil
}

// fetchTree relies on CheckTree: no path that it writes leads through a symbolic link.
func fetchTree(ctx context.Context, s Store, tree record.Tree, root string) error {
	made := map[string]bool{".": true}
	for i := range tree.Files {
		f := &tree.Files[i]
		dir := path.Dir(f.Path)
		if f.Dir {
			dir = f.Path
		}
		if !made[dir] {
			if err := os.MkdirAll(filepath.Join(root, dir), 0o777); err != nil {
				return err
			}
			made[dir] = true
		}
		if f.Link != "" {
			if err := os.Symlink(f.Link, filepath.Join(root, f.Path)); err != nil {
				return err
			}
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(workersFor(s))
	for i := range tree.Files {
		f := &tree.Files[i]
		if f.Dir || f.Link != "" {
			continue
		}
		g.Go(func() error {
			perm := os.FileMode(0o666)
			if f.Exec {
				perm = 0o777
			}
			return fetchFile(ctx, s, f.Digest, filepath.Join(root, f.Path), perm)
		})
	}
	return g.Wait()
}

// fetchFile copies content to path, and verifies it: one core hashes while another one writes (see both). If the file
// system can share the blocks of two files (btrfs, xfs), no bytes are copied, and the new file is read for its digest. For a
// file of 256 MiB that takes 41% less CPU time on btrfs and 5% less on xfs (21 pairs of processes). The wall time was 2% less
// on btrfs, but 34% more on xfs: what was not copied is not in the page cache, and is read from the disk.
func fetchFile(ctx context.Context, s Store, digest, path string, perm os.FileMode) (err error) {
	if err := CheckDigest(digest); err != nil {
		return err
	}
	key := record.BlobKey(digest)
	r, err := s.Get(ctx, key)
	if err != nil {
		return err
	}
	defer r.Close()
	out, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	defer func() {
		_ = r.Close() // parts that were read ahead are not written any more
		if cerr := out.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			_ = os.Remove(path)
		}
	}()
	h := sha256.New()
	from, to := contextReader{ctx, r}, io.Writer(both{h, onlyWriter{out}})
	if s, ok := r.(TeeReader); ok {
		s.Tee(out)
		if _, err := s.WriteTo(h); err != nil {
			return err
		}
		return checkDigest(h, digest, key)
	}
	if f, ok := r.(*os.File); ok && clone(out, f) == nil {
		from, to = contextReader{ctx, out}, h
	}
	if err := copyTo(to, from); err != nil {
		return err
	}
	return checkDigest(h, digest, key)
}

func checkDigest(h hash.Hash, want, key string) error {
	if got := digestOf(h); got != want {
		return &CorruptError{Key: key, Want: want, Got: got}
	}
	return nil
}
