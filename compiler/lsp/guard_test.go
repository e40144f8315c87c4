package lsp_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/textproto"
	"strconv"
	"strings"
	"sync"
	"testing"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/compiler/lsp"
)

// TestPanic checks that a panic in one check or request is reported on stderr and doesn't end the server.
func TestPanic(t *testing.T) {
	in, client := io.Pipe()
	server, out := io.Pipe()
	var log lockedBuffer
	status, panicked := make(chan int, 1), make(chan struct{})
	go func() {
		status <- lsp.Serve(t.Context(), in, out, lsp.Options{Log: &log, Compile: func(dir string, unsaved map[string][]byte) (*compiler.Result, error) {
			if strings.Contains(string(unsaved["a.pipec.hcl"]), "panic") {
				close(panicked)
				panic("a fault of the compiler")
			}
			return compiler.Compile(compiler.Options{Dir: dir, Unsaved: unsaved})
		}})
		out.Close()
	}()
	r := bufio.NewReader(server)
	send := func(v any) {
		body, _ := json.Marshal(v)
		fmt.Fprintf(client, "Content-Length: %d\r\n\r\n%s", len(body), body)
	}
	receive := func() string {
		header, err := textproto.NewReader(r).ReadMIMEHeader()
		if err != nil {
			t.Fatal(err, log.String())
		}
		n, _ := strconv.Atoi(header.Get("Content-Length"))
		body := make([]byte, n)
		if _, err := io.ReadFull(r, body); err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	at := uri(t.TempDir() + "/a.pipec.hcl")
	send(object{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": object{}})
	receive()
	send(object{"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": object{"textDocument": object{"uri": at, "version": 1, "text": "panic"}}})
	send(object{"jsonrpc": "2.0", "id": 2, "method": "textDocument/documentSymbol", "params": object{"textDocument": object{"uri": at}}})
	if got := receive(); !strings.Contains(got, `"id":2`) {
		t.Error(got)
	}
	<-panicked // the next text would be compiled instead of this one otherwise
	send(object{"jsonrpc": "2.0", "method": "textDocument/didChange", "params": object{"textDocument": object{"uri": at, "version": 2}, "contentChanges": []object{{"text": "locals {"}}}})
	if got := receive(); !strings.Contains(got, `"version":2`) || !strings.Contains(got, `"unclosed"`) && !strings.Contains(got, `"syntax"`) {
		t.Error(got)
	}
	send(object{"jsonrpc": "2.0", "id": 3, "method": "shutdown"})
	receive()
	send(object{"jsonrpc": "2.0", "method": "exit"})
	if got := <-status; got != 0 || !strings.Contains(log.String(), "a fault of the compiler") {
		t.Errorf("exit status %d\n%s", got, log.String())
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
