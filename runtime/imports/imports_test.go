package imports

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/store/s3"
	"pipec.dev/pipec/runtime/store/storetest"
	"pipec.dev/pipec/schema/record"
)

// one is what is still to be imported.
func one(typ, source string) []record.Import {
	return []record.Import{{Datum: record.Datum{Name: "data", Type: typ}, Source: source}}
}

// text gives what was imported: a file's content, or a directory's files.
func text(t *testing.T, st store.Store, a *record.Artifact) string {
	t.Helper()
	if a == nil {
		return "nothing"
	}
	if !a.Directory {
		data, err := store.ReadBlob(t.Context(), st, a.Digest, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	tree, err := store.ReadTree(t.Context(), st, *a)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range tree.Files {
		data, err := store.ReadBlob(t.Context(), st, f.Digest, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f.Path+"="+string(data))
	}
	return strings.Join(out, " ")
}

func local(t *testing.T) *store.Local {
	t.Helper()
	st, err := store.OpenLocal(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st
}

func put(t *testing.T, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestFiles(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	put(t, dir, "data/x.csv", "a,b\n")
	put(t, dir, "empty", "")
	put(t, dir, "bad.npy", "no")
	put(t, other, "y.csv", "c,d\n")
	for at, to := range map[string]string{"within": "data/x.csv", "out": other, "data/out": "/etc/hostname", "nowhere": "gone"} {
		if err := os.Symlink(to, filepath.Join(dir, at)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		typ, source string
		want        string
		says        string
		env         bool
	}{
		{typ: "dataframe", source: "data/x.csv", want: "a,b\n"},
		{typ: "file", source: "within", want: "a,b\n"},
		{typ: "file", source: "@" + other + "/y.csv", want: "c,d\n"},
		{typ: "directory", source: "@" + other, want: "y.csv=c,d\n"},
		{typ: "model", source: "@" + other, want: "y.csv=c,d\n"},
		{typ: "file", source: "gone", says: "there is no gone"},
		{typ: "file", source: "@" + other + "/gone", says: "there is no " + other + "/gone"},
		{typ: "file", source: "nowhere", says: "there is no nowhere"},
		{typ: "file", source: "out/y.csv", says: "a symbolic link leads out of the project"},
		{typ: "directory", source: "data", says: "/data contains the link \"out\""},
		{typ: "file", source: "data", says: "this type: there is a directory"},
		{typ: "directory", source: "empty", says: "this type: there is a file"},
		{typ: "file", source: "empty"},
		{typ: "bytes", source: "empty"},
		{typ: "model", source: "empty", says: "this type: the file is empty"},
		{typ: "file", source: "fifo", says: "this type: there is a special file"},
		{typ: "ndarray", source: "bad.npy", says: `the content of bad.npy does not have this type: the file starts with "no"`},
		{typ: "list(file)", source: "empty", says: "one file, one object or one directory"},
		{typ: "file", source: "../x", says: "outside of the project"},
		{typ: "file", source: "gs://bucket/x", says: "gs:// is not supported"},
		{typ: "nonsense", source: "empty", says: "nonsense", env: true},
	} {
		st := local(t)
		list := one(c.typ, c.source)
		err := Fetch(t.Context(), st, Options{Project: dir}, list)
		var f *Fault
		switch {
		case c.says == "" && err != nil:
			t.Errorf("%s as %s: %v", c.source, c.typ, err)
		case c.says == "":
			if got := text(t, st, list[0].Artifact); got != c.want {
				t.Errorf("%s as %s: %q, want %q", c.source, c.typ, got, c.want)
			}
		case !errors.As(err, &f) || !strings.Contains(f.Message, c.says) || !strings.Contains(f.Message, `param "data"`) || f.Environment != c.env:
			t.Errorf("%s as %s: %+v, want %q", c.source, c.typ, err, c.says)
		}
	}
	// Without a project there are no files, and what is imported is there.
	for _, source := range []string{"data/x.csv", "@" + other + "/y.csv"} {
		var f *Fault
		if err := Fetch(t.Context(), local(t), Options{}, one("file", source)); !errors.As(err, &f) || f.Environment {
			t.Errorf("%s: %v", source, err)
		}
	}
	st := local(t)
	list := one("file", "data/x.csv")
	if err := Fetch(t.Context(), st, Options{Project: dir}, list); err != nil {
		t.Fatal(err)
	}
	begun := 0
	o := Options{Begin: func(*record.Import) { begun++ }}
	if err := Fetch(t.Context(), st, o, list); err != nil || begun > 0 {
		t.Error(err, begun)
	}
	if err := Fetch(t.Context(), local(t), o, list); err == nil || !strings.Contains(err.Error(), "which was imported from data/x.csv, is not in the store") {
		t.Error(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Fetch(ended, local(t), Options{Project: dir}, one("file", "data/x.csv")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestObjects(t *testing.T) {
	b := storetest.NewBucket(t)
	large := strings.Repeat("a,b\n", 5<<20) // in several parts
	for key, content := range map[string]string{
		"in/x.csv": "a,b\n", "in/dir/one": "1", "in/dir/sub/two": "2", "in/dir/": "", "in/dir/sub/": "", "in/empty": "", "in/é ?#%.csv": "c,d\n",
		"in/odd/a\\b": "1", "in/clash/a": "1", "in/clash/a/b": "2", "in/large.csv": large, "in/cut.parquet": "PAR1" + strings.Repeat("x", 9<<20),
	} {
		if _, err := b.Client.PutObject(t.Context(), &sdk.PutObjectInput{Bucket: &b.Name, Key: &key, Body: strings.NewReader(content)}); err != nil {
			if strings.Contains(key, "clash") {
				t.Log(key, err) // servers on a file system can't have it
				continue
			}
			t.Fatal(key, err)
		}
	}
	own, err := s3.Open(t.Context(), b.Store("store"), s3.Options{Environ: b.Environ})
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	in := "s3://" + b.Name + "/in/"
	for _, c := range []struct {
		typ, source string
		want        string
		format      string
		says        string
		env         bool
	}{
		{typ: "dataframe", source: in + "x.csv", want: "a,b\n", format: "csv"},
		{typ: "file", source: in + "é ?#%.csv", want: "c,d\n"},
		{typ: "directory", source: in + "dir/", want: "one=1 sub/two=2"},
		{typ: "directory", source: in + "dir", want: "one=1 sub/two=2"},
		{typ: "model", source: in + "dir/", want: "one=1 sub/two=2"},
		{typ: "model", source: in + "x.csv", want: "a,b\n"},
		{typ: "dataframe", source: in + "large.csv", format: "csv"},
		{typ: "dataframe", source: in + "cut.parquet", says: "its end is missing"},
		{typ: "image", source: in + "large.csv", says: `starts with "a,b`},
		{typ: "file", source: in + "empty"},
		{typ: "model", source: in + "empty", says: "the file is empty"},
		{typ: "file", source: in + "gone.csv", says: "there is no " + in + "gone.csv"},
		{typ: "directory", source: in + "gone/", says: "there is no " + in + "gone/"},
		{typ: "directory", source: in + "odd/", says: `a\\b" can't be a file`},
		{typ: "file", source: "s3://pipec-no-such-bucket/x", says: `there is no bucket "pipec-no-such-bucket"`},
	} {
		for _, st := range []store.Store{local(t), own, store.Retrying(own, 1e9, nil)} {
			list := one(c.typ, c.source)
			err := Fetch(t.Context(), st, Options{Stack: b.Store("store"), Environ: b.Environ, Memory: 8 << 20, Grace: 1e9}, list)
			var f *Fault
			switch {
			case c.says == "" && err != nil:
				t.Errorf("%s as %s: %v", c.source, c.typ, err)
			case c.says != "":
				if !errors.As(err, &f) || !strings.Contains(f.Message, c.says) || f.Environment != c.env {
					t.Errorf("%s as %s: %+v, want %q", c.source, c.typ, err, c.says)
				}
			case list[0].Artifact.Format != c.format:
				t.Errorf("%s as %s: format %q", c.source, c.typ, list[0].Artifact.Format)
			case strings.HasSuffix(c.source, "large.csv"):
				if list[0].Artifact.Size != int64(len(large)) {
					t.Errorf("%+v", list[0].Artifact)
				}
			default:
				if got := text(t, st, list[0].Artifact); got != c.want {
					t.Errorf("%s as %s: %q, want %q", c.source, c.typ, got, c.want)
				}
			}
		}
	}
	// Who is not let in, and who isn't answered.
	denied := func(name string) (string, bool) {
		if v, ok := b.Environ(name); ok {
			return v + "x", true
		}
		return "", false
	}
	var f *Fault
	err = Fetch(t.Context(), local(t), Options{Stack: b.Store(""), Environ: denied}, one("file", in+"x.csv"))
	if !errors.As(err, &f) || !f.Environment || f.Again || strings.Contains(f.Message, b.SecretKey+"x") {
		t.Errorf("%+v", err)
	}
	away := b.Store("")
	away.Endpoint = "http://127.0.0.1:1"
	err = Fetch(t.Context(), local(t), Options{Stack: away, Environ: b.Environ}, one("file", in+"x.csv"))
	if !errors.As(err, &f) || !f.Environment || !f.Again {
		t.Errorf("%+v", err)
	}
}
