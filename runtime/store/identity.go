package store

import (
	"context"
	"errors"
	"strings"
)

// tried are keys of which one is written for each directory that only coordinators may write to.
var tried = []string{"runs/.steps", "cache/.steps", "index/.steps", "programs/.steps"}

// stepsKey is a key that steps have to be able to write.
const stepsKey = "blobs/.steps"

// CheckSteps tries whether the identity of steps can write artifacts, and whether the store denies it to write records. s is the
// store as steps open it, and must not be wrapped by Retrying. If a write succeeds, its small object stays.
func CheckSteps(ctx context.Context, s Store) Finding {
	f := Finding{Part: CheckPart}
	if err := s.Put(ctx, stepsKey, strings.NewReader("written by pipec stack check\n"), IfAbsent); err != nil && !errors.Is(err, ErrExists) {
		f.Text = "the credentials of the steps can't write to blobs/: " + err.Error()
		return f
	}
	var open []string
	for _, key := range tried {
		err := s.Put(ctx, key, strings.NewReader("written with the credentials of the steps\n"), IfAbsent)
		switch {
		case err == nil, errors.Is(err, ErrExists):
			dir, _, _ := strings.Cut(key, "/")
			open = append(open, dir+"/")
		case ClassOf(err) != Denied:
			f.Text = "can't check what the steps may write: " + err.Error()
			return f
		}
	}
	if len(open) > 0 {
		f.Text = "the credentials of the steps can write to " + strings.Join(open, ", ") + ": limit them to blobs/ and attempts/ (docs/security.md)"
		return f
	}
	f.OK, f.Text = true, "the credentials of the steps can't write to runs/, cache/, index/ and programs/"
	return f
}
