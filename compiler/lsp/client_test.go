package lsp_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/textproto"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"
)

var binary struct {
	once sync.Once
	path string
	err  error
}

// pipec is the program, built once.
func pipec(t testing.TB) string {
	t.Helper()
	binary.once.Do(func() {
		dir, err := os.MkdirTemp("", "pipec-lsp-")
		if err != nil {
			binary.err = err
			return
		}
		binary.path = filepath.Join(dir, "pipec")
		if out, err := exec.Command("go", "build", "-o", binary.path, "pipec.dev/pipec/cmd/pipec").CombinedOutput(); err != nil {
			binary.err = fmt.Errorf("%w\n%s", err, out)
		}
	})
	if binary.err != nil {
		t.Fatal(binary.err)
	}
	return binary.path
}

func TestMain(m *testing.M) {
	status := m.Run()
	if binary.path != "" {
		os.RemoveAll(filepath.Dir(binary.path))
	}
	os.Exit(status)
}

// patience bounds a wait for the server. Nothing is timed by it: only a server that hangs comes so far.
const patience = 60 * time.Second

// client is an editor: it speaks with `pipec lsp` over its stdin and stdout.
type client struct {
	t      testing.TB
	dir    string
	temp   string // where the server keeps what is gone with it
	cmd    *exec.Cmd
	in     io.WriteCloser
	stderr *bytes.Buffer
	status chan int

	messages chan message
	later    []message // that came while another was waited for
	id       int
	versions map[string]int
	texts    map[string]string
}

type message struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *rpcError       `json:"error"`
}

type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

type object = map[string]any

// everything is what a modern client can do.
var everything = object{
	"textDocument": object{
		"completion":         object{"completionItem": object{"snippetSupport": true}},
		"documentSymbol":     object{"hierarchicalDocumentSymbolSupport": true},
		"rename":             object{"prepareSupport": true},
		"publishDiagnostics": object{"relatedInformation": true, "codeDescriptionSupport": true},
	},
}

// start starts a server; files are laid into a directory of their own.
func start(t testing.TB, files map[string]string) *client {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c := launch(t, dir, "--no-lint")
	for name, text := range files {
		c.write(name, text)
	}
	c.initialize(everything)
	return c
}

func launch(t testing.TB, dir string, flags ...string) *client {
	t.Helper()
	c := &client{
		t: t, dir: dir, temp: t.TempDir(), cmd: exec.Command(pipec(t), append([]string{"lsp"}, flags...)...), stderr: &bytes.Buffer{},
		status: make(chan int, 1), messages: make(chan message, 1024), versions: map[string]int{}, texts: map[string]string{},
	}
	c.cmd.Env = append(os.Environ(), "PIPEC_STACK=", "CI=", "TMPDIR="+c.temp)
	c.cmd.Stderr = c.stderr
	var err error
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		c.read(bufio.NewReader(out))
		_ = c.cmd.Wait()
		c.status <- c.cmd.ProcessState.ExitCode()
	}()
	t.Cleanup(func() {
		c.in.Close()
		c.cmd.Process.Kill()
	})
	return c
}

func (c *client) read(r *bufio.Reader) {
	defer close(c.messages)
	for {
		header, err := textproto.NewReader(r).ReadMIMEHeader()
		if err != nil {
			return
		}
		n, _ := strconv.Atoi(header.Get("Content-Length"))
		body := make([]byte, n)
		if _, err := io.ReadFull(r, body); err != nil {
			return
		}
		var m message
		if err := json.Unmarshal(body, &m); err != nil {
			c.t.Errorf("%v: %s", err, body)
		}
		c.messages <- m
	}
}

func (c *client) raw(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c.in, text); err != nil {
		c.t.Fatalf("%v\n%s", err, c.stderr)
	}
}

func (c *client) send(v any) {
	c.t.Helper()
	body, err := json.Marshal(v)
	if err != nil {
		c.t.Fatal(err)
	}
	c.raw(fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body))
}

func (c *client) notify(method string, params any) {
	c.t.Helper()
	c.send(object{"jsonrpc": "2.0", "method": method, "params": params})
}

// next returns the next expected message; others are kept.
func (c *client) next(what string, wanted func(message) bool) message {
	c.t.Helper()
	for i, m := range c.later {
		if wanted(m) {
			c.later = slices.Delete(c.later, i, i+1)
			return m
		}
	}
	deadline := time.After(patience)
	for {
		select {
		case m, ok := <-c.messages:
			if !ok {
				c.t.Fatalf("the server ended while %s was waited for\n%s", what, c.stderr)
			}
			if wanted(m) {
				return m
			}
			c.later = append(c.later, m)
		case <-deadline:
			c.t.Fatalf("%s never came\n%s", what, c.stderr)
		}
	}
}

func (c *client) request(method string, params any) int {
	c.t.Helper()
	c.id++
	c.send(object{"jsonrpc": "2.0", "id": c.id, "method": method, "params": params})
	return c.id
}

func (c *client) answer(id int) message {
	c.t.Helper()
	return c.next(fmt.Sprintf("the answer to %d", id), func(m message) bool { return m.Method == "" && string(m.ID) == strconv.Itoa(id) })
}

// call asks, and decodes the result.
func (c *client) call(method string, params, result any) {
	c.t.Helper()
	m := c.answer(c.request(method, params))
	if m.Error != nil {
		c.t.Fatalf("%s: %s (%d)\n%s", method, m.Error.Message, m.Error.Code, c.stderr)
	}
	if err := json.Unmarshal(m.Result, result); err != nil {
		c.t.Fatalf("%s: %v: %s", method, err, m.Result)
	}
}

// refused sends a request that the server must reject.
func (c *client) refused(method string, params any) *rpcError {
	c.t.Helper()
	m := c.answer(c.request(method, params))
	if m.Error == nil {
		c.t.Fatalf("%s is not refused: %s", method, m.Result)
	}
	return m.Error
}

func (c *client) initialize(capabilities object) object {
	c.t.Helper()
	var result struct{ Capabilities object }
	c.call("initialize", object{"processId": nil, "rootUri": uri(c.dir), "capabilities": capabilities}, &result)
	c.notify("initialized", object{})
	return result.Capabilities
}

// end says goodbye, and gives the exit status.
func (c *client) end() int {
	c.t.Helper()
	var nothing any
	c.call("shutdown", nil, &nothing)
	c.notify("exit", nil)
	return c.exited()
}

func (c *client) exited() int {
	c.t.Helper()
	select {
	case status := <-c.status:
		return status
	case <-time.After(patience):
		c.t.Fatalf("the server does not end\n%s", c.stderr)
	}
	return -1
}

func (c *client) path(name string) string { return filepath.Join(c.dir, filepath.FromSlash(name)) }
func (c *client) uri(name string) string  { return uri(c.path(name)) }

func uri(path string) string { return (&url.URL{Scheme: "file", Path: path}).String() }

func (c *client) write(name, text string) {
	c.t.Helper()
	if err := os.MkdirAll(filepath.Dir(c.path(name)), 0o700); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(c.path(name), []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// open opens a document with a text, and waits for its diagnostics.
func (c *client) open(name, text string) []diagnostic {
	c.t.Helper()
	c.versions[name]++
	c.texts[name] = text
	c.notify("textDocument/didOpen", object{"textDocument": object{"uri": c.uri(name), "languageId": "hcl", "version": c.versions[name], "text": text}})
	return c.diagnostics(name)
}

// change gives a document another text, and waits for its diagnostics.
func (c *client) change(name, text string) []diagnostic {
	c.t.Helper()
	c.changed(name, text, object{"text": text})
	return c.diagnostics(name)
}

// changed sends changes that lead to a text.
func (c *client) changed(name, text string, changes ...object) {
	c.t.Helper()
	c.versions[name]++
	c.texts[name] = text
	c.notify("textDocument/didChange", object{"textDocument": object{"uri": c.uri(name), "version": c.versions[name]}, "contentChanges": changes})
}

func (c *client) close(name string) {
	c.t.Helper()
	c.notify("textDocument/didClose", object{"textDocument": object{"uri": c.uri(name)}})
}

type position struct {
	Line      int `json:"line"`
	Character int `json:"character"`
}

type span struct {
	Start position `json:"start"`
	End   position `json:"end"`
}

type diagnostic struct {
	Range    span                   `json:"range"`
	Severity int                    `json:"severity"`
	Code     string                 `json:"code"`
	Page     *struct{ Href string } `json:"codeDescription"`
	Message  string                 `json:"message"`
	Tags     []int                  `json:"tags"`
	Related  []struct {
		Location location `json:"location"`
		Message  string   `json:"message"`
	} `json:"relatedInformation"`
}

type location struct {
	URI   string `json:"uri"`
	Range span   `json:"range"`
}

// diagnostics waits for those of a document's latest version. Those that are not of it must never come after.
func (c *client) diagnostics(name string) []diagnostic {
	c.t.Helper()
	for {
		ds, version := c.published(name)
		if version > c.versions[name] {
			c.t.Fatalf("diagnostics of %s, version %d, which there is not yet", name, version)
		}
		if version == c.versions[name] {
			return ds
		}
	}
}

// published are the next diagnostics of a file, and the version that they are of; 0 where it is not open.
func (c *client) published(name string) ([]diagnostic, int) {
	c.t.Helper()
	var p struct {
		URI         string       `json:"uri"`
		Version     int          `json:"version"`
		Diagnostics []diagnostic `json:"diagnostics"`
	}
	c.next("diagnostics of "+name, func(m message) bool {
		p.URI, p.Version = "", 0
		return m.Method == "textDocument/publishDiagnostics" && json.Unmarshal(m.Params, &p) == nil && p.URI == c.uri(name)
	})
	return p.Diagnostics, p.Version
}

// codes are the diagnostics as "line:code".
func codes(ds []diagnostic) string {
	var out []string
	for _, d := range ds {
		out = append(out, fmt.Sprintf("%d:%s", d.Range.Start.Line+1, d.Code))
	}
	return strings.Join(out, " ")
}

// at returns the params of a request about the position of a mark in a document's text. The mark is its own text, with |
// for the cursor.
func (c *client) at(name, mark string) object {
	c.t.Helper()
	before, after, ok := strings.Cut(mark, "|")
	i := strings.Index(c.texts[name], before+after)
	if !ok || i < 0 {
		c.t.Fatalf("%q is not in\n%s", mark, c.texts[name])
	}
	return object{"textDocument": object{"uri": c.uri(name)}, "position": place(c.texts[name], i+len(before))}
}

// place counts as UTF-16 does, in its own way.
func place(text string, offset int) position {
	lines := strings.Split(text[:offset], "\n")
	return position{len(lines) - 1, len(utf16.Encode([]rune(lines[len(lines)-1])))}
}

func with(params object, more object) object {
	out := maps.Clone(params)
	maps.Copy(out, more)
	return out
}

type textEdit struct {
	Range   span   `json:"range"`
	NewText string `json:"newText"`
}

// apply makes edits in a text, as an editor does.
func apply(t testing.TB, text string, edits []textEdit) string {
	t.Helper()
	offset := func(p position) int {
		lines := strings.SplitAfter(text, "\n")
		at := 0
		for _, l := range lines[:p.Line] {
			at += len(l)
		}
		if p.Line < len(lines) {
			units := utf16.Encode([]rune(lines[p.Line]))
			at += len(string(utf16.Decode(units[:p.Character])))
		}
		return at
	}
	slices.SortFunc(edits, func(a, b textEdit) int { return offset(b.Range.Start) - offset(a.Range.Start) })
	for _, e := range edits {
		text = text[:offset(e.Range.Start)] + e.NewText + text[offset(e.Range.End):]
	}
	return text
}
