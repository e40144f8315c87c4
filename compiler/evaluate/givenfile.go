package evaluate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/json"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/expr"
)

func (s *Given) file(path string, optional bool) {
	at := hcl.Range{Filename: path, Start: hcl.InitialPos, End: hcl.InitialPos}
	src, err := readGiven(path, optional)
	if err != nil {
		if optional && errors.Is(err, fs.ErrNotExist) {
			return
		}
		var pathErr *fs.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		s.diags.Add(diag.New("file-access", at, "the file of variables can't be read: %v", err))
		return
	}
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	if !s.scope.values.Sensitive() { // with sensitive variables, a line that a diagnostic shows could contain a secret
		s.sources[path] = src
	}
	if !utf8.Valid(src) {
		s.diags.Add(diag.New("encoding", at, "the file of variables is not UTF-8 text"))
		return
	}
	isJSON := strings.HasSuffix(path, ".json")
	file := s.parse(path, src, isJSON)
	if file == nil {
		return
	}
	attrs, hclDiags := file.Body.JustAttributes()
	s.diags.Add(diag.FromHCL(hclDiags, s.sources)...)
	for _, name := range Names(attrs) {
		a := attrs[name]
		if s.declared[name] == nil {
			s.diags.Add(s.undeclared(a.NameRange, name))
			continue
		}
		s.values[name] = given{expr: a.Expr, src: src, json: isJSON, at: a.Expr.Range(), origin: path}
	}
}

// parse reads the text of a file of variables. It reports a text that can't be read, and returns nil.
func (s *Given) parse(path string, src []byte, isJSON bool) *hcl.File {
	refusal, parse := expr.Gate, func() (*hcl.File, hcl.Diagnostics) { return hclsyntax.ParseConfig(src, path, hcl.InitialPos) }
	if isJSON {
		refusal, parse = gateJSON, func() (*hcl.File, hcl.Diagnostics) { return json.Parse(src, path) }
	}
	if r := refusal(src); r != nil {
		code := "too-large"
		if r.Unclosed {
			code = "unclosed"
		}
		s.diags.Add(diag.New(code, hcl.Range{Filename: path, Start: r.Pos, End: r.Pos}, "%s", r.Why))
		return nil
	}
	file, hclDiags := parse()
	if len(hclDiags) > 1 && isJSON { // a fault of the syntax, and that no object was read because of it
		hclDiags = slices.DeleteFunc(hclDiags, func(d *hcl.Diagnostic) bool { return d.Summary == "Root value must be object" })
	}
	s.diags.Add(diag.FromHCL(hclDiags, s.sources)...)
	if hclDiags.HasErrors() {
		return nil
	}
	return file
}

// gateJSON rejects JSON that could overflow the parser's stack.
func gateJSON(src []byte) *expr.Refusal {
	pos, depth, inString := hcl.InitialPos, 0, false
	if len(src) > expr.MaxFile {
		return &expr.Refusal{Pos: pos, Why: fmt.Sprintf("the file has more than %d bytes", expr.MaxFile)}
	}
	for i := 0; i < len(src); i++ {
		switch c := src[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case c == '\n':
			pos = hcl.Pos{Line: pos.Line + 1, Column: 1, Byte: i + 1}
		case inString:
		case c == '[' || c == '{':
			if depth++; depth > expr.MaxNesting {
				pos.Column, pos.Byte = i-pos.Byte+1, i
				return &expr.Refusal{Pos: pos, Why: fmt.Sprintf("nested more than %d deep", expr.MaxNesting)}
			}
		case c == ']' || c == '}':
			depth--
		}
	}
	return nil
}

// readGiven reads a file of variables. A file that the user names may be a pipe, for example a shell's <(…).
func readGiven(path string, regular bool) ([]byte, error) {
	if regular {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if !info.Mode().IsRegular() {
			return nil, errors.New("it is not a regular file")
		}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, expr.MaxFile+1))
}
