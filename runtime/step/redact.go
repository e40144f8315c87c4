package step

import (
	"io"
	"sort"
)

const (
	minSecret = 4 // shorter secrets would hide ordinary text
	redacted  = "***"
)

// redactor replaces secrets in what is written through it, even if they are split over several writes. It buffers only
// what may be the start of a secret.
type redactor struct {
	w       io.Writer
	secrets []string // longest first
	first   [256]bool
	held    []byte
	out     []byte
}

// newRedactor returns nil if there is nothing to redact.
func newRedactor(w io.Writer, secrets map[string]string) *redactor {
	r := &redactor{w: w}
	for _, s := range secrets {
		if len(s) >= minSecret {
			r.secrets = append(r.secrets, s)
			r.first[s[0]] = true
		}
	}
	sort.Slice(r.secrets, func(i, j int) bool { return len(r.secrets[i]) > len(r.secrets[j]) })
	if len(r.secrets) == 0 {
		return nil
	}
	return r
}

func (r *redactor) Write(p []byte) (int, error) {
	r.held = append(r.held, p...)
	return len(p), r.emit(false)
}

// Flush writes the buffer at the end.
func (r *redactor) Flush() error { return r.emit(true) }

func (r *redactor) emit(last bool) error {
	r.out = r.out[:0]
	i := 0
	for i < len(r.held) {
		if !r.first[r.held[i]] {
			r.out = append(r.out, r.held[i])
			i++
			continue
		}
		n, wait := r.match(r.held[i:])
		if wait && !last {
			break
		}
		if n == 0 {
			r.out = append(r.out, r.held[i])
			i++
			continue
		}
		r.out = append(r.out, redacted...)
		i += n
	}
	r.held = append(r.held[:0], r.held[i:]...)
	if len(r.out) == 0 {
		return nil
	}
	_, err := r.w.Write(r.out)
	return err
}

// match returns the length of the longest secret at the start of text, and whether a longer one may follow.
func (r *redactor) match(text []byte) (n int, wait bool) {
	for _, s := range r.secrets {
		switch {
		case len(text) < len(s):
			wait = wait || string(text) == s[:len(text)]
		case string(text[:len(s)]) == s:
			return len(s), wait
		}
	}
	return 0, wait
}

// redactString redacts messages.
func redactString(s string, secrets map[string]string) string {
	var b sliceWriter
	r := newRedactor(&b, secrets)
	if r == nil {
		return s
	}
	_, _ = r.Write([]byte(s))
	_ = r.Flush()
	return string(b)
}

type sliceWriter []byte

func (b *sliceWriter) Write(p []byte) (int, error) {
	*b = append(*b, p...)
	return len(p), nil
}
