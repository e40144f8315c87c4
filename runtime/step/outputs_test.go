//go:build linux

package step_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

func TestOutputTypes(t *testing.T) {
	for _, c := range []struct {
		name, typ, script string
		value, format     string   // of a success
		says              []string // of a failure
	}{
		{name: "number", typ: "number", script: `echo 1.50 > $o`, value: "1.50"},
		{name: "float", typ: "any", script: `echo '[1.0, 1e20, -0.0, 1E+5]' > $o`, value: "[1.0,1e20,-0.0,1E+5]"},
		{name: "two forms", typ: "map(number)", script: `printf '{"\303\251":1, "e\314\201":2}' > $o`, value: "{\"e\u0301\":2,\"\u00e9\":1}"},
		{name: "text in two forms", typ: "string", script: `printf 'e\314\201\303\251\342\200\250\357\273\277' > $o`, value: "\"e\u0301\u00e9\\u2028\ufeff\""},
		{name: "half a character", typ: "any", script: `printf '%s' '["\ud83d"]' > $o`, says: []string{`\ud83d is half of a surrogate pair`, "at [0]"}},
		{name: "a key twice", typ: "any", script: `echo '{"a":{"b":1,"b":2}}' > $o`, says: []string{`has the key "b" twice at ["a"]`}},
		{name: "no UTF-8", typ: "any", script: `printf '["\377"]' > $o`, says: []string{"it is not UTF-8 (byte 2 is 0xff) at [0]"}},
		{name: "True", typ: "bool", script: `echo True > $o`, says: []string{`the file contains "True"`, "not valid JSON", "Python's True is true in JSON: print json.dumps(value)"}},
		{name: "Python's list", typ: "list(string)", script: `echo "['a', 'b']" > $o`, says: []string{`the file contains "['a', 'b']"`, "double quotes in JSON"}},
		{name: "Python's dict", typ: "any", script: `echo "{'a': None}" > $o`, says: []string{"Python's None is null in JSON"}},
		{name: "nan", typ: "number", script: `echo nan > $o`, says: []string{`the file contains "nan"`, "JSON has no NaN"}},
		{name: "infinite", typ: "any", script: `echo '{"a": -Infinity}' > $o`, says: []string{"JSON has no NaN and no infinity"}},
		{name: "percent", typ: "number", script: `echo 93% > $o`, says: []string{`the file contains "93%"`, "write the number without %"}},
		{name: "comma", typ: "any", script: `echo '[1, 2,]' > $o`, says: []string{"remove the comma after the last element"}},
		{name: "two lines", typ: "number", script: `printf '1\n2\n' > $o`, says: []string{`the file contains "1 2"`, "several lines"}},
		{name: "byte order mark", typ: "number", script: `printf '\357\273\2771' > $o`, says: []string{"byte order mark"}},
		{name: "words", typ: "any", script: `echo "it's done" > $o`, says: []string{`"it's done"`, "json.dumps"}},
		{name: "a long text", typ: "any", script: `head -c 5000 /dev/zero | tr '\0' 'x' > $o`, says: []string{strings.Repeat("x", 60) + `"…`, "declare the output string"}},
		{name: "no number", typ: "number", script: `echo '"1"' > $o`, says: []string{"expected number, found string"}},
		{name: "not JSON", typ: "number", script: `echo one > $o`, says: []string{"not valid JSON"}},
		{name: "empty value", typ: "bool", script: `: > $o`, says: []string{"it is empty"}},
		{name: "null", typ: "string", script: `echo null > $o`, value: `"null"`},
		{name: "text", typ: "string", script: `printf 'a\nb\n\n' > $o`, value: `"a\nb\n"`},
		{name: "quoted", typ: "string", script: `printf '%s' '"a\tb"' > $o`, value: `"a\tb"`},
		{name: "half quoted", typ: "string", script: `echo '"a" b' > $o`, value: `"\"a\" b"`},
		{name: "text that is none", typ: "string", script: `printf '\377' > $o`, says: []string{"not UTF-8"}},
		{name: "list", typ: "list(number)", script: `echo '[1, 2]' > $o`, value: "[1,2]"},
		{name: "object", typ: "object({a = number, b = optional(string)})", script: `echo '{"a": 1}' > $o`, value: `{"a":1,"b":null}`},
		{name: "any", typ: "any", script: `echo '{"z": [1, null]}' > $o`, value: `{"z":[1,null]}`},
		{name: "large value", typ: "any", script: `head -c 1100000 /dev/zero > $o`, says: []string{"1048576", "artifact"}},
		{name: "value directory", typ: "number", script: `mkdir $o`, says: []string{"expected a file with JSON, found a directory"}},
		{name: "missing", typ: "model", script: `true`, says: []string{"declared model", "outputs/o"}},

		{name: "npy", typ: "ndarray", script: `printf '\223NUMPY\1\0' > $o`, format: "npy"},
		{name: "no npy", typ: "ndarray", script: `printf 'PK\3\4abc' > $o`, says: []string{`output "o" is declared ndarray: the file starts with "PK\x03\x04abc"`}},
		{name: "empty npy", typ: "ndarray", script: `: > $o`, says: []string{"the file is empty"}},
		{name: "csv", typ: "dataframe", script: `printf 'a,b\n1,2\n' > $o`, format: "csv"},
		{name: "parquet", typ: "dataframe", script: `printf 'PAR1........PAR1' > $o`, format: "parquet"},
		{name: "half parquet", typ: "dataframe", script: `printf 'PAR1..........' > $o`, says: []string{"it is incomplete"}},
		{name: "binary frame", typ: "dataframe", script: `printf 'a,b\n1,\0\n' > $o`, says: []string{"neither", "csv", "NUL"}[1:]},
		{name: "no header", typ: "dataframe", script: `printf '\n1,2\n' > $o`, says: []string{"column names"}},
		{name: "png", typ: "image", script: `printf '\211PNG\r\n\032\n...' > $o`, format: "png"},
		{name: "jpeg", typ: "image", script: `printf '\377\330\377\340' > $o`, format: "jpeg"},
		{name: "webp", typ: "image", script: `printf 'RIFF....WEBP' > $o`, format: "webp"},
		{name: "svg", typ: "image", script: `echo '<?xml version="1.0"?><svg/>' > $o`, format: "svg"},
		{name: "no image", typ: "image", script: `echo hello > $o`, says: []string{"png, jpeg"}},
		{name: "html", typ: "html", script: `echo '<p>ä</p>' > $o`},
		{name: "latin1", typ: "text", script: `printf 'a\344' > $o`, says: []string{"not UTF-8"}},
		{name: "empty text", typ: "text", script: `: > $o`},
		{name: "json", typ: "json", script: `echo '{"a":[1,2,{"b":null}]}' > $o`},
		{name: "bad json", typ: "json", script: `echo '{"a":[1,2,}' > $o`, says: []string{"not JSON", "'}'"}},
		{name: "no json", typ: "json", script: `printf "{'a': True}" > $o`, says: []string{`the file contains "{'a': True}": it is not JSON: '\'' where a quoted name`, "true in JSON"}},
		{name: "UTF-16 as text", typ: "text", script: `printf '\377\376a\0' > $o`, says: []string{"it is UTF-16: write the file as UTF-8"}},
		{name: "UTF-16 as a frame", typ: "dataframe", script: `printf '\377\376a\0,\0' > $o`, says: []string{"it is UTF-16: write the file as UTF-8"}},
		{name: "half json", typ: "json", script: `printf '{"a":' > $o`, says: []string{"ends too early"}},
		{name: "file", typ: "file", script: `echo x > $o`},
		{name: "empty file", typ: "file", script: `: > $o`},
		{name: "empty bytes", typ: "bytes", script: `: > $o`},
		{name: "empty html", typ: "html", script: `: > $o`},
		{name: "empty media type", typ: `artifact("text/x-log")`, script: `: > $o`},
		{name: "empty model file", typ: "model", script: `: > $o`, says: []string{"the file is empty, but a model has content"}},
		{name: "empty json", typ: "json", script: `: > $o`, says: []string{"the file is empty", "write null, [] or {}"}},
		{name: "empty dataframe", typ: "dataframe", script: `: > $o`, says: []string{"the file is empty", "csv with a line of column names"}},
		{name: "empty image", typ: "image", script: `: > $o`, says: []string{"the file is empty", "png, jpeg"}},
		{name: "the shown start of an image is cut between characters", typ: "image", script: `printf '123456789012345é6' > $o`, says: []string{`starts with "123456789012345": `}},
		{name: "file directory", typ: "file", script: `mkdir $o`, says: []string{"there is a directory"}},
		{name: "media type", typ: `artifact("application/zip")`, script: `echo x > $o`},
		{name: "model directory", typ: "model", script: `mkdir $o; echo x > $o/saved_model.pb`},
		{name: "empty model", typ: "model", script: `mkdir $o`, says: []string{"empty directory"}},
		{name: "directory", typ: "directory", script: `mkdir -p $o/a/b; ln -s a $o/l; echo x > $o/a/f`},
		{name: "no directory", typ: "directory", script: `echo x > $o`, says: []string{"there is a file"}},
		{name: "link out", typ: "directory", script: `mkdir $o; ln -s /etc/passwd $o/l`, says: []string{`"l"`, "relative"}},
		{name: "fifo", typ: "directory", script: `mkdir $o; mkfifo $o/p`, says: []string{"a named pipe", "/p"}},
		{name: "link to a file", typ: "file", script: `echo x > $HOME/x; ln -s $HOME/x $o`},
		{name: "dangling link", typ: "file", script: `ln -s nowhere $o`, says: []string{"didn't write it"}},

		{name: "empty artifacts", typ: "list(file)", script: `mkdir $o; : > $o/000000; echo b > $o/000001`},
		{name: "artifacts", typ: "list(text)", script: `mkdir $o; echo a > $o/000000; echo b > $o/000001`},
		{name: "no artifacts", typ: "list(text)", script: `mkdir $o`},
		{name: "a gap", typ: "list(text)", script: `mkdir $o; echo a > $o/000000; echo b > $o/000002`, says: []string{`"000002"`, "gap"}},
		{name: "bad element", typ: "list(ndarray)", script: `mkdir $o; echo a > $o/000000`, says: []string{"element 0", "NUMPY"}},
		{name: "no list", typ: "list(text)", script: `echo a > $o`, says: []string{"a list of artifacts is a directory"}},
		{name: "map", typ: "map(json)", script: `mkdir $o; echo '{"k/1":"f"}' > $o/index.json; echo 1 > $o/f`},
		{name: "map without index", typ: "map(json)", script: `mkdir $o; echo 1 > $o/f`, says: []string{"index.json"}},
		{name: "map out", typ: "map(json)", script: `mkdir $o; echo '{"k":"../f"}' > $o/index.json`, says: []string{`"../f"`}},
		{name: "map without file", typ: "map(json)", script: `mkdir $o; echo '{"k":"f"}' > $o/index.json`, says: []string{`element "k"`, "not there"}},
		{name: "map with more", typ: "map(json)", script: `mkdir $o; echo '{}' > $o/index.json; echo 1 > $o/f`, says: []string{"names 0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := sh(t, `o=$PIPEC_OUTPUT_o; `+c.script).outputs("o", c.typ)
			if c.says != nil {
				reason := record.ReasonOutputInvalid
				if strings.Contains(c.says[0], "didn't write") || c.name == "missing" {
					reason = record.ReasonOutputMissing
				}
				x.fails(record.ClassUser, reason, append(c.says, `output "o"`)...)
				return
			}
			r := x.succeeds()
			d := r.Outputs[0]
			many := strings.HasPrefix(c.typ, "list(file") || strings.HasPrefix(c.typ, "list(text") || strings.HasPrefix(c.typ, "map")
			if d.Name != "o" || d.Type != c.typ || string(d.Value) != c.value || (d.Artifact == nil) == (c.value == "" && !many) {
				t.Fatalf("%+v", d)
			}
			x.passOn(d)
			if d.Artifact == nil {
				return
			}
			if d.Artifact.Format != c.format {
				t.Errorf("format %q", d.Artifact.Format)
			}
			if err := store.Fetch(context.Background(), x.store, *d.Artifact, filepath.Join(t.TempDir(), "o")); err != nil {
				t.Error(err)
			}
		})
	}
}

// passOn passes an output to a step that copies it to its own output: the content does not change.
func (x *trial) passOn(d record.Datum) {
	x.t.Helper()
	y := sh(x.t, `cp -a "$PIPEC_INPUT_i" "$PIPEC_OUTPUT_o"`).outputs("o", d.Type)
	y.store, y.deps.Store = x.store, x.store
	y.spec.AttemptDir += "/next"
	d.Name = "i"
	y.spec.Inputs = []record.Datum{d}
	got := y.succeeds().Outputs[0]
	got.Name = "i"
	a, _ := json.Marshal(d)
	b, _ := json.Marshal(got)
	if string(a) != string(b) {
		x.t.Errorf("%s became %s", a, b)
	}
}

// A step with one invalid output stores none of them.
func TestOutputsAreOne(t *testing.T) {
	x := sh(t, `echo x > $PIPEC_OUTPUT_a; echo x > $PIPEC_OUTPUT_b`).outputs("a", "file", "b", "number")
	x.fails(record.ClassUser, record.ReasonOutputInvalid)
	for key, err := range x.store.List(context.Background(), "blobs/", "") {
		t.Errorf("%s was stored (%v)", key, err)
	}
}

func TestDamagedInput(t *testing.T) {
	x := sh(t, "echo started")
	a := x.keep("f", "content")
	blob := filepath.Join(x.store.Dir(), record.BlobKey(a.Digest))
	if err := os.Chmod(blob, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(blob, []byte("CONTENT"), 0o644); err != nil {
		t.Fatal(err)
	}
	x.spec.Inputs = []record.Datum{{Name: "f", Type: "file", Artifact: &a}}
	r := x.fails(record.ClassInfrastructure, record.ReasonInput, `input "f"`, "damaged", a.Digest)
	if r.Log.Bytes > 0 || r.ExitCode != nil {
		t.Errorf("it was started: %+v", r)
	}
	if err := os.Remove(blob); err != nil {
		t.Fatal(err)
	}
	y := sh(t, "true")
	y.spec.Inputs = x.spec.Inputs
	y.fails(record.ClassInfrastructure, record.ReasonInput, "no such object")
}

func TestFullDisk(t *testing.T) {
	if os.Getuid() != 0 || runtime.GOOS != "linux" {
		t.Skip("a full disk is made of a small tmpfs, which takes root")
	}
	mount := t.TempDir()
	if err := unix.Mount("tmpfs", mount, "tmpfs", 0, "size=1m"); err != nil {
		t.Skip(err)
	}
	defer func() { _ = unix.Unmount(mount, unix.MNT_DETACH) }()
	st, err := store.OpenLocal(filepath.Join(mount, "store"))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	x := sh(t, `head -c 2000000 /dev/zero > $PIPEC_OUTPUT_o; echo done`).outputs("o", "file")
	x.store, x.deps.Store = st, st
	// It is the user's failure, so that it is not retried: waiting does not free space.
	x.fails(record.ClassUser, record.ReasonStore, `output "o"`, "no space left")
	for key, err := range st.List(context.Background(), "blobs/", "") {
		t.Errorf("half of an output is there: %s (%v)", key, err)
	}
	// The result can't be stored either: then there is none, and the caller gets an error.
	fill, err := os.Create(filepath.Join(mount, "fill"))
	if err != nil {
		t.Fatal(err)
	}
	for buf := make([]byte, 4096); err == nil; {
		_, err = fill.Write(buf)
	}
	_ = fill.Close()
	y := sh(t, `true`)
	y.spec.Attempt, y.deps.Store = 4, st
	y.spec.AttemptDir = "attempts/local/p/run-1/s/4"
	r, err := step.Run(context.Background(), y.spec, y.deps)
	if err == nil || r.Status != record.Failed || r.Reason != record.ReasonStore || r.Class != record.ClassUser {
		t.Fatalf("%+v, %v", r, err)
	}
	if _, err := st.Stat(context.Background(), y.spec.ResultKey()); err == nil {
		t.Error("half a result is there")
	}
}

func TestGigabyteOutput(t *testing.T) {
	if testing.Short() {
		t.Skip("a gigabyte")
	}
	x := sh(t, `truncate -s 1G $PIPEC_OUTPUT_o; truncate -s 1G $PIPEC_OUTPUT_t`).outputs("o", "file", "t", "file")
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	x.succeeds()
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 20<<20 {
		t.Errorf("it allocated %d MB", took>>20)
	}
}

// needs finds a program that a test requires.
func needs(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skip(err)
	}
	return path
}
