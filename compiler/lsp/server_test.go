package lsp_test

import (
	"os"
	"strings"
	"testing"
)

// digits are the files of a project with blocks of all kinds: the digits example, with its pipeline in the long form.
func digits(t testing.TB) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, path := range []string{"testdata/digits/digits.pipec.hcl", "testdata/digits/src/steps.py", "../../examples/digits/stacks.pipec.hcl"} {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, name, _ := strings.Cut(path, "digits/")
		out[name] = string(src)
	}
	return out
}

const main = "digits.pipec.hcl"

func replaced(t testing.TB, text, old, new string) string {
	t.Helper()
	if !strings.Contains(text, old) {
		t.Fatalf("%q is not in the text", old)
	}
	return strings.Replace(text, old, new, 1)
}

func TestSession(t *testing.T) {
	t.Run("shutdown and exit", func(t *testing.T) {
		if status := start(t, nil).end(); status != 0 {
			t.Errorf("exit status %d", status)
		}
	})
	t.Run("exit alone", func(t *testing.T) {
		c := start(t, nil)
		c.notify("exit", nil)
		if status := c.exited(); status != 1 {
			t.Errorf("exit status %d", status)
		}
	})
	t.Run("the end of stdin", func(t *testing.T) {
		c := start(t, digits(t))
		c.open(main, digits(t)[main])
		c.in.Close()
		if status := c.exited(); status != 1 {
			t.Errorf("exit status %d", status)
		}
	})
	t.Run("the end of stdin after shutdown", func(t *testing.T) {
		c := start(t, nil)
		var nothing any
		c.call("shutdown", nil, &nothing)
		c.in.Close()
		if status := c.exited(); status != 0 {
			t.Errorf("exit status %d", status)
		}
	})
	t.Run("order", func(t *testing.T) {
		c := launch(t, t.TempDir(), "--stdio")
		if err := c.refused("textDocument/hover", object{}); err.Code != -32002 {
			t.Errorf("before initialize: %+v", err)
		}
		c.initialize(object{})
		if err := c.refused("initialize", object{}); err.Code != -32600 {
			t.Errorf("initialize again: %+v", err)
		}
		if err := c.refused("textDocument/nonsense", object{}); err.Code != -32601 {
			t.Errorf("unknown method: %+v", err)
		}
		if err := c.refused("textDocument/hover", object{"position": "here"}); err.Code != -32602 {
			t.Errorf("wrong params: %+v", err)
		}
		if err := c.refused("textDocument/hover", object{"textDocument": object{"uri": "file:///never/opened.pipec.hcl"}}); err.Code != -32602 {
			t.Errorf("not open: %+v", err)
		}
		var nothing any
		c.call("shutdown", nil, &nothing)
		if err := c.refused("textDocument/hover", object{}); err.Code != -32600 {
			t.Errorf("after shutdown: %+v", err)
		}
		c.notify("exit", nil)
		if status := c.exited(); status != 0 {
			t.Errorf("exit status %d", status)
		}
	})
}

// TestMalformed checks that a malformed message is answered if possible, and doesn't end the server.
func TestMalformed(t *testing.T) {
	for name, raw := range map[string]string{
		"no JSON":          "Content-Length: 5\r\n\r\n{nope",
		"no message":       "Content-Length: 2\r\n\r\n{}",
		"an array":         "Content-Length: 2\r\n\r\n[]",
		"a number":         "Content-Length: 1\r\n\r\n7",
		"a method":         "Content-Length: 14\r\n\r\n{\"method\": 1} ",
		"an id":            "Content-Length: 38\r\n\r\n{\"id\": [1], \"method\": \"x\", \"params\": 1}",
		"no length":        "Content-Length: many\r\n\r\n",
		"a negative":       "Content-Length: -5\r\n\r\n",
		"a short length":   "Content-Length: 3\r\n\r\n{\"method\": \"x\"}",
		"no header at all": "hello\r\n\r\n",
		"bytes before":     "\xab\xa6Content-Length: 2\r\n\r\n{}",
		"invalid UTF-8":    "Content-Length: 4\r\n\r\n\xff\xfe{}",
	} {
		t.Run(name, func(t *testing.T) {
			c := start(t, digits(t))
			c.raw(raw)
			if ds := c.open(main, digits(t)[main]); len(ds) > 0 {
				t.Errorf("%+v", ds)
			}
			if status := c.end(); status != 0 {
				t.Errorf("exit status %d", status)
			}
		})
	}
	t.Run("wrong notifications", func(t *testing.T) {
		c := start(t, digits(t))
		for _, method := range []string{"textDocument/didOpen", "textDocument/didChange", "textDocument/didClose", "workspace/didChangeWatchedFiles", "$/cancelRequest", "$/unknown"} {
			c.notify(method, []int{1})
			c.notify(method, object{})
			c.notify(method, nil)
		}
		c.changed("never.pipec.hcl", "", object{"text": ""})
		c.open(main, digits(t)[main])
		if status := c.end(); status != 0 {
			t.Errorf("exit status %d", status)
		}
	})
}

func TestCancel(t *testing.T) {
	c := start(t, nil)
	c.open("big.pipec.hcl", layered(1000))
	params := with(c.at("big.pipec.hcl", `step "s0|0000"`), object{"context": object{"includeDeclaration": true}})
	cancelled := 0
	for range 50 {
		id := c.request("textDocument/references", params)
		c.notify("$/cancelRequest", object{"id": id})
		switch m := c.answer(id); {
		case m.Error == nil:
		case m.Error.Code == -32800:
			cancelled++
		default:
			t.Fatalf("%+v", m.Error)
		}
	}
	t.Logf("%d of 50 were cancelled in time", cancelled)
	c.notify("$/cancelRequest", object{"id": 123456})
	c.notify("$/cancelRequest", object{"id": "no such"})
	if status := c.end(); status != 0 {
		t.Errorf("exit status %d", status)
	}
}

func TestCapabilities(t *testing.T) {
	c := launch(t, t.TempDir())
	caps := c.initialize(object{})
	if caps["positionEncoding"] != "utf-16" || caps["renameProvider"] != true {
		t.Errorf("%v", caps)
	}
	c = launch(t, t.TempDir())
	caps = c.initialize(object{"general": object{"positionEncodings": []string{"utf-8", "utf-16"}}})
	if caps["positionEncoding"] != "utf-8" {
		t.Errorf("%v", caps)
	}
	c = launch(t, t.TempDir())
	c.initialize(object{"workspace": object{"didChangeWatchedFiles": object{"dynamicRegistration": true}}})
	m := c.next("a registration", func(m message) bool { return m.Method == "client/registerCapability" })
	if !strings.Contains(string(m.Params), "**/*.pipec.hcl") {
		t.Errorf("%s", m.Params)
	}
	c.send(object{"jsonrpc": "2.0", "id": m.ID, "result": nil})
	if status := c.end(); status != 0 {
		t.Errorf("exit status %d", status)
	}
}
