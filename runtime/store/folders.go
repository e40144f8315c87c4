package store

import (
	"context"
	"slices"
	"strings"
)

// Folders is a Store that can list folders without listing what is in them: with one request for a page of folders, and
// not one for each folder.
type Folders interface {
	// Folders returns the parts of keys between prefix and the next slash, each once, in byte order.
	Folders(ctx context.Context, prefix string) ([]string, error)
}

// FoldersIn lists the folders of any store. The prefix ends with a slash.
func FoldersIn(ctx context.Context, s Store, prefix string) ([]string, error) {
	if f, ok := As[Folders](s); ok {
		return f.Folders(ctx, prefix)
	}
	var out []string
	for after := ""; ; {
		found := ""
		for key, err := range s.List(ctx, prefix, after) {
			if err != nil {
				return nil, err
			}
			name, _, folder := strings.Cut(key[len(prefix):], "/")
			if folder {
				found = name
				break
			}
		}
		if found == "" {
			slices.Sort(out) // a- comes before a, as a-/ before a/
			return out, nil
		}
		out = append(out, found)
		after = prefix + found + "0" // '0' comes right after '/'
	}
}
