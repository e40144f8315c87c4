//go:build linux

package step_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"pipec.dev/pipec/internal/eventually"
	"pipec.dev/pipec/runtime/lines"
	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

func TestSecrets(t *testing.T) {
	x := sh(t, `echo "token $TOKEN."; printf "%s" "$TOKEN" | cut -c1-5; printf "abc"; echo "$SHORT"; exit 3`)
	x.spec.Program.SecretEnv = []program.Secret{{Name: "SHORT", Secret: "s", Key: "b"}, {Name: "TOKEN", Secret: "s", Key: "a"}}
	x.deps.Secrets = map[string]string{"TOKEN": "s3cr3t-value", "SHORT": "xyz"}
	r := x.fails(record.ClassUser, record.ReasonError)
	if log := x.log(r); log != "token ***.\ns3cr3\nabcxyz\n" {
		t.Errorf("%q", log)
	}
	if strings.Contains(strings.Join(x.lines, ""), "s3cr3t-value") {
		t.Errorf("%q", x.lines)
	}
	x = sh(t, "true")
	x.spec.Program.SecretEnv = []program.Secret{{Name: "TOKEN", Secret: "db", Key: "password"}}
	x.fails(record.ClassUser, record.ReasonStart, "TOKEN", "db", "password")
}

// A secret that ends in a newline is masked where it is printed without it, in the log, in its copy, in lines, and in the
// message of a failure that quotes a part of it.
func TestSecretWithNewline(t *testing.T) {
	x := sh(t, `t=$(printf %s "$TOKEN"); echo "using [$t] now"; echo "$KEY" | sed -n 2p; printf "\"%s\"" "$t" > $PIPEC_OUTPUT_o`).outputs("o", "number")
	x.spec.Program.SecretEnv = []program.Secret{{Name: "TOKEN", Secret: "s", Key: "a"}, {Name: "KEY", Secret: "s", Key: "b"}}
	x.deps.Secrets = map[string]string{"TOKEN": "hunter2secret\n", "KEY": "-----BEGIN-----\r\nMIIabcdefgh\r\n"}
	var tee bytes.Buffer
	x.deps.Tee = &tee
	r := x.fails(record.ClassUser, record.ReasonOutputInvalid, "number")
	const want = "using [***] now\n***\r\n"
	if log := x.log(r); log != want || tee.String() != want || strings.Join(x.lines, "|") != "using [***] now|***" {
		t.Errorf("%q, %q, %q", log, tee.String(), x.lines)
	}
	if strings.Contains(r.Message, "hunter2") || strings.Contains(string(step.NewTermination(&r, true, "").Encode()), "hunter2") {
		t.Errorf("%+v", r)
	}
}

// The state of a progress bar is passed on while the process runs, and so is a mark in the copy of the log. The stored log
// has the bytes of the process.
func TestProgress(t *testing.T) {
	x := sh(t, `printf '\r10%%'; until [ -e go ]; do sleep 0.02; done; printf '\r20%%\r\nend'`)
	x.spec.Dir = t.TempDir()
	shown := make(chan string, 100)
	var tee bytes.Buffer
	x.deps.Tee = &tee
	x.deps.Line = func(l lines.Line) {
		shown <- string(l.Text) + " " + string(l.Part)
		if l.Part == record.PartState && string(l.Text) == "10%" {
			if err := os.WriteFile(filepath.Join(x.spec.Dir, "go"), nil, 0o666); err != nil {
				t.Error(err)
			}
		}
	}
	r := x.succeeds()
	close(shown)
	var got []string
	for l := range shown {
		got = append(got, l)
	}
	if log := x.log(r); log != "\r10%\r20%\r\nend" {
		t.Errorf("%q", log)
	}
	if want := []string{"10% state", "20% ", "end "}; !slices.Equal(got, want) {
		t.Errorf("%q, not %q", got, want)
	}
	if strings.ReplaceAll(tee.String(), lines.Mark, "") != x.log(r) {
		t.Errorf("%q", tee.String())
	}
}

func TestSegments(t *testing.T) {
	x := sh(t, `head -c 3000000 /dev/zero | tr '\0' 'x'; echo; echo end`)
	x.spec.Segments = true
	r := x.succeeds()
	if log := x.log(r); r.Log.Segments < 3 || len(log) != 3000005 || !strings.HasSuffix(log, "x\nend\n") {
		t.Errorf("%+v", r.Log)
	}
	for _, line := range x.lines {
		if len(line) > 64<<10 {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
	if _, err := os.Stat(x.spec.LogFile()); !errors.Is(err, fs.ErrNotExist) {
		t.Error("there is a log file too")
	}
}

// The log can be followed while the step runs.
func TestLiveLog(t *testing.T) {
	x := sh(t, `echo ready; read answer < "$HOME/fifo"; echo "$answer"`)
	x.spec.Root = filepath.Join(t.TempDir(), "r")
	if err := os.MkdirAll(filepath.Join(x.spec.Root, "scratch"), 0o777); err != nil {
		t.Fatal(err)
	}
	fifo := filepath.Join(x.spec.Root, "scratch", "fifo")
	if err := syscall.Mkfifo(fifo, 0o666); err != nil {
		t.Fatal(err)
	}
	var live []byte
	ready := make(chan struct{})
	x.whenReady(func() { close(ready) })
	done := make(chan record.Result)
	go func() {
		r, _ := step.Run(context.Background(), x.spec, x.deps)
		done <- r
	}()
	<-ready
	if !eventually.Holds(time.Minute, func() bool { // the line is reported just before it is written
		live, _ = os.ReadFile(x.spec.LogFile())
		return len(live) > 0
	}) {
		t.Error("the line is not in the live log")
	}
	if err := os.WriteFile(fifo, []byte("go on\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	r := <-done
	if string(live) != "ready\n" || x.log(r) != "ready\ngo on\n" {
		t.Errorf("live %q, then %q", live, x.log(r))
	}
}
