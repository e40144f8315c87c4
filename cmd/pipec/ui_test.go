package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestUI serves the page of two stacks, and requests it by the link that the command prints.
func TestUI(t *testing.T) {
	dir := t.TempDir()
	text := "stack \"a\" {\n  orchestrator \"local\" {}\n}\nstack \"b\" {\n  orchestrator \"local\" {}\n}\npipeline \"p\" {\n  step \"s\" {\n    command = [\"true\"]\n  }\n}\n"
	if err := os.WriteFile(filepath.Join(dir, "main.pipec.hcl"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	read, write := io.Pipe()
	c := &cli{terminal: newTerminal(os.Stdin, os.Stdout, os.Stderr, os.Getenv), env: os.Environ()}
	c.stderr = write
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	status := make(chan int, 1)
	go func() { status <- c.main(ctx, []string{"-C", dir, "ui", "--no-open", "--stack", "a", "--stack", "b"}) }()
	line, err := bufio.NewReader(read).ReadString('\n')
	go func() { _, _ = io.Copy(io.Discard, read) }()
	link, ok := strings.CutPrefix(strings.TrimSpace(line), "The page is at ")
	if err != nil || !ok {
		t.Fatalf("printed %q, %v", line, err)
	}
	jar, _ := cookiejar.New(nil) // never fails
	client := &http.Client{Jar: jar}
	get := func(address string) string {
		t.Helper()
		r, err := client.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		body, err := io.ReadAll(r.Body)
		if err != nil || r.StatusCode != http.StatusOK {
			t.Fatalf("%s: status %d, %v\n%s", address, r.StatusCode, err, body)
		}
		return string(body)
	}
	get(link)
	base, _, _ := strings.Cut(link, "/?")
	if page := get(base); !strings.Contains(page, `<script type="module" src="/app.js">`) {
		t.Errorf("the page is %s", page)
	}
	if session := get(base + "/api/session"); !strings.Contains(session, `"stacks":[{"name":"a","kind":"local"},{"name":"b","kind":"local"}]`) {
		t.Errorf("the session is %s", session)
	}
	if list := get(base + "/api/runs"); !strings.HasPrefix(list, `{"runs":[],"more":false,"pipelines":[]}`) {
		t.Errorf("the runs are %s", list)
	}
	stop()
	if got := <-status; got != 0 {
		t.Errorf("the command ended with status %d", got)
	}
}
