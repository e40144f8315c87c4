package runs_test

import (
	"bytes"
	"context"
	"io"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pipec.dev/pipec/runtime/local"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/work"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// memory is a store in memory.
type memory map[string][]byte

func (m memory) Get(_ context.Context, key string) (io.ReadCloser, error) {
	data, ok := m[key]
	if !ok {
		return nil, store.ErrNotExist
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

func (m memory) Put(context.Context, string, io.Reader, store.Mode) error { return os.ErrPermission }

func (m memory) Stat(_ context.Context, key string) (store.Info, error) {
	data, ok := m[key]
	if !ok {
		return store.Info{}, store.ErrNotExist
	}
	return store.Info{Size: int64(len(data))}, nil
}

func (m memory) List(_ context.Context, prefix, after string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, key := range slices.Sorted(maps.Keys(m)) {
			if strings.HasPrefix(key, prefix) && key > after && !yield(key, nil) {
				return
			}
		}
	}
}

// FuzzRecords reads runs with arbitrary records: the run, its end, its event log, the result of an attempt and its log,
// the index, the program. Every function that commands use returns a result or an error.
func FuzzRecords(f *testing.F) {
	for _, status := range []string{"true", "false"} {
		run, end, log, result, prog := recorded(f, status)
		f.Add(run, end, log, result, prog, []byte("a line\n"), []byte(`{"version":1}`), uint8(1))
		f.Add(run, []byte(nil), log, result, prog, []byte("half a li"), []byte(`{"version":1}`), uint8(0))
	}
	f.Add([]byte(`{"version":9}`), []byte(`{"version":9}`), []byte("\x00\n{"), []byte(`null`), []byte(`{}`), []byte("\xff\r\n\x1b[2J"), []byte(`[]`), uint8(1))
	w, err := work.In(f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, run, end, log, result, prog, lines, index []byte, ended uint8) {
		at := record.Run{Name: "r", Pipeline: "p", Namespace: "ml", CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
		digest := program.Digest(prog)
		m := memory{
			at.RunKey():                   bytes.ReplaceAll(run, []byte("PROGRAM"), []byte(digest)),
			at.LogKey(0):                  log,
			at.LogKey(1):                  lines,
			at.IndexKey():                 index,
			record.ProgramKey(digest):     prog,
			"index/ml/p/short":            index,
			"index/ml/p/" + string(lines): index,
		}
		for _, step := range []string{"a", "b", "b[0]", `b["k"]`, "c.a", "c#2"} {
			m[at.AttemptDir(step, 1)+"/result.json"] = result
			m[at.AttemptDir(step, 1)+"/log/000000"] = lines
		}
		if ended%2 == 1 {
			m[at.EndKey()] = end
		}
		ctx := t.Context()
		r := runs.NewReader(m, w, "ml")
		for s, err := range r.List(ctx, "") {
			if err == nil && s.Run == nil {
				t.Fatal("a run of a list is missing")
			}
		}
		rec, err := r.Resolve(ctx, "", "latest")
		if err != nil {
			return
		}
		detail, err := r.Show(ctx, rec)
		if err != nil {
			return
		}
		silent := func(record.Event) error { return nil }
		_ = r.Logs(ctx, rec, runs.LogOptions{}, silent)
		_ = r.Logs(ctx, rec, runs.LogOptions{Steps: []string{"b"}}, silent)
		_, _ = r.LastLines(ctx, rec, "a", 1, 3)
		items := detail.Items()
		for i := range items {
			if _, err := runs.Find(items, items[i].Path()); err == nil {
				_ = r.Print(ctx, &items[i], io.Discard)
			}
		}
		runs.Compare(items, items)
	})
}

// recorded returns the records of a run as a driver writes them. The program is named PROGRAM instead of its digest.
func recorded(f *testing.F, command string) (run, end, log, result, prog []byte) {
	dir := f.TempDir()
	o := options(dir, "p", sh("a", command+` && printf 3 >"$PIPEC_OUTPUT_n"`, program.Output{Name: "n", Type: "number"}), sh("b", "echo b"))
	o.Name = "r"
	o.Program.Steps[1].ForEach = &program.ForEach{Value: program.Value{Const: []byte("[1,2]")}, Type: "list(number)", MaxInstances: 9}
	if _, err := local.Run(f.Context(), o); err != nil {
		f.Fatal(err)
	}
	read := func(glob string) []byte {
		files, err := filepath.Glob(filepath.Join(dir, ".pipec", "store", glob))
		if err != nil || len(files) == 0 {
			f.Fatalf("%s: %v", glob, err)
		}
		data, err := os.ReadFile(files[0])
		if err != nil {
			f.Fatal(err)
		}
		return data
	}
	prog = read("programs/sha256/*")
	run = bytes.ReplaceAll(read("runs/_local/p/r/run.json"), []byte(program.Digest(prog)), []byte("PROGRAM"))
	run = bytes.ReplaceAll(run, []byte(`"namespace": "_local"`), []byte(`"namespace":"ml"`))
	run = bytes.ReplaceAll(run, []byte(`"namespace":"_local"`), []byte(`"namespace":"ml"`))
	return run, read("runs/_local/p/r/end.json"), read("runs/_local/p/r/log/*"), read("attempts/_local/p/r/a/1/result.json"), prog
}
