package lsp_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/lint"
	"pipec.dev/pipec/compiler/lsp"
)

// FuzzServe: whatever a client writes, the server comes to an end with its messages, without a panic, and what it writes
// are messages. Each line is one message; as it is, or, where raw, a stretch of the stream.
func FuzzServe(f *testing.F) {
	const dir = "/there/is/none/"
	line := func(v any) string {
		body, err := json.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		return string(body) + "\n"
	}
	opened := line(object{"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": object{"capabilities": everything}})
	for name, text := range map[string]string{"a.pipec.hcl": half, "b.pipec.yaml": halfYAML, "c.pipec.hcl": linted} {
		opened += line(object{"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": object{"textDocument": object{"uri": uri(dir + name), "version": 1, "text": text}}})
	}
	ended := line(object{"jsonrpc": "2.0", "id": 99, "method": "shutdown"}) + line(object{"jsonrpc": "2.0", "method": "exit"})
	for i, method := range []string{
		"hover", "completion", "signatureHelp", "definition", "references", "documentHighlight", "documentSymbol", "formatting",
		"prepareRename", "rename", "codeAction", "didChange", "didSave", "didClose", "nonsense",
	} {
		for j, name := range []string{"a.pipec.hcl", "b.pipec.yaml"} {
			at := position{i + 20*j, 2*i + j}
			f.Add([]byte(line(object{"jsonrpc": "2.0", "id": i, "method": "textDocument/" + method, "params": object{
				"textDocument": object{"uri": uri(dir + name), "version": 2}, "position": at, "range": span{at, at}, "newName": "x", "context": object{"only": []string{"quickfix", "source.fixAll"}},
				"contentChanges": []object{{"range": span{at, position{at.Line + 1, 0}}, "text": "${"}},
			}})), false)
		}
	}
	f.Add([]byte(line(object{"jsonrpc": "2.0", "method": "$/cancelRequest", "params": object{"id": 0}})+line([]any{object{"jsonrpc": "2.0", "id": 7, "method": "shutdown"}})+ended), false)
	f.Add([]byte("Content-Length: 3\r\n\r\n{}\n"), true)
	f.Fuzz(func(t *testing.T, data []byte, raw bool) {
		if len(data) > 1<<14 {
			return
		}
		var in bytes.Buffer
		frame := func(lines string) {
			for line := range strings.SplitSeq(strings.TrimSuffix(lines, "\n"), "\n") {
				fmt.Fprintf(&in, "Content-Length: %d\r\n\r\n%s", len(line), line)
			}
		}
		frame(opened)
		if raw {
			in.Write(data)
		} else {
			frame(string(data))
		}
		var out, log lockedBuffer
		status := lsp.Serve(t.Context(), &in, &out, lsp.Options{
			Log: &log,
			Compile: func(dir string, unsaved map[string][]byte) (*compiler.Result, error) {
				return compiler.Compile(compiler.Options{Dir: dir, Unsaved: unsaved})
			},
			Lint: func(_ string, r *compiler.Result) ([]diag.Diagnostic, error) {
				return r.Lint(lint.Options{}).Diags, nil
			},
		})
		if status != 0 && status != 1 || strings.Contains(log.String(), "panic:") {
			t.Fatalf("status %d\n%s", status, log.String())
		}
		for rest := out.String(); rest != ""; {
			header, body, ok := strings.Cut(rest, "\r\n\r\n")
			n := -1
			if _, err := fmt.Sscanf(header, "Content-Length: %d", &n); err != nil || !ok || n > len(body) || !json.Valid([]byte(body[:n])) {
				t.Fatalf("no message: %.200q", rest)
			}
			rest = body[n:]
		}
	})
}
