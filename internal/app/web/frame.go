package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"strings"

	"pipec.dev/pipec/internal/app/web/shape"
	"pipec.dev/pipec/runtime/store"
)

// maxHTML is the size of an html artifact that is drawn, in bytes. A larger one can be saved.
const maxHTML = 32 << 20

// Frame is where the page finds an html artifact.
type Frame struct {
	URL string `json:"url"`
}

// frame writes the address of an html artifact on the origin of frames.
func (s *Server) frame(w http.ResponseWriter, r *http.Request, a *at, p *piece) error {
	if p.datum.Artifact == nil || p.artifact().Directory {
		return errNone
	}
	content := p.artifact()
	if shape.ViewOf(p.datum.Type, &content) != shape.ViewHTML && shape.ViewOf("", &content) != shape.ViewHTML {
		return badRequest("%s is not html", p.datum.Name)
	}
	if content.Size > maxHTML {
		return badRequest("%s has %d bytes, and at most %d are drawn: save it", p.datum.Name, content.Size, maxHTML)
	}
	q := url.Values{"stack": {a.of.Name}, "digest": {content.Digest}, "scripts": {r.URL.Query().Get("scripts")}}
	q.Set("key", s.sign(q))
	return reply(w, Frame{origin(s.frames) + "/?" + q.Encode()})
}

// sign returns the key of an address on the origin of frames. Only the page has addresses with a valid key, and only for html
// artifacts of runs.
func (s *Server) sign(q url.Values) string {
	mac := hmac.New(sha256.New, []byte(s.token))
	for _, name := range []string{"stack", "digest", "scripts"} {
		_, _ = mac.Write([]byte(q.Get(name) + "\x00")) // never fails
	}
	return hex.EncodeToString(mac.Sum(nil))
}

// framed returns the handler of the origin of frames. The content is sandboxed: it has no origin, no cookies, no network, and no
// way to the page around it. Its scripts run only if the user has asked for that.
func (s *Server) framed() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, q := w.Header(), r.URL.Query()
		sandbox, scripts := "sandbox", ""
		if q.Get("scripts") == "1" {
			sandbox, scripts = "sandbox allow-scripts", "script-src 'unsafe-inline' 'unsafe-eval'; webrtc 'block'; "
		}
		h.Set("Content-Security-Policy", sandbox+"; default-src 'none'; "+scripts+
			"style-src 'unsafe-inline'; img-src data: blob:; font-src data:; media-src data: blob:; form-action 'none'; base-uri 'none'; frame-ancestors "+origin(s.page))
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-DNS-Prefetch-Control", "off")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		if r.Host != s.frames.Addr().String() {
			refuse(w, http.StatusMisdirectedRequest, "the name of the host is not the one of this page")
			return
		}
		if r.Method != http.MethodGet || r.URL.Path != "/" || !same(q.Get("key"), s.sign(q)) {
			refuse(w, http.StatusForbidden, "the page has not asked for this")
			return
		}
		s.html(w, r, q)
	})
}

// html writes an html artifact.
func (s *Server) html(w http.ResponseWriter, r *http.Request, q url.Values) {
	i, err := s.stackOf(q.Get("stack"))
	if err != nil {
		refuse(w, http.StatusNotFound, "there is no such stack")
		return
	}
	reader, done, err := s.readers[i].get(r.Context())
	if err == nil {
		defer done()
		var blob io.ReadCloser
		if blob, err = store.OpenBlob(r.Context(), reader.Store(), q.Get("digest")); err == nil {
			defer blob.Close()
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.Copy(w, io.LimitReader(blob, maxHTML)) // the response has begun
			return
		}
	}
	refuse(w, http.StatusBadGateway, strings.ReplaceAll(err.Error(), "\n", " "))
}
