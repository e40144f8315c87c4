package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestToken checks that only a browser that was opened with the link gets anything, and that the token stays in no URL.
func TestToken(t *testing.T) {
	p := open(t)
	bare := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	get := func(address string, cookie *http.Cookie) *http.Response {
		t.Helper()
		r, err := http.NewRequest(http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if cookie != nil {
			r.AddCookie(cookie)
		}
		got, err := bare.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer got.Body.Close()
		return got
	}
	for _, path := range []string{"/", "/app.js", "/api/session", "/api/runs", "/?token=wrong", "/api/runs?token=" + p.link[strings.LastIndex(p.link, "=")+1:]} {
		if got := get(p.base+path, nil); got.StatusCode != http.StatusForbidden {
			t.Errorf("%s without a cookie: status %d", path, got.StatusCode)
		}
	}
	got := get(p.link, nil)
	if body := p.get(p.link+"&x=%22%3E%3Cscript%3E", http.StatusOK); !strings.Contains(body, `content="0;url=/?pipeline=train&amp;run=x&amp;x=%22%3E%3Cscript%3E"`) || strings.Contains(body, "token") {
		t.Errorf("the link leads to %s", body)
	}
	set := got.Header.Get("Set-Cookie")
	if !strings.Contains(set, "HttpOnly") || !strings.Contains(set, "SameSite=Strict") {
		t.Errorf("the cookie is %q", set)
	}
	c := got.Cookies()[0]
	if got := get(p.base+"/api/session", c); got.StatusCode != http.StatusOK {
		t.Errorf("with the cookie: status %d", got.StatusCode)
	}
	c.Value = c.Value[1:] + "A"
	if got := get(p.base+"/api/session", c); got.StatusCode != http.StatusForbidden {
		t.Errorf("with a wrong cookie: status %d", got.StatusCode)
	}
	if !strings.Contains(p.link, "//127.0.0.1:") {
		t.Errorf("the page is at %s", p.link)
	}
}

// TestRebinding checks that a page whose name was bound to this machine gets nothing, although the browser sends the cookie.
func TestRebinding(t *testing.T) {
	p := open(t)
	port := p.base[strings.LastIndex(p.base, ":"):]
	for _, host := range []string{"evil.example", "evil.example" + port, "localhost" + port, "127.0.0.1", "127.0.0.2" + port} {
		r, err := http.NewRequest(http.MethodGet, p.base+"/api/session", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		p.do(r, http.StatusMisdirectedRequest)
	}
}

// TestHeaders checks the headers that keep the page's content in its place.
func TestHeaders(t *testing.T) {
	p := open(t)
	r, err := p.client.Get(p.base + "/")
	if err != nil {
		t.Fatal(err)
	}
	p.body(r, http.StatusOK)
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'self'; ", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Cache-Control": "no-store",
		"Referrer-Policy": "no-referrer",
	} {
		if got := r.Header.Get(name); !strings.HasPrefix(got, want) {
			t.Errorf("%s is %q", name, got)
		}
	}
	if csp := r.Header.Get("Content-Security-Policy"); strings.Contains(csp, "unsafe") || !strings.Contains(csp, "frame-ancestors 'none'") {
		t.Errorf("the policy is %s", csp)
	}
}

// TestCrossSitePost checks that requests that change something are rejected unless the page sends them.
func TestCrossSitePost(t *testing.T) {
	p := open(t)
	p.run("one")
	body := `{"stack":"local","pipeline":"train","run":"one"}`
	for name, break_ := range map[string]func(http.Header){
		"no token":          func(h http.Header) { h.Del("X-Pipec-Token") },
		"wrong token":       func(h http.Header) { h.Set("X-Pipec-Token", "x") },
		"another origin":    func(h http.Header) { h.Set("Origin", "http://evil.example") },
		"no origin at all":  func(h http.Header) { h.Set("Origin", "null") },
		"a form":            func(h http.Header) { h.Set("Content-Type", "text/plain") },
		"another site":      func(h http.Header) { h.Set("Sec-Fetch-Site", "cross-site") },
		"another port":      func(h http.Header) { h.Set("Sec-Fetch-Site", "same-site") },
		"no cookie, so far": func(h http.Header) { h.Set("Origin", "https://127.0.0.1") },
	} {
		for _, path := range []string{"cancel", "answer", "plan", "rerun"} {
			r := p.request(path, body)
			break_(r.Header)
			if got := p.do(r, http.StatusForbidden); strings.Contains(got, "one") {
				t.Errorf("%s: %s", name, got)
			}
		}
	}
	// The same request is accepted from the page.
	p.act("plan", body, http.StatusOK)
	// A request that changes something can't be a GET.
	p.get(p.base+"/api/cancel?pipeline=train&run=one", http.StatusMethodNotAllowed)
	// The body is bounded, and has no unknown fields.
	p.act("plan", `{"run":"`+strings.Repeat("x", 2<<20)+`"}`, http.StatusRequestEntityTooLarge)
	p.act("plan", `{"runs":"one"}`, http.StatusBadRequest)
}

// TestTraversal checks that no name in a request becomes a path.
func TestTraversal(t *testing.T) {
	p := open(t)
	p.run("one")
	for _, name := range []string{"..", ".", "../one", "one/../one", "../../../../etc/passwd", `..\one`, "one\x00", "/etc/passwd", strings.Repeat("x", 5000), "one/"} {
		p.get(p.address("run", "stack", "local", "pipeline", "train", "run", name), http.StatusNotFound)
		p.get(p.address("run", "stack", "local", "pipeline", name, "run", "one"), http.StatusNotFound)
		p.get(p.address("content", of("one", "step", "prepare", "side", "out", "name", "files", "file", name)...), http.StatusNotFound)
		p.get(p.address("content", of("one", "step", "prepare", "side", "out", "name", name)...), http.StatusNotFound)
	}
	for _, stack := range []string{"-1", "0", "x", "../local"} {
		p.get(p.address("run", "stack", stack, "pipeline", "train", "run", "one"), http.StatusBadRequest)
	}
	if got := p.get(p.address("content", of("one", "step", "prepare", "side", "out", "name", "files", "file", "sub/a.txt", "as", "text")...), http.StatusOK); got != "inside\n" {
		t.Errorf("the file is %q", got)
	}
	// The content of a symbolic link is not served.
	p.get(p.address("content", of("one", "step", "prepare", "side", "out", "name", "files", "file", "link")...), http.StatusNotFound)
	for _, path := range []string{"/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/dist/app.js", "/assets/../app.js%00", "/.git/config"} {
		r, err := http.NewRequest(http.MethodGet, p.base, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.URL.Opaque = "//" + r.URL.Host + path
		got, err := p.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if body := p.body(got, got.StatusCode); got.StatusCode == http.StatusOK && !strings.HasPrefix(body, "<!doctype html>") && path != "/assets/../app.js%00" || strings.Contains(body, "root:") {
			t.Errorf("%s: status %d: %.80s", path, got.StatusCode, body)
		}
	}
}

// TestNames checks that names can't become markup: responses are JSON, in which the characters of markup are escaped.
func TestNames(t *testing.T) {
	p := open(t)
	p.run("one")
	r, err := p.client.Get(p.address("run", of("one")...))
	if err != nil {
		t.Fatal(err)
	}
	if media := r.Header.Get("Content-Type"); !strings.HasPrefix(media, "application/json") {
		t.Errorf("the response is %s", media)
	}
	body := p.body(r, http.StatusOK)
	if strings.Contains(body, "<img") || !strings.Contains(body, `\u003cimg src=x onerror=alert(1)\u003e`) || !strings.Contains(body, "javascript:alert(1)") {
		t.Errorf("the steps are %s", body)
	}
	for _, step := range []string{`fan["javascript:alert(1)"]`, `fan["<img src=x onerror=alert(1)>"]`} {
		var x struct {
			Name     string
			Terminal []string
		}
		p.api("step", of("one", "step", step), &x)
		if x.Name != step || !strings.HasPrefix(x.Terminal[0], "pipec explain one 'fan[") || !strings.HasSuffix(x.Terminal[0], "' -C x") {
			t.Errorf("%+v", x)
		}
	}
}

// TestFrames checks that html artifacts are only on an origin of their own, and sandboxed without network.
func TestFrames(t *testing.T) {
	p := open(t)
	p.run("one")
	where := of("one", "step", "prepare", "side", "out", "name", "page")
	for _, as := range []string{"", "text", "file"} { // on the page's own origin nothing is served as html
		r, err := p.client.Get(p.address("content", append(where, "as", as)...))
		if err != nil {
			t.Fatal(err)
		}
		p.body(r, http.StatusOK)
		if media := r.Header.Get("Content-Type"); strings.Contains(media, "html") || !strings.HasPrefix(r.Header.Get("Content-Security-Policy"), "sandbox; default-src 'none'") {
			t.Errorf("as %q, it is %s with %s", as, media, r.Header.Get("Content-Security-Policy"))
		}
	}
	p.get(p.address("content", append(where, "as", "image")...), http.StatusBadRequest)
	for scripts, sandbox := range map[string]string{"": "sandbox;", "1": "sandbox allow-scripts;"} {
		var f struct{ URL string }
		p.api("frame", append(where, "scripts", scripts), &f)
		u, err := url.Parse(f.URL)
		if err != nil || "http://"+u.Host == p.base || u.Hostname() != "127.0.0.1" {
			t.Fatalf("the frame is at %s: %v", f.URL, err)
		}
		r, err := http.Get(f.URL) // it needs no cookie
		if err != nil {
			t.Fatal(err)
		}
		if body := p.body(r, http.StatusOK); body != "<b>hi</b><script>x()</script>\n" {
			t.Errorf("the content is %q", body)
		}
		csp := r.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, sandbox+" default-src 'none'") || strings.Contains(csp, "allow-same-origin") || !strings.Contains(csp, "frame-ancestors "+p.base) {
			t.Errorf("the policy is %s", csp)
		}
		if scripts == "" && strings.Contains(csp, "script-src") {
			t.Errorf("scripts run: %s", csp)
		}
		// Another content, or more rights, need another key.
		for name, value := range map[string]string{"scripts": "1x", "digest": "sha256:" + strings.Repeat("0", 64), "stack": "1", "key": ""} {
			q := u.Query()
			q.Set(name, value)
			bad := *u
			bad.RawQuery = q.Encode()
			p.get(bad.String(), http.StatusForbidden)
		}
		request, err := http.NewRequest(http.MethodGet, f.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = "evil.example"
		p.do(request, http.StatusMisdirectedRequest)
	}
	// What is not html is not drawn as html, and what is too large is not drawn at all.
	p.get(p.address("frame", of("one", "step", "prepare", "side", "out", "name", "conf")...), http.StatusBadRequest)
	if got := p.get(p.address("frame", of("one", "step", "prepare", "side", "out", "name", "huge")...), http.StatusBadRequest); !strings.Contains(got, "save it") {
		t.Errorf("the huge html: %s", got)
	}
	r, err := p.client.Get(p.address("content", of("one", "step", "prepare", "side", "out", "name", "huge", "as", "text")...))
	if err != nil {
		t.Fatal(err)
	}
	if body := p.body(r, http.StatusOK); len(body) != 512<<10 || r.Header.Get("X-Pipec-Cut") == "" {
		t.Errorf("%d bytes of the huge html are shown", len(body))
	}
}
