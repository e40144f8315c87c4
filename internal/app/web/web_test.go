package web_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pipec.dev/pipec/internal/app"
	"pipec.dev/pipec/internal/app/orchestrator"
	"pipec.dev/pipec/internal/app/project"
	"pipec.dev/pipec/internal/app/web"
	"pipec.dev/pipec/schema/record"
)

// source is the project of the tests. Its steps need only a shell. judge fails while the file `broken` exists.
const source = `
stack "local" {
  orchestrator "local" {}
  artifact_store "local" { path = ".pipec/store" }
}
pipeline "train" {
  param "rate" { default = 0.5 }
  param "dir"  { type = string }
  step "prepare" {
    command = ["sh", "-c", "echo one; echo two; echo '<b>hi</b><script>x()</script>' > $PIPEC_OUTPUT_page; mkdir -p $PIPEC_OUTPUT_files/sub; echo inside > $PIPEC_OUTPUT_files/sub/a.txt; ln -s sub/a.txt $PIPEC_OUTPUT_files/link; echo '{}' > $PIPEC_OUTPUT_conf; yes 0123456789012345678901234567890 | head -c 34000000 > $PIPEC_OUTPUT_huge"]
    output "page" { type = html }
    output "huge" { type = html }
    output "conf" { type = json }
    output "files" { type = directory }
  }
  step "fan" {
    for_each = { "javascript:alert(1)" = 1, "<img src=x onerror=alert(1)>" = 2 }
    command  = ["sh", "-c", "echo ${each.value} > $PIPEC_OUTPUT_n"]
    output "n" { type = number }
  }
  step "judge" {
    command = ["sh", "-c", "! test -e '${param.dir}/broken' || exit 3; echo ${param.rate} > $PIPEC_OUTPUT_accuracy"]
    input "page" { value = step.prepare.page }
    output "accuracy" { type = number }
  }
  finally "clean" { command = ["true"] }
  outputs = { accuracy = step.judge.accuracy }
}
pipeline "gate" {
  step "ask" {
    approval {
      message = "Promote?"
      type    = string
    }
  }
  step "wait" {
    depends_on = [step.ask]
    command    = ["sh", "-c", "while :; do sleep 1; done"]
    grace      = "1s"
  }
}
`

// page is a browser that has the page open.
type page struct {
	*testing.T
	dir    string
	server *web.Server
	base   string
	link   string
	token  string // for acts
	client *http.Client
	runs   *app.Runs
	end    func() // ends the server, and waits for its end
}

// open serves the page of a project.
func open(t *testing.T) *page {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.pipec.hcl"), []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	return serve(t, dir)
}

// opened opens the project in dir.
func opened(dir string) *app.Project {
	return app.Open(dir, app.Options{Options: project.Options{Env: os.Environ()}})
}

func serve(t *testing.T, dir string) *page {
	t.Helper()
	p := opened(dir)
	runs, err := p.Runs()
	if err != nil {
		t.Fatal(err)
	}
	s, err := web.Listen(web.Options{Every: time.Millisecond, Version: "test", Stacks: []web.Stack{{
		Name: runs.StackName(), Kind: runs.StackKind(), Flags: " -C x", Runs: runs.Orchestrator,
		Runner: func() (orchestrator.Orchestrator, error) {
			now, err := p.Runner()
			if err != nil {
				return nil, err
			}
			return now.Orchestrator, nil
		},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, nil) }()
	end := sync.OnceFunc(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(end)
	link := s.URL("/?run=x&pipeline=train")
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	jar, _ := cookiejar.New(nil) // never fails
	out := &page{T: t, dir: dir, server: s, base: "http://" + u.Host, link: link, client: &http.Client{Jar: jar}, runs: runs, end: end}
	out.get(link, http.StatusOK)
	var session struct{ Token string }
	out.api("session", nil, &session)
	out.token = session.Token
	return out
}

// get requests an address, and returns the body.
func (p *page) get(address string, status int) string {
	p.Helper()
	r, err := p.client.Get(address)
	if err != nil {
		p.Fatal(err)
	}
	return p.body(r, status)
}

func (p *page) body(r *http.Response, status int) string {
	p.Helper()
	defer r.Body.Close()
	data, err := io.ReadAll(r.Body)
	if err != nil {
		p.Fatal(err)
	}
	if r.StatusCode != status {
		p.Fatalf("%s %s: status %d, expected %d\n%s", r.Request.Method, r.Request.URL, r.StatusCode, status, data)
	}
	return string(data)
}

// address returns the address of a request. pairs are the names and values of its query.
func (p *page) address(path string, pairs ...string) string {
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		q.Add(pairs[i], pairs[i+1])
	}
	return p.base + "/api/" + path + "?" + q.Encode()
}

// api requests something and decodes the response.
func (p *page) api(path string, pairs []string, into any) {
	p.Helper()
	body := p.get(p.address(path, pairs...), http.StatusOK)
	if err := json.Unmarshal([]byte(body), into); err != nil {
		p.Fatalf("%s: %v\n%s", path, err, body)
	}
}

// of names a run of the pipeline train.
func of(run string, more ...string) []string {
	return append([]string{"stack", "local", "pipeline", "train", "run", run}, more...)
}

// request builds a request of the page that changes something.
func (p *page) request(path, body string) *http.Request {
	p.Helper()
	r, err := http.NewRequest(http.MethodPost, p.base+"/api/"+path, strings.NewReader(body))
	if err != nil {
		p.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Pipec-Token", p.token)
	r.Header.Set("Origin", p.base)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return r
}

// do sends a request.
func (p *page) do(r *http.Request, status int) string {
	p.Helper()
	got, err := p.client.Do(r)
	if err != nil {
		p.Fatal(err)
	}
	return p.body(got, status)
}

// act posts a request.
func (p *page) act(path, body string, status int) string {
	p.Helper()
	return p.do(p.request(path, body), status)
}

// run runs the pipeline train to its end.
func (p *page) run(name string, params ...string) {
	p.Helper()
	runner, err := opened(p.dir).Runner()
	if err != nil {
		p.Fatal(err)
	}
	out, err := runner.Start(p.Context(), &orchestrator.StartRequest{Pipeline: "train", Name: name, Params: append(params, "dir="+p.dir)})
	if err != nil {
		p.Fatal(err)
	}
	for i := range out.End.Steps {
		if s := &out.End.Steps[i]; s.Name == "prepare" && s.Status != record.Succeeded {
			p.Fatal(s.Message)
		}
	}
}

// event is a server-sent event.
type event struct{ name, data string }

// stream receives events until it returns false, or the server ends the stream.
func (p *page) stream(address string, on func(event) bool) {
	p.Helper()
	r, err := p.client.Get(address)
	if err != nil {
		p.Fatal(err)
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		p.Fatal(p.body(r, http.StatusOK))
	}
	lines := bufio.NewScanner(r.Body)
	lines.Buffer(nil, 16<<20)
	var e event
	for lines.Scan() {
		switch text := lines.Text(); {
		case strings.HasPrefix(text, "event: "):
			e.name = text[len("event: "):]
		case strings.HasPrefix(text, "data: "):
			if e.data = text[len("data: "):]; !on(e) {
				return
			}
		}
	}
}
