package store

import (
	"context"
	"errors"
	"strings"

	"pipec.dev/pipec/schema/record"
)

// stepsKey is a key that steps have to be able to write.
const stepsKey = "blobs/.steps"

// CheckSteps tries whether the identity of steps can write artifacts, and whether the store denies it to write records of
// a namespace. s is the store as steps open it, and must not be wrapped by Retrying. If a write succeeds, its small object stays.
func CheckSteps(ctx context.Context, s Store, namespace string) Finding {
	f := Finding{Part: CheckPart}
	if err := s.Put(ctx, stepsKey, strings.NewReader("written by pipec stack check\n"), IfAbsent); err != nil && !errors.Is(err, ErrExists) {
		f.Text = "the credentials of the steps can't write to blobs/: " + err.Error()
		return f
	}
	var open []string
	for _, dir := range []string{"runs/" + namespace + "/", "cache/" + namespace + "/", record.IndexDir(namespace), "programs/"} {
		err := s.Put(ctx, dir+".steps", strings.NewReader("written with the credentials of the steps\n"), IfAbsent)
		switch {
		case err == nil, errors.Is(err, ErrExists):
			folder, _, _ := strings.Cut(dir, "/")
			open = append(open, folder+"/")
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
