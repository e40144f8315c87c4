package evaluate

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

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
	if !s.scope.values.Sensitive() { // with sensitive variables, a line that a diagnostic shows could contain a secret
		s.sources[path] = src
	}
	if !utf8.Valid(src) {
		s.diags.Add(diag.New("encoding", at, "the file of variables is not UTF-8 text"))
		return
	}
	if r := expr.Gate(src); r != nil {
		at.Start, at.End = r.Pos, r.Pos
		code := "too-large"
		if r.Unclosed {
			code = "unclosed"
		}
		s.diags.Add(diag.New(code, at, "%s", r.Why))
		return
	}
	file, hclDiags := hclsyntax.ParseConfig(src, path, hcl.InitialPos)
	s.diags.Add(diag.FromHCL(hclDiags, s.sources)...)
	if hclDiags.HasErrors() {
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
		s.values[name] = given{expr: a.Expr, src: src, at: a.Expr.Range(), origin: path}
	}
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
