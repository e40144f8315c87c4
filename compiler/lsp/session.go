package lsp

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/sourcegraph/jsonrpc2"

	"pipec.dev/pipec/compiler/load"
)

// answer does the work of a request.
type answer func(ctx context.Context) (any, error)

// requests are the methods that are answered, by name.
var requests = map[string]func(s *server, params json.RawMessage) (answer, error){
	"initialize":                     method((*server).initialize),
	"shutdown":                       method((*server).shutdown),
	"textDocument/hover":             method((*server).hover),
	"textDocument/completion":        method((*server).completion),
	"textDocument/signatureHelp":     method((*server).signatureHelp),
	"textDocument/definition":        method((*server).definition),
	"textDocument/references":        method((*server).references),
	"textDocument/documentHighlight": method((*server).highlights),
	"textDocument/documentSymbol":    method((*server).symbols),
	"textDocument/formatting":        method((*server).formatting),
	"textDocument/prepareRename":     method((*server).prepareRename),
	"textDocument/rename":            method((*server).rename),
	"textDocument/codeAction":        method((*server).codeActions),
}

// method decodes the params of a request. f runs in the order of the messages; the answer that it returns runs
// concurrently.
func method[P any](f func(*server, P) (answer, error)) func(*server, json.RawMessage) (answer, error) {
	return func(s *server, raw json.RawMessage) (answer, error) {
		var p P
		if err := json.Unmarshal(raw, &p); err != nil {
			return nil, &jsonrpc2.Error{Code: codeInvalidParams, Message: err.Error()}
		}
		return f(s, p)
	}
}

func (s *server) asked(name string, params json.RawMessage) (answer, error) {
	refused := func(code int64, format string, args ...any) (answer, error) {
		return nil, &jsonrpc2.Error{Code: code, Message: fmt.Sprintf(format, args...)}
	}
	f, known := requests[name]
	switch {
	case s.state == shutDown:
		return refused(codeInvalidRequest, "the server is shut down")
	case s.state == fresh && name != "initialize":
		return refused(codeNotInitialized, "the first request is initialize")
	case s.state != fresh && name == "initialize":
		return refused(codeInvalidRequest, "initialize comes once")
	case !known:
		return refused(codeNoMethod, "there is no method %s", name)
	}
	var a answer
	err := s.guard(name, func() (err error) {
		a, err = f(s, params)
		return err
	})
	return a, err
}

// notified handles a notification. Unknown ones need no answer.
func (s *server) notified(ctx context.Context, name string, params json.RawMessage) error {
	if name == "exit" {
		status := 1
		if s.state == shutDown {
			status = 0
		}
		select {
		case s.ended <- status:
		default: // it was reported before
		}
		return nil
	}
	if s.state != running {
		return nil
	}
	switch name {
	case "initialized":
		s.watch(ctx)
	case "$/cancelRequest":
		return take(params, s.cancel)
	case "textDocument/didOpen":
		return take(params, s.didOpen)
	case "textDocument/didChange":
		return take(params, s.didChange)
	case "textDocument/didSave":
		return take(params, s.didSave)
	case "textDocument/didClose":
		return take(params, s.didClose)
	case "workspace/didChangeWatchedFiles":
		return take(params, s.didChangeWatchedFiles)
	}
	return nil
}

func take[P any](raw json.RawMessage, f func(P) error) error {
	var p P
	if err := json.Unmarshal(raw, &p); err != nil {
		return err
	}
	return f(p)
}

type object = map[string]any

func (s *server) initialize(p initializeParams) (answer, error) {
	s.state, s.client = running, p
	s.enc = negotiate(p.Capabilities.General.PositionEncodings)
	var rename any = true
	if p.Capabilities.TextDocument.Rename.PrepareSupport {
		rename = object{"prepareProvider": true}
	}
	result := object{
		"serverInfo": object{"name": "pipec", "version": s.options.Version},
		"capabilities": object{
			"positionEncoding":           s.enc,
			"textDocumentSync":           object{"openClose": true, "change": 2, "save": object{"includeText": false}},
			"hoverProvider":              true,
			"completionProvider":         object{"triggerCharacters": []string{".", `"`, ":"}},
			"signatureHelpProvider":      object{"triggerCharacters": []string{"(", ","}},
			"definitionProvider":         true,
			"referencesProvider":         true,
			"documentHighlightProvider":  true,
			"documentSymbolProvider":     true,
			"documentFormattingProvider": true,
			"renameProvider":             rename,
			"codeActionProvider":         object{"codeActionKinds": []string{"quickfix", "source.fixAll"}},
			"workspace":                  object{"workspaceFolders": object{"supported": true}},
		},
	}
	return func(context.Context) (any, error) { return result, nil }, nil
}

func (s *server) shutdown(struct{}) (answer, error) {
	s.state = shutDown
	return func(context.Context) (any, error) { return nil, nil }, nil
}

// watch asks the client for notifications of changes in files that are not open, if the client supports it.
func (s *server) watch(ctx context.Context) {
	if !s.client.Capabilities.Workspace.DidChangeWatchedFiles.DynamicRegistration {
		return
	}
	var watchers []object
	for _, pattern := range []string{"**/*" + load.Suffix, "**/*" + load.SuffixYAML, "**/*.auto.vars", "**/*.auto.vars.json"} {
		watchers = append(watchers, object{"globPattern": pattern})
	}
	params := object{"registrations": []object{{
		"id": "files", "method": "workspace/didChangeWatchedFiles", "registerOptions": object{"watchers": watchers},
	}}}
	// The client's answer is read by this goroutine, so it can't wait for it.
	if _, err := s.conn.DispatchCall(ctx, "client/registerCapability", params, jsonrpc2.StringID()); err != nil {
		s.log.Printf("client/registerCapability: %v", err)
	}
}
