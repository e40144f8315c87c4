package ui_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pipec.dev/pipec/internal/app"
	"pipec.dev/pipec/internal/app/orchestrator"
	"pipec.dev/pipec/internal/app/project"
	"pipec.dev/pipec/internal/app/web"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

const source = `
stack "local" {
  orchestrator "local" {}
  artifact_store "local" { path = ".pipec/store" }
}
pipeline "live" {
  param "rate" { default = 0.5 }
  step "gate" {
    approval { message = "Start now?" }
  }
  step "first" {
    depends_on = [step.gate]
    command    = ["sh", "-c", "printf '\\033[32mgreen\\033[0m line\\n'; until test -e go; do sleep 0.05; done; echo last line"]
  }
  step "fan" {
    for_each = { "javascript:alert(1)" = 1, "<img src=x onerror=alert(1)>" = 2 }
    command  = ["sh", "-c", "echo ${each.value} > $PIPEC_OUTPUT_n"]
    input "after" { value = step.first.status }
    output "n" { type = number }
  }
  step "report" {
    command = ["sh", "-c", "cp page.html $PIPEC_OUTPUT_page; cp leaver.html $PIPEC_OUTPUT_leaver; echo '{\"a\": [1, {\"b\": null}]}' > $PIPEC_OUTPUT_conf; mkdir $PIPEC_OUTPUT_files; echo inside > $PIPEC_OUTPUT_files/a.txt; echo 'x,y' > $PIPEC_OUTPUT_table"]
    input "n" { value = step.fan[*].n }
    output "page" { type = html }
    output "leaver" { type = html }
    output "conf" { type = json }
    output "files" { type = directory }
    output "table" { type = dataframe }
  }
  finally "clean" { command = ["true"] }
}
pipeline "flaky" {
  param "rate" { default = 0.25 }
  step "judge" {
    command = ["sh", "-c", "echo judging; test -e good || exit 3; echo ${param.rate} > $PIPEC_OUTPUT_accuracy"]
    output "accuracy" { type = number }
  }
  step "after" {
    command = ["true"]
    input "a" { value = step.judge.accuracy }
  }
  outputs = { accuracy = step.judge.accuracy }
}
`

// html tries what an html artifact must not be able to do. It reports to the title of the page around it, and to a server.
const html = `<!doctype html><p id="p">Report</p><script>
document.getElementById('p').textContent = 'scripts run'
try { parent.document.title = 'reached' } catch {}
try { top.location = 'PHONE/top' } catch {}
fetch('PHONE/fetch').catch(() => {})
new Image().src = 'PHONE/image'
navigator.sendBeacon('PHONE/beacon')
</script><img src="PHONE/img"><link rel="stylesheet" href="PHONE/css">`

// leaver is an html artifact that goes to a server, which would learn from the address what the artifact knows.
const leaver = `<!doctype html><p>Leaving</p><meta http-equiv="refresh" content="0;url=PHONE/refresh"><script>location = 'PHONE/location'</script>`

// TestBrowser opens the page: a live run from its start to its end, with an approval; a failed run that is found and rerun;
// a run of 10,000 steps; and every page by keyboard, in light and dark, on a telephone, and with axe-core.
func TestBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("it opens a browser")
	}
	ui, err := filepath.Abs("../../ui")
	if err != nil {
		t.Fatal(err)
	}
	node, noNode := exec.LookPath("node")
	chromium, noBrowser := exec.LookPath("chromium")
	if _, missing := os.Stat(filepath.Join(ui, "node_modules", "playwright-core")); noNode != nil || noBrowser != nil || missing != nil {
		t.Skip("node, Chromium or the packages of ui/ are not installed")
	}
	dir := t.TempDir()
	phone := listen(t)
	write(t, dir, "main.pipec.hcl", source)
	write(t, dir, "page.html", strings.ReplaceAll(html, "PHONE", phone.URL))
	write(t, dir, "leaver.html", strings.ReplaceAll(leaver, "PHONE", phone.URL))
	p := app.Open(dir, app.Options{Options: project.Options{Env: os.Environ()}})
	runner, err := p.Runner()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := runner.Start(t.Context(), &orchestrator.StartRequest{Pipeline: "flaky", Name: "flaky-1"}); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "good", "")
	for _, name := range []string{"flaky-2", "flaky-3"} {
		if _, err := runner.Start(t.Context(), &orchestrator.StartRequest{Pipeline: "flaky", Name: name, Params: []string{"rate=0." + name[6:]}}); err != nil {
			t.Fatal(err)
		}
	}
	large(t, filepath.Join(dir, ".pipec", "store"))

	ctx, stop := context.WithTimeout(t.Context(), 4*time.Minute)
	defer stop()
	began := make(chan struct{})
	ended := make(chan *record.End, 1)
	go func() {
		out, err := runner.Start(ctx, &orchestrator.StartRequest{Pipeline: "live", Name: "live-1", Watch: func(*program.Program) func(record.Event) {
			return func(e record.Event) {
				if e.Type == record.StepAsks {
					close(began)
				}
			}
		}})
		if err != nil {
			t.Error(err)
		}
		ended <- out.End
	}()
	<-began
	server, err := web.Listen(web.Options{Version: "test", Every: 50 * time.Millisecond, Stacks: []web.Stack{{
		Name: "local", Kind: "local", Runs: runner.Orchestrator, Runner: func() (orchestrator.Orchestrator, error) { return runner.Orchestrator, nil },
	}}})
	if err != nil {
		t.Fatal(err)
	}
	serving, end := context.WithCancel(context.Background())
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(serving, nil) }()
	defer func() { end(); <-served }()

	cmd := exec.CommandContext(ctx, node, filepath.Join(ui, "test", "browser.mjs"), chromium, server.URL("/"), dir, os.Getenv("PIPEC_SHOTS"))
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
	if got := <-ended; got == nil || got.Status != record.Succeeded {
		t.Errorf("the live run ended as %+v", got)
	}
	if calls := phone.calls(); len(calls) > 0 {
		t.Errorf("the html artifact has requested %q", calls)
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// steps is the number of steps of the large run.
const steps = 10000

// large writes the records of a run of many steps, as a driver would: 100 chains of 100 steps, of which one has failed.
func large(t *testing.T, dir string) {
	t.Helper()
	s, err := store.OpenLocal(dir)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(-time.Hour).UTC()
	p := &program.Program{Version: program.Version, Pipeline: "large", OnFailure: "continue", MaxParallel: 100}
	end := &record.End{Version: record.Version, Status: record.Failed, Reason: record.ReasonStepsFailed, Message: "s-4242 failed", At: at.Add(time.Hour)}
	for i := range steps {
		name := fmt.Sprintf("s-%04d", i)
		def := program.Step{Name: name, Command: []program.Value{{Const: []byte(`"true"`)}}, Retry: program.Retry{Attempts: 1}}
		if i%100 > 0 {
			def.Needs = []program.Need{{Step: fmt.Sprintf("s-%04d", i-1), Kind: program.NeedOrder}}
		}
		p.Steps = append(p.Steps, def)
		one := record.StepEnd{Name: name, Status: record.Succeeded, Attempts: 1, StartedAt: at.Add(time.Duration(i) * 100 * time.Millisecond)}
		one.EndedAt = one.StartedAt.Add(time.Second)
		if i == 4242 {
			one.Status, one.Reason, one.Message = record.Failed, record.ReasonError, "it ended with exit code 1"
		}
		end.Steps = append(end.Steps, one)
	}
	data, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256(data))
	run := &record.Run{Version: record.Version, Name: "large-1", Pipeline: "large", Namespace: "_local", Stack: "local", UID: "x", Program: digest, CreatedAt: at}
	if err := s.Put(t.Context(), record.ProgramKey(digest), bytes.NewReader(data), store.IfAbsent); err != nil {
		t.Fatal(err)
	}
	for key, value := range map[string]any{run.RunKey(): run, run.EndKey(): end, run.IndexKey(): record.Indexed{Version: record.Version}} {
		if err := store.WriteJSON(t.Context(), s, key, value, store.IfAbsent); err != nil {
			t.Fatal(err)
		}
	}
}
