package expr

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/url"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"pipec.dev/pipec/schema/types"
)

// textFunc returns a function of the bytes of a string. The string keeps the text that it carries, and the result carries none.
func textFunc(doc string, of func(string) (string, error)) function.Function {
	params := textParam()
	params[0].AllowMarked = true
	return function.New(&function.Spec{
		Description:  doc,
		Params:       params,
		Type:         function.StaticReturnType(cty.String),
		RefineResult: func(b *cty.RefinementBuilder) *cty.RefinementBuilder { return b.NotNull() },
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			out, err := of(types.Text(args[0]))
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			return cty.StringVal(out).WithSameMarks(types.Bare(args[0])), nil
		},
	})
}

// always returns a function for textFunc that never fails.
func always(of func(string) string) func(string) (string, error) {
	return func(s string) (string, error) { return of(s), nil }
}

func base64EncodeFunc() function.Function {
	return textFunc("Returns a string in Base64 (RFC 4648, with padding).", func(s string) (string, error) {
		if err := tooLong(float64(base64.StdEncoding.EncodedLen(len(s)))); err != nil {
			return "", err
		}
		return base64.StdEncoding.EncodeToString([]byte(s)), nil
	})
}

func base64DecodeFunc() function.Function {
	return textFunc("Returns the text that a string in Base64 contains. It must be UTF-8.", func(s string) (string, error) {
		data, err := base64.StdEncoding.DecodeString(s)
		switch {
		case err != nil:
			return "", errors.New("the string is not valid Base64 (RFC 4648, with padding)")
		case !utf8.Valid(data):
			return "", errors.New("the decoded bytes are not UTF-8 text")
		}
		return string(data), nil
	})
}

func sha256Func() function.Function {
	return textFunc("Returns the SHA-256 of a string's UTF-8 bytes, in hexadecimal.", always(func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return hex.EncodeToString(sum[:])
	}))
}

func urlEncodeFunc() function.Function {
	return textFunc("Returns a string in the form of a URL's query: all characters are escaped but letters, digits and `-_.~`, and a space is `+`.", func(s string) (string, error) {
		if err := tooLong(3 * float64(len(s))); err != nil {
			return "", err
		}
		return url.QueryEscape(s), nil
	})
}

// pathFunc returns a function of a path with slashes.
func pathFunc(doc string, of func(string) string) function.Function {
	return function.New(&function.Spec{
		Description:  doc,
		Params:       []function.Parameter{{Name: "path", Type: cty.String}},
		Type:         function.StaticReturnType(cty.String),
		RefineResult: func(b *cty.RefinementBuilder) *cty.RefinementBuilder { return b.NotNull() },
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.StringVal(of(args[0].AsString())), nil
		},
	})
}

func basenameFunc() function.Function {
	return pathFunc("Returns the last part of a path, behind its last slash.", path.Base)
}

func dirnameFunc() function.Function {
	return pathFunc("Returns a path without its last part. It is `.` for a name without a directory.", path.Dir)
}

func containsTextFunc() function.Function {
	return affixFunc("Reports whether a string contains another one.", strings.Contains)
}
