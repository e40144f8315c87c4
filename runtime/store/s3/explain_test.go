package s3_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/store/s3"
	"pipec.dev/pipec/runtime/store/storetest"
	"pipec.dev/pipec/schema/program"
)

const secret = "very-secret-value"

func keyed(name string) (string, bool) {
	switch name {
	case "AWS_ACCESS_KEY_ID":
		return "AKID", true
	case "AWS_SECRET_ACCESS_KEY":
		return secret + "\n", true
	}
	return "", false
}

// TestExplain: what a server can answer, and the messages for it.
func TestExplain(t *testing.T) {
	for _, c := range []struct {
		status int
		code   string
		class  store.Class
		want   string
	}{
		{404, "NoSuchBucket", store.Permanent, `there is no bucket "b": create it`},
		{400, "InvalidBucketName", store.Permanent, "can't be the name of a bucket"},
		{403, "InvalidAccessKeyId", store.Denied, "the server does not know the access key (credentials: AWS_ACCESS_KEY_ID)"},
		{403, "SignatureDoesNotMatch", store.Denied, "the secret key doesn't belong to the access key"},
		{403, "AccessDenied", store.Denied, "s3:PutObject on arn:aws:s3:::b/pre/fix/* is required"},
		{400, "ExpiredToken", store.Denied, "the credentials have expired"},
		{400, "InvalidToken", store.Denied, "the session token is not valid"},
		{301, "PermanentRedirect", store.Permanent, "the bucket is in eu-central-1, not in us-east-1: set `region`"},
		{400, "AuthorizationHeaderMalformed", store.Permanent, "set `region`"},
		{403, "RequestTimeTooSkewed", store.Permanent, "the clock of this machine is wrong"},
		{501, "NotImplemented", store.Permanent, "the server does not support this"},
		{503, "SlowDown", store.Transient, "the server is overloaded"},
		{500, "InternalError", store.Transient, "about InternalError"},
		{502, "", store.Transient, "(502)"},
		{429, "", store.Transient, "the server is overloaded"},
		{403, "", store.Denied, "access is denied"},
		{418, "Teapot", store.Permanent, "about Teapot (418 Teapot)"},
		{200, "InternalError", store.Permanent, ""}, // no error where nothing is expected of the body
	} {
		t.Run(fmt.Sprint(c.status, c.code), func(t *testing.T) {
			web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Amz-Bucket-Region", "eu-central-1")
				answer(c.status, c.code).ServeHTTP(w, r)
			}))
			defer web.Close()
			s := open(t, program.Store{Kind: "s3", Path: "s3://b/pre/fix", Endpoint: web.URL, PathStyle: true}, keyed)
			err := s.Put(t.Context(), "k", strings.NewReader("x"), store.Replace)
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "can't write k in the store s3://b/pre/fix at http") {
				t.Fatalf("%v", err)
			}
			if store.ClassOf(err) != c.class {
				t.Errorf("%v is of class %d", err, store.ClassOf(err))
			}
			if strings.Contains(fmt.Sprintf("%+v", err), secret) {
				t.Error("the secret is told")
			}
		})
	}
}

// TestUnreached: there is no server, or none that speaks as it should.
func TestUnreached(t *testing.T) {
	plain := httptest.NewServer(answer(200, ""))
	defer plain.Close()
	tls := httptest.NewUnstartedServer(answer(200, ""))
	tls.Config.ErrorLog = log.New(io.Discard, "", 0)
	tls.StartTLS()
	defer tls.Close()
	closing, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer closing.Close()
	go func() {
		for {
			c, err := closing.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
	t.Setenv("AWS_CA_BUNDLE", "")
	for _, c := range []struct {
		endpoint, want string
		style          bool
		class          store.Class
	}{
		{"http://127.0.0.1:1", "http://127.0.0.1:1 can't be reached: connect: connection refused", true, store.Transient},
		{"http://" + closing.Addr().String(), "can't be reached", true, store.Transient},
		{"https://" + plain.Listener.Addr().String(), "its URL begins with http://", true, store.Permanent},
		{tls.URL, "AWS_CA_BUNDLE names a file", true, store.Permanent},
		{"http://none.invalid", "there is no host none.invalid", true, store.Transient},
		{"http://none.invalid", "there is no host bucket.none.invalid: set `path_style = true`", false, store.Transient},
	} {
		s := open(t, program.Store{Kind: "s3", Path: "s3://bucket", Endpoint: c.endpoint, PathStyle: c.style}, keyed)
		_, err := s.Stat(t.Context(), "k")
		if err == nil || !strings.Contains(err.Error(), c.want) || store.ClassOf(err) != c.class {
			t.Errorf("%s: class %d, %v", c.endpoint, store.ClassOf(err), err)
		}
	}
}

// TestRealRefusals: what the real server says of wrong keys, and of a bucket that isn't there.
func TestRealRefusals(t *testing.T) {
	b := storetest.NewBucket(t)
	p := b.Store("x")
	wrong := func(id, secret string) func(string) (string, bool) {
		return func(name string) (string, bool) {
			return map[string]string{"AWS_ACCESS_KEY_ID": id, "AWS_SECRET_ACCESS_KEY": secret}[name], true
		}
	}
	none := p
	none.Path = "s3://no-such-bucket-here/x"
	for _, c := range []struct {
		p       program.Store
		environ func(string) (string, bool)
		want    string
	}{
		{p, wrong(b.AccessKey, "wrong"), "the secret key doesn't belong to the access key"},
		{p, wrong("nobody", b.SecretKey), "the server does not know the access key"},
		{none, b.Environ, `there is no bucket "no-such-bucket-here"`},
	} {
		s := open(t, c.p, c.environ)
		found := s.Check(t.Context())
		if len(found) != 1 || found[0].OK || !strings.Contains(found[0].Text, c.want) {
			t.Errorf("%+v", found)
		}
		// This server's answer to a head of someone unknown is as if there were no such object.
		if _, err := s.Stat(t.Context(), "k"); c.want != "the server does not know the access key" && c.p.Path == p.Path && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("of a head: %v", err)
		}
	}
	found := open(t, p, b.Environ).Check(t.Context())
	for _, f := range found {
		if !f.OK {
			t.Errorf("%+v", f)
		}
	}
	if len(found) != 4 || !strings.Contains(found[0].Text, "PIPEC_STORE_AWS_ACCESS_KEY_ID") || len(b.Uploads(t)) > 0 {
		t.Errorf("%+v, %v", found, b.Uploads(t))
	}
}

// TestNotOnce: a server that doesn't honour If-None-Match is refused.
func TestNotOnce(t *testing.T) {
	b := storetest.NewBucket(t)
	p := newProxy(t, b)
	p.spoil(func(r *http.Request, _ int) http.Handler {
		if r.Header.Get("If-None-Match") == "" {
			return nil
		}
		return answer(200, "")
	})
	s := open(t, p.store(b), b.Environ)
	found := s.Check(t.Context())
	last := found[len(found)-1]
	if len(found) != 4 || last.OK || !strings.Contains(last.Text, "If-None-Match") {
		t.Errorf("%+v", found)
	}
	if err := store.ProveOnce(t.Context(), s); !errors.Is(err, store.ErrOnce) {
		t.Errorf("%v", err)
	}
}

// TestNoCredentials: the places that were searched are reported at once.
func TestNoCredentials(t *testing.T) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI"} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", t.TempDir())
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	nothing := func(string) (string, bool) { return "", false }
	p := program.Store{Kind: "s3", Path: "s3://b/x", Endpoint: "http://127.0.0.1:1"}
	_, err := open(t, p, nothing).Stat(t.Context(), "k")
	if err == nil || store.ClassOf(err) != store.Denied || !strings.Contains(err.Error(), "no credentials were found (looked in PIPEC_STORE_AWS_ACCESS_KEY_ID, AWS_ACCESS_KEY_ID, the profile \"default\"") {
		t.Errorf("class %d, %v", store.ClassOf(err), err)
	}
	for _, c := range []struct{ set, want string }{
		{"PIPEC_STORE_AWS_ACCESS_KEY_ID", "PIPEC_STORE_AWS_ACCESS_KEY_ID is set, and PIPEC_STORE_AWS_SECRET_ACCESS_KEY is not"},
		{"AWS_SECRET_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY is set, and AWS_ACCESS_KEY_ID is not"},
	} {
		_, err := s3.Open(t.Context(), p, s3.Options{Environ: func(name string) (string, bool) {
			if name == c.set {
				return secret, true
			}
			return "", false
		}})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%v", err)
		}
	}
}

func TestOpenFaults(t *testing.T) {
	t.Setenv("AWS_REGION", "")
	t.Setenv("AWS_DEFAULT_REGION", "")
	t.Setenv("HOME", t.TempDir())
	for _, c := range []struct {
		p    program.Store
		want string
	}{
		{program.Store{Path: "b/x"}, "expected s3://BUCKET/PREFIX"},
		{program.Store{Path: "s3://"}, "expected s3://BUCKET/PREFIX"},
		{program.Store{Path: "s3://b/../x"}, "its prefix can't be part of a key"},
		{program.Store{Path: "s3://b/x"}, "the region of s3://b/x is not known: set `region`"},
		{program.Store{Path: "s3://b/x", Endpoint: "10.0.0.1:9000"}, "expected http(s)://HOST:PORT"},
		{program.Store{Path: "s3://b/x", Endpoint: "http://me:" + secret + "@host"}, "is not an address of an S3 server"},
	} {
		_, err := s3.Open(t.Context(), c.p, s3.Options{Environ: keyed})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%+v: %v", c.p, err)
		}
	}
}

// TestOddServers: answers that no server should give.
func TestOddServers(t *testing.T) {
	body := bytes.Repeat([]byte("x"), int(store.PartSize(0))+100)
	for name, c := range map[string]struct {
		h    http.HandlerFunc
		want string // "": it reads
	}{
		"no ranges": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) }, "has no length of the object"},
		"no ranges, with a length": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
			_, _ = w.Write(body)
		}, ""},
		"nothing, again and again": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes 0-%d/%d", len(body)-1, len(body)))
			w.WriteHeader(http.StatusPartialContent)
		}, "interrupted repeatedly"},
	} {
		t.Run(name, func(t *testing.T) {
			web := httptest.NewServer(c.h)
			defer web.Close()
			s := open(t, program.Store{Kind: "s3", Path: "s3://b", Endpoint: web.URL, PathStyle: true}, keyed)
			r, err := s.Get(t.Context(), "k")
			if err == nil {
				defer r.Close()
				var got []byte
				if got, err = io.ReadAll(r); err == nil && !bytes.Equal(got, body) {
					t.Errorf("%d bytes", len(got))
				}
			}
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v", err)
			}
		})
	}
}
