package web

import (
	"crypto/subtle"
	"fmt"
	"html"
	"net"
	"net/http"
	"strings"
)

// maxBody is the size of the body of a request, in bytes.
const maxBody = 1 << 20

// cookie returns the name of the cookie. Browsers send cookies to all ports of a host, so the name contains the port.
func (s *Server) cookie() string {
	_, port, _ := net.SplitHostPort(s.page.Addr().String())
	return "pipec-ui-" + port
}

// same compares secrets in constant time.
func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// guarded returns the handler of the page. It rejects every request that the page itself, in a browser that was opened with
// the token, would not send.
func (s *Server) guarded() http.Handler {
	routes := s.routes()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.headers(w.Header())
		if r.Host != s.page.Addr().String() {
			refuse(w, http.StatusMisdirectedRequest, "the name of the host is not the one of this page")
			return
		}
		if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" && r.Header.Get("Sec-Fetch-Mode") != "navigate" {
			refuse(w, http.StatusForbidden, "the request comes from another page")
			return
		}
		if s.enter(w, r) {
			return
		}
		c, err := r.Cookie(s.cookie())
		if err != nil || !same(c.Value, s.token) {
			refuse(w, http.StatusForbidden, "open the page with the link that `pipec ui` has printed: it contains a token that this request lacks")
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead && !s.acting(r) {
			refuse(w, http.StatusForbidden, "the request does not come from the page")
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		routes.ServeHTTP(w, r)
	})
}

// headers sets the headers that all responses have.
func (s *Server) headers(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'self'; frame-src "+origin(s.frames)+"; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// enter turns the token of a URL into a cookie. Its response leads the browser to the URL without the token. That is a page and
// not a redirect: after a link in another page, a browser would not send the cookie with a redirected request.
func (s *Server) enter(w http.ResponseWriter, r *http.Request) bool {
	q := r.URL.Query()
	if !q.Has("token") || r.Method != http.MethodGet || strings.HasPrefix(r.URL.Path, "/api/") {
		return false
	}
	if !same(q.Get("token"), s.token) {
		refuse(w, http.StatusForbidden, "the token is not valid: it belongs to another `pipec ui`")
		return true
	}
	http.SetCookie(w, &http.Cookie{Name: s.cookie(), Value: s.token, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	q.Del("token")
	to := "/"
	if len(q) > 0 {
		to += "?" + q.Encode()
	}
	to = html.EscapeString(to)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = fmt.Fprintf(w, `<!doctype html><title>pipec</title><meta http-equiv="refresh" content="0;url=%s"><a href="%s">Open the page</a>`, to, to)
	return true
}

// acting reports whether a request that changes something comes from the page.
func (s *Server) acting(r *http.Request) bool {
	from := r.Header.Get("Origin")
	return (from == "" || from == origin(s.page)) && same(r.Header.Get("X-Pipec-Token"), s.permit) &&
		strings.HasPrefix(r.Header.Get("Content-Type"), "application/json")
}

// refuse rejects a request, as text.
func refuse(w http.ResponseWriter, status int, why string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte("pipec ui: " + why + ".\n"))
}
