//go:build linux

package step_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

func (x *trial) output(out program.Output) *trial {
	x.spec.Program.Outputs = append(x.spec.Program.Outputs, out)
	return x
}

// content returns a datum as text, for a list or a map with all elements and their names.
func (x *trial) content(d *record.Datum) string {
	x.t.Helper()
	if d.Artifact != nil && !d.Artifact.Directory {
		r, err := store.OpenBlob(context.Background(), x.store, d.Artifact.Digest)
		if err != nil {
			x.t.Fatal(err)
		}
		defer r.Close()
		var b strings.Builder
		if _, err := fmt.Fscan(r, new(string)); err == nil {
			data, err := store.ReadBlob(context.Background(), x.store, d.Artifact.Digest, 1<<20)
			if err != nil {
				x.t.Fatal(err)
			}
			b.Write(data)
		}
		return strings.TrimSpace(b.String())
	}
	if d.Artifact != nil {
		return "directory"
	}
	parts := []string{}
	for i := range d.Elems {
		part := x.content(&d.Elems[i])
		if d.Elems[i].Name != "" {
			part = fmt.Sprintf("%q=%s", d.Elems[i].Name, part)
		}
		parts = append(parts, part)
	}
	return "[" + strings.Join(parts, " ") + "]"
}

func TestGlobs(t *testing.T) {
	const abc = "mkdir -p out/d/e; echo b > out/b.txt; echo a > out/a.txt; echo c > out/d/e/c.txt; echo h > out/.h.txt; "
	for _, c := range []struct {
		name, typ, glob, script string
		want                    string
		says                    []string
		log                     string
	}{
		{name: "a list, sorted", typ: "list(text)", glob: "out/*.txt", script: abc, want: "[a b]"},
		{name: "deep", typ: "list(text)", glob: "out/**/*.txt", script: abc, want: "[a b c]"},
		{name: "a map by path", typ: "map(text)", glob: "out/**/*.txt", script: abc, want: `["a.txt"=a "b.txt"=b "d/e/c.txt"=c]`},
		{name: "by bytes", typ: "map(text)", glob: "*.t", script: "for f in a B _ ä b a-; do echo $f > $f.t; done",
			want: `["B.t"=B "_.t"=_ "a-.t"=a- "a.t"=a "b.t"=b "ä.t"=ä]`},
		{name: "what differs in case alone", typ: "map(text)", glob: "*.t", script: "echo 1 > a.t; echo 2 > A.t", want: `["A.t"=2 "a.t"=1]`},
		{name: "one", typ: "text", glob: "out/a.*", script: abc, want: "a"},
		{name: "one by its name", typ: "text", glob: "out/d/e/c.txt", script: abc, want: "c"},
		{name: "hidden", typ: "text", glob: "out/.*.txt", script: abc, want: "h"},
		{name: "names with newlines", typ: "map(text)", glob: "*", script: `mkdir x; echo 1 > "a
b"; echo 2 > "-rf *"`, want: `["-rf *"=2 "a\nb"=1]`},
		{name: "directories", typ: "map(directory)", glob: "out/*", script: abc, want: `["d"=directory]`},
		{name: "a directory", typ: "directory", glob: "ou*", script: abc, want: "directory"},
		{name: "models are files or directories", typ: "map(model)", glob: "out/*", script: abc, want: `["a.txt"=a "b.txt"=b "d"=directory]`},
		{name: "none of a list", typ: "list(text)", glob: "out/*.csv", script: abc, want: "[]"},
		{name: "none of a map", typ: "map(text)", glob: "nowhere/*.csv", script: abc, want: "[]"},
		{name: "beneath a file", typ: "map(text)", glob: "out/a.txt/*", script: abc, want: "[]"},
		{name: "wherever the process goes", typ: "list(text)", glob: "out/*.txt", script: abc + "cd /; ", want: "[a b]"},
		{name: "a link within", typ: "map(text)", glob: "out/*", script: abc + "ln -s a.txt out/l; ln -s d out/k; ln -s $PWD/out/b.txt out/m",
			want: `["a.txt"=a "b.txt"=b "l"=a "m"=b]`},
		{name: "a directory that is a link isn't entered", typ: "map(text)", glob: "out/**/c.txt", script: abc + "ln -s d out/k", want: `["d/e/c.txt"=c]`},
		{name: "a link out", typ: "map(text)", glob: "out/*", script: abc + "ln -s /etc/passwd out/l; ln -s nowhere out/n", want: `["a.txt"=a "b.txt"=b]`,
			log: `output "o": "out/l" is a symbolic link to a file outside "out", and is not stored`},
		{name: "no link that a file that doesn't exist", typ: "text", glob: "l", script: "ln -s nowhere l", says: []string{"a file that doesn't exist"}},
		{name: "special files", typ: "list(text)", glob: "out/*", script: abc + "mkfifo out/p", want: "[a b]", log: `"out/p" is a special file, and is not stored`},
		{name: "old files", typ: "list(text)", glob: "*", script: "echo a > a; touch -d '2020-01-01' a", want: "[a]",
			log: "1 of the 1 files that match \"*\" existed before the step started"},
		{name: "an empty file", typ: "list(file)", glob: "*", script: ": > a; echo b > b", want: "[ b]"},
		{name: "an empty model", typ: "list(model)", glob: "*", script: ": > a", says: []string{`of "a": the file is empty`}},
		{name: "of its type", typ: "list(image)", glob: "out/*", script: abc, says: []string{`of "out/a.txt": the file starts with "a\n"`, "an image is png"}},
		{name: "none of one", typ: "text", glob: "out/*.csv", script: abc, says: []string{`no file matches its glob "out/*.csv" in the step's working directory`}},
		{name: "no directory", typ: "directory", glob: "out/a.txt", script: abc, says: []string{`no directory matches`}},
		{name: "several of one", typ: "text", glob: "**/*.txt", script: abc, says: []string{`matches 3 of them: "out/a.txt", "out/b.txt", "out/d/e/c.txt"`}},
		{name: "many of one", typ: "text", glob: "*", script: "for i in 1 2 3 4 5 6 7 8; do echo $i > $i; done", says: []string{`"4", "5", and 3 more`}},
		{name: "the other Unicode form", typ: "text", glob: "\u00e9.txt", script: "echo two > e\u0301.txt", want: "two"},
		{name: "the other Unicode form of a decomposed pattern", typ: "text", glob: "e\u0301.txt", script: "echo one > \u00e9.txt", want: "one"},
		{name: "the keys of another Unicode form", typ: "map(text)", glob: "r?sum?*", script: "echo two > re\u0301sume\u0301.txt; echo one > résumé2",
			want: fmt.Sprintf("[%q=two %q=one]", "re\u0301sume\u0301.txt", "résumé2")},
		{name: "a directory in another Unicode form", typ: "map(text)", glob: "\u00e9/\u00e9/*.txt", script: "mkdir -p e\u0301/e\u0301; echo a > e\u0301/e\u0301/a.txt", want: `["a.txt"=a]`},
		{name: "below a directory in another Unicode form", typ: "map(text)", glob: "d/**/\u00e9/*.txt", script: "mkdir -p d/x/e\u0301; echo a > d/x/e\u0301/a.txt",
			want: fmt.Sprintf("[%q=a]", "x/e\u0301/a.txt")},
		{name: "both Unicode forms", typ: "text", glob: "\u00e9.txt", script: "echo two > e\u0301.txt; echo one > \u00e9.txt", want: "one",
			log: `"e\u0301.txt" is equal to another match as Unicode text, and is not stored`},
		{name: "both Unicode forms match as they are", typ: "list(text)", glob: "*.txt", script: "echo two > e\u0301.txt; echo one > \u00e9.txt", want: "[two one]"},
		{name: "both Unicode forms for one", typ: "text", glob: "*.txt", script: "echo two > e\u0301.txt; echo one > \u00e9.txt",
			says: []string{`matches 2 of them: "e\u0301.txt", "\u00e9.txt"`}},
		{name: "neither Unicode form", typ: "list(text)", glob: "\u1ea1\u0301.txt", script: "echo 1 > a\u0301\u0323.txt; echo 2 > a\u0323\u0301.txt",
			says: []string{`the file "a\u0301\u0323.txt" and the file "a\u0323\u0301.txt", which are equal as Unicode text: rename one`}},
		{name: "a directory in neither Unicode form", typ: "list(text)", glob: "\u1ea1\u0301/*", script: "mkdir a\u0301\u0323 a\u0323\u0301; echo 1 > a\u0301\u0323/a",
			says: []string{`can be the file "a\u0301\u0323" and the file "a\u0323\u0301": rename one`}},
		{name: "files for directories", typ: "list(directory)", glob: "out/*.txt", script: abc, want: "[]",
			log: `output "o" is declared list(directory), but no directory matches its glob "out/*.txt" (it matches 2 files: "out/a.txt", "out/b.txt")`},
		{name: "a directory for files", typ: "map(text)", glob: "out/d", script: abc, want: "[]", log: `but no file matches its glob "out/d" (it matches a directory: "out/d")`},
		{name: "a directory for a file", typ: "text", glob: "out/*", script: "mkdir -p out/d", says: []string{`no file matches its glob "out/*" in the step's working directory (it matches a directory: "out/d")`}},
		{name: "a file for a directory", typ: "directory", glob: "out/a*", script: abc, says: []string{`no directory matches`, `(it matches a file: "out/a.txt")`}},
		{name: "a link to the other kind", typ: "list(directory)", glob: "out/l", script: abc + "ln -s a.txt out/l", want: "[]", log: `(it matches a file: "out/l")`},
		{name: "a link to itself", typ: "list(text)", glob: "l", script: "ln -s l l", want: "[]", log: `"l" is a symbolic link that can't be followed: `},
		{name: "not readable file", typ: "list(text)", glob: "out/*", script: "mkdir out; echo a > out/a; chmod 0 out/a", says: []string{`of "out/a": it can't be read: permission denied`}},
		{name: "not readable, but listed", typ: "list(text)", glob: "out/*", script: "mkdir out; echo a > out/a; chmod 444 out", says: []string{`"out/a" can't be read: permission denied`}},
		{name: "no UTF-8 for a key", typ: "map(text)", glob: "*", script: `echo a > "$(printf '\377')"`, says: []string{`"\xff"`, "not UTF-8"}},
		{name: "no UTF-8 in a list", typ: "list(text)", glob: "*", script: `echo a > "$(printf '\377')"`, want: "[a]"},
		{name: "the directory leads out", typ: "list(text)", glob: "out/*", script: "ln -s / out", says: []string{`"out" of its glob leaves the step's working directory`}},
		{name: "too many", typ: "list(text)", glob: "many/*", script: "mkdir many; cd many; seq 10001 | xargs touch", says: []string{"more than 10000 files", "directory"}},
		{name: "not readable", typ: "list(text)", glob: "out/*", script: "mkdir out; chmod 0 out", says: []string{"can't be read: permission denied"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if strings.HasPrefix(c.name, "not readable") && os.Getuid() == 0 { // root reads everything
				asNobody(t)
				return
			}
			x := sh(t, c.script).output(program.Output{Name: "o", Type: c.typ, Glob: c.glob})
			x.spec.Dir = t.TempDir()
			t.Cleanup(func() { _ = os.Chmod(filepath.Join(x.spec.Dir, "out"), 0o777) }) // so that it can be removed
			if c.says != nil {
				reason := record.ReasonOutputInvalid
				if strings.Contains(c.says[0], "matches") && strings.HasPrefix(c.says[0], "no ") || c.name == "no link that a file that doesn't exist" {
					reason = record.ReasonOutputMissing
				}
				x.fails(record.ClassUser, reason, append(c.says, `output "o" is declared `+c.typ)...)
				return
			}
			r := x.succeeds()
			if got := x.content(&r.Outputs[0]); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if log := x.log(r); !strings.Contains(log, c.log) || c.log == "" && log != "" {
				t.Errorf("the log is %q, want %q", log, c.log)
			}
			x.passOn(r.Outputs[0])
			for _, f := range []string{"out/a.txt", "out/d/e/c.txt"} {
				if strings.HasPrefix(c.script, abc) {
					if _, err := os.Stat(filepath.Join(x.spec.Dir, f)); err != nil {
						t.Error("a file was taken away:", err)
					}
				}
			}
		})
	}
}

func TestAbsoluteGlob(t *testing.T) {
	dir := t.TempDir()
	x := sh(t, "echo a > "+dir+"/a.csv; echo b > "+dir+"/b.csv; ln -s /etc/passwd "+dir+"/p.csv").
		output(program.Output{Name: "o", Type: "map(text)", Glob: dir + "/*.csv"})
	r := x.succeeds()
	if got := x.content(&r.Outputs[0]); got != `["a.csv"=a "b.csv"=b]` {
		t.Error(got)
	}
}

// Globs are searched only after success, and an output with a glob has no path variable.
func TestGlobAfterTheEnd(t *testing.T) {
	x := sh(t, `echo a > a.txt; env | grep PIPEC_OUTPUT; exit 3`).output(program.Output{Name: "o", Type: "text", Glob: "*.txt"})
	x.spec.Dir = t.TempDir()
	r := x.fails(record.ClassUser, record.ReasonError)
	if log := x.log(r); strings.Contains(log, "PIPEC_OUTPUT_o") || len(r.Outputs) > 0 {
		t.Errorf("%s %+v", log, r)
	}
	y := sh(t, `echo a > a.txt; echo b > $PIPEC_OUTPUTS/o`).output(program.Output{Name: "o", Type: "text", Glob: "*.txt"})
	y.spec.Dir = t.TempDir()
	r = y.succeeds()
	if log := y.log(r); !strings.Contains(log, "the file at outputs/o is ignored") || y.content(&r.Outputs[0]) != "a" {
		t.Error(log)
	}
}

func TestOptionalOutput(t *testing.T) {
	all := []program.Output{
		{Name: "a", Type: "image", Optional: true}, {Name: "b", Type: "number", Optional: true}, {Name: "c", Type: "list(text)", Optional: true},
		{Name: "d", Type: "list(text)", Glob: "*.txt", Optional: true}, {Name: "e", Type: "text", Glob: "x.txt", Optional: true},
		{Name: "f", Type: "number"},
	}
	x := sh(t, "echo 1 > $PIPEC_OUTPUT_f")
	x.spec.Program.Outputs, x.spec.Dir = all, t.TempDir()
	if r := x.succeeds(); len(r.Outputs) != 1 || r.Outputs[0].Name != "f" {
		t.Errorf("%+v", r.Outputs)
	}
	y := sh(t, "echo 1 > $PIPEC_OUTPUT_f; echo 2 > $PIPEC_OUTPUT_b; mkdir $PIPEC_OUTPUT_c; echo x > x.txt")
	y.spec.Program.Outputs, y.spec.Dir = all, t.TempDir()
	var names []string
	r := y.succeeds()
	for _, d := range r.Outputs {
		names = append(names, d.Name)
	}
	if got := strings.Join(names, " "); got != "b c d e f" {
		t.Error(got)
	}
	// An existing optional output must have its type, and a required one must exist.
	z := sh(t, "echo 1 > $PIPEC_OUTPUT_f; echo x > $PIPEC_OUTPUT_a")
	z.spec.Program.Outputs = all
	z.fails(record.ClassUser, record.ReasonOutputInvalid, `output "a"`, "png")
	z = sh(t, "ln -s nowhere $PIPEC_OUTPUT_a; echo 1 > $PIPEC_OUTPUT_f")
	z.spec.Program.Outputs = all
	z.fails(record.ClassUser, record.ReasonOutputInvalid, `output "a"`, "a file that doesn't exist")
	z = sh(t, "echo 2 > $PIPEC_OUTPUT_b")
	z.spec.Program.Outputs = all
	z.fails(record.ClassUser, record.ReasonOutputMissing, `output "f"`)
}

// asNobody runs the test again as a user other than root.
func asNobody(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+strings.ReplaceAll(t.Name(), "/", "$/^")+"$", "-test.v")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "TMPDIR="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("%v\n%s", err, out)
	}
}
