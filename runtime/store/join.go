package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path"
	"sort"
	"strings"

	"pipec.dev/pipec/schema/record"
)

// IndexFile names, in the directory that a map of artifacts is, the entry of each key.
const IndexFile = "index.json"

// ListEntry is the name of the i-th element in the directory that a list of artifacts is.
func ListEntry(i int) string { return fmt.Sprintf("%06d", i) }

// MapEntry is the name of a key's element in the directory that a map of artifacts is: keys may hold any character.
func MapEntry(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:16])
}

// JoinList makes one directory artifact of several artifacts, as list(T) is kept. Nothing is copied.
func JoinList(ctx context.Context, s Store, items []record.Artifact) (record.Artifact, error) {
	var tree record.Tree
	for i, a := range items {
		if err := graft(ctx, s, &tree, ListEntry(i), a); err != nil {
			return record.Artifact{}, err
		}
	}
	sortTree(&tree)
	return PutTree(ctx, s, tree)
}

// JoinMap makes one directory artifact of several artifacts, as map(T) is kept. Nothing is copied.
func JoinMap(ctx context.Context, s Store, items map[string]record.Artifact) (record.Artifact, error) {
	var tree record.Tree
	index := make(map[string]string, len(items))
	for key, a := range items {
		index[key] = MapEntry(key)
		if err := graft(ctx, s, &tree, index[key], a); err != nil {
			return record.Artifact{}, err
		}
	}
	data, err := EncodeJSON(index)
	if err != nil {
		return record.Artifact{}, err
	}
	digest, err := PutBytes(ctx, s, data)
	if err != nil {
		return record.Artifact{}, err
	}
	tree.Files = append(tree.Files, record.File{Path: IndexFile, Digest: digest, Size: int64(len(data))})
	sortTree(&tree)
	return PutTree(ctx, s, tree)
}

func sortTree(t *record.Tree) {
	sort.Slice(t.Files, func(i, j int) bool { return t.Files[i].Path < t.Files[j].Path })
}

// graft puts an artifact into a tree under a name.
func graft(ctx context.Context, s Store, tree *record.Tree, name string, a record.Artifact) error {
	if !a.Directory {
		tree.Files = append(tree.Files, record.File{Path: name, Digest: a.Digest, Size: a.Size})
		return nil
	}
	sub, err := ReadTree(ctx, s, a)
	if err != nil {
		return err
	}
	if len(sub.Files) == 0 {
		tree.Files = append(tree.Files, record.File{Path: name, Dir: true})
	}
	for _, f := range sub.Files {
		f.Path = path.Join(name, f.Path)
		tree.Files = append(tree.Files, f)
	}
	return nil
}

// SplitList gives the artifacts of a list(T) that is kept as a directory.
func SplitList(ctx context.Context, s Store, a record.Artifact) ([]record.Artifact, error) {
	tree, err := ReadTree(ctx, s, a)
	if err != nil {
		return nil, err
	}
	entries, names := split(tree)
	out := make([]record.Artifact, 0, len(names))
	for i, name := range names {
		if name != ListEntry(i) {
			return nil, fmt.Errorf("the list %s has no element %s", record.BlobKey(a.Digest), ListEntry(i))
		}
		item, err := entry(ctx, s, name, entries[name])
		if err != nil {
			return nil, err
		}
		out = append(out, item)
	}
	return out, nil
}

// SplitMap gives the artifacts of a map(T) that is kept as a directory.
func SplitMap(ctx context.Context, s Store, a record.Artifact) (map[string]record.Artifact, error) {
	tree, err := ReadTree(ctx, s, a)
	if err != nil {
		return nil, err
	}
	entries, _ := split(tree)
	at := entries[IndexFile]
	if len(at) != 1 || at[0].Digest == "" {
		return nil, fmt.Errorf("the map %s has no %s", record.BlobKey(a.Digest), IndexFile)
	}
	data, err := ReadBlob(ctx, s, at[0].Digest, maxTree)
	if err != nil {
		return nil, err
	}
	var index map[string]string
	if err := json.Unmarshal(data, &index); err != nil {
		return nil, fmt.Errorf("%s of the map %s: %w", IndexFile, record.BlobKey(a.Digest), err)
	}
	out := make(map[string]record.Artifact, len(index))
	for key, name := range index {
		if name == IndexFile || len(entries[name]) == 0 {
			return nil, fmt.Errorf("the map %s has no element for the key %q", record.BlobKey(a.Digest), shorten(key))
		}
		if out[key], err = entry(ctx, s, name, entries[name]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// split groups the files of a tree by the first part of their path, and gives those parts, sorted.
func split(tree record.Tree) (map[string][]record.File, []string) {
	entries := map[string][]record.File{}
	var names []string
	for _, f := range tree.Files {
		name, _, _ := strings.Cut(f.Path, "/")
		if _, seen := entries[name]; !seen {
			names = append(names, name)
		}
		entries[name] = append(entries[name], f)
	}
	sort.Strings(names)
	return entries, names
}

// entry makes an artifact of what a tree holds under a name.
func entry(ctx context.Context, s Store, name string, files []record.File) (record.Artifact, error) {
	if f := files[0]; f.Path == name && !f.Dir {
		if f.Link != "" {
			return record.Artifact{}, fmt.Errorf("the element %s is a link, and can't stand alone", name)
		}
		return record.Artifact{Digest: f.Digest, Size: f.Size}, nil
	}
	var tree record.Tree
	for _, f := range files {
		if f.Path == name {
			continue // an empty directory
		}
		f.Path = strings.TrimPrefix(f.Path, name+"/")
		tree.Files = append(tree.Files, f)
	}
	return PutTree(ctx, s, tree)
}
