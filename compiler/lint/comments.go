package lint

import (
	"bytes"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"pipec.dev/pipec/compiler/load"
)

// Comment is a comment of a source.
type Comment struct {
	Text  string    // without comment marks and surrounding spaces
	Range hcl.Range // the whole comment, without the newline after it
	Alone bool      // there is nothing else on its line
}

// Reader finds the comments of a source, in order. The source may be only partly valid.
type Reader func(name string, src []byte) []Comment

// readers are the readers by suffix of the file's name.
var readers = map[string]Reader{
	load.Suffix:     hclComments,
	load.SuffixYAML: yamlComments,
}

// comments returns the comments of a file. A file of unknown syntax has none.
func comments(name string, src []byte) []Comment {
	for suffix, read := range readers {
		if strings.HasSuffix(name, suffix) {
			return read(name, src)
		}
	}
	return nil
}

// hclComments reads the tokens of HCL.
func hclComments(name string, src []byte) []Comment {
	tokens, hclDiags := hclsyntax.LexConfig(src, name, hcl.InitialPos)
	if hclDiags.HasErrors() {
		return nil
	}
	var out []Comment
	for _, t := range tokens {
		if t.Type != hclsyntax.TokenComment {
			continue
		}
		at, text := t.Range, bytes.TrimRight(t.Bytes, "\r\n")
		if len(text) < len(t.Bytes) { // the newline belongs to the token
			at.End = at.Start
			at.End.Byte += len(text)
			at.End.Column += len([]rune(string(text)))
		}
		line := src[bytes.LastIndexByte(src[:at.Start.Byte], '\n')+1 : at.Start.Byte]
		out = append(out, Comment{Text: bare(string(text)), Range: at, Alone: len(bytes.TrimSpace(line)) == 0})
	}
	return out
}

// bare returns the text of a comment without its marks.
func bare(text string) string {
	switch {
	case strings.HasPrefix(text, "/*"):
		text = strings.TrimSuffix(text[2:], "*/")
	case strings.HasPrefix(text, "//"):
		text = text[2:]
	default:
		text = strings.TrimLeft(text, "#")
	}
	return strings.TrimSpace(text)
}
