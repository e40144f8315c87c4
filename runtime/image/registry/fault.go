package registry

import (
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"

	"pipec.dev/pipec/schema/record"
)

// Reason is the kind of a fault.
type Reason string

// The reasons.
const (
	BadReference Reason = "bad-reference" // an error in the source; all others are errors of the environment
	Unreachable  Reason = "unreachable"
	Silent       Reason = "silent"       // it was reached, and hangs
	Cut          Reason = "cut"          // the connection was interrupted
	TLS          Reason = "tls"          // its certificate is invalid
	PlainHTTP    Reason = "plain-http"   // it does not use TLS
	Unauthorized Reason = "unauthorized" // the credentials are missing or wrong
	Forbidden    Reason = "forbidden"    // the user lacks a permission
	NoRepository Reason = "no-repository"
	NoImage      Reason = "no-image" // no such tag or digest
	RateLimit    Reason = "rate-limit"
	Broken       Reason = "broken"   // 5xx, or an unexpected response
	Unusable     Reason = "unusable" // it exists, but no pod can run it
	Credentials  Reason = "credentials"
)

// Fault explains why a registry could not be reached, or what is wrong with its response.
type Fault struct {
	Reason Reason
	Ref    string // the reference, as in the source
	Text   string
	Hint   string // what to do; ""
	Err    error  // the library's error
}

func (f *Fault) Error() string {
	out := printable(f.Ref) + ": " + f.Text
	if f.Hint != "" {
		out += "; " + f.Hint
	}
	return out
}

func (f *Fault) Unwrap() error { return f.Err }

// UsersFault reports whether the project's files have to change.
func (f *Fault) UsersFault() bool { return f.Reason == BadReference }

func badReference(ref string, err error) error {
	f := &Fault{Reason: BadReference, Ref: ref, Err: err, Text: "is not an image reference"}
	rest, isURL := ref, false
	if _, after, ok := strings.Cut(ref, "://"); ok {
		rest, isURL = after, true
	}
	switch {
	case ref == "":
		f.Ref, f.Text = `""`, "is not an image reference"
	case isURL:
		f.Hint = "remove the scheme: " + printable(rest)
	case strings.ContainsAny(ref, " \t\r\n"):
		f.Text += ": it contains a space"
	case strings.ToLower(ref) != ref && parses(lowerRepository(ref)):
		f.Hint = "a repository is lower case: " + printable(lowerRepository(ref))
	case strings.HasSuffix(ref, ":"):
		f.Text += ": the tag after the colon is missing"
	case strings.Contains(ref, "@"):
		f.Hint = "write a digest as REPOSITORY@sha256: followed by 64 hexadecimal digits"
	default:
		f.Hint = "write HOST/REPOSITORY:TAG, for example python:3.12-slim or registry.example.com/team/train:1"
	}
	return f
}

func parses(ref string) bool {
	_, err := name.ParseReference(ref)
	return err == nil
}

// lowerRepository returns the reference with everything except the tag in lower case.
func lowerRepository(ref string) string {
	slash, colon := strings.LastIndexByte(ref, '/'), strings.LastIndexByte(ref, ':')
	if colon > slash {
		return strings.ToLower(ref[:colon]) + ref[colon:]
	}
	return strings.ToLower(ref)
}

func unusable(ref string, parsed name.Reference, text string) error {
	return &Fault{Reason: Unusable, Ref: ref, Text: fmt.Sprintf("%s can't be used: %s", parsed.Context().Name(), text)}
}

// printable makes text from outside safe for a line of a terminal.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t', r == '\r':
			return ' '
		case r < ' ', r == 0x7f, r >= 0x80 && r < 0xa0, r == 0x202e:
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	return record.Shorten(s, 300)
}
