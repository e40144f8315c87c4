package records

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/runtime/data"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/schema/record"
)

// Artifacts reads the outputs of a run and its steps. It returns the run's whole name too.
func (r *Records) Artifacts(ctx context.Context, pipeline, name string) (run string, items []runs.Item, err error) {
	found, err := Find(ctx, r.reader, pipeline, name)
	if err != nil {
		return "", nil, err
	}
	items, err = r.reader.Artifacts(ctx, found)
	return found.Name, items, fault.Env(err)
}

// Item reads the output of a run at a path: STEP/OUTPUT, or OUTPUT alone.
func (r *Records) Item(ctx context.Context, pipeline, name, path string) (*runs.Item, error) {
	run, items, err := r.Artifacts(ctx, pipeline, name)
	if err != nil {
		return nil, err
	}
	item, err := runs.Find(items, path)
	var none *runs.NoItemError
	if errors.As(err, &none) {
		near := ""
		if s := diag.Suggest(path, none.Have); s != "" {
			near = fmt.Sprintf("; did you mean %q?", s)
		}
		return nil, fault.Usagef("run %s has no output %q%s; `pipec artifacts %s` lists the outputs", run, path, near, run)
	}
	return item, fault.Env(err)
}

// Print writes the content of an item. Directories can't be printed.
func (r *Records) Print(ctx context.Context, item *runs.Item, w io.Writer) error {
	if item.Value == nil && (item.Artifact == nil || item.Artifact.Directory) {
		return fault.Usagef("%s is a directory and can't be printed", item.Path()).WithHint("--to names the path to write the directory to")
	}
	return fault.Env(r.reader.Print(ctx, item, w))
}

// Get writes an item to a path. replace allows that there is something already, which is then replaced.
func (r *Records) Get(ctx context.Context, item *runs.Item, path string, replace bool) error {
	if _, err := os.Lstat(path); err == nil && !replace {
		return fault.Usagef("%s already exists", path).WithHint("--force replaces it, or --to names another path.")
	}
	return fault.Env(r.reader.Get(ctx, item, path, replace))
}

// Diff compares the outputs of two runs. It returns how many are the same, too.
func (r *Records) Diff(ctx context.Context, pipeline, before, after string) (diffs []runs.Difference, same int, err error) {
	var pair [2]*record.Run
	for i, name := range []string{before, after} {
		if pair[i], err = Find(ctx, r.reader, pipeline, name); err != nil {
			return nil, 0, err
		}
	}
	diffs, same, err = r.reader.Diff(ctx, pair[0], pair[1])
	return diffs, same, fault.Env(err)
}

// Describe describes the output of a run at a path.
func (r *Records) Describe(ctx context.Context, pipeline, name, path string) (*data.Description, error) {
	run, err := Find(ctx, r.reader, pipeline, name)
	if err != nil {
		return nil, err
	}
	item, err := r.Item(ctx, pipeline, run.Name, path)
	if err != nil {
		return nil, err
	}
	d, err := data.Describe(ctx, r.reader.Store(), run.Namespace, &item.Datum)
	if err != nil {
		return nil, fault.Env(err)
	}
	d.Name = item.Path()
	return d, nil
}
