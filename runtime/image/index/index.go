// Package index is a client of Python package indexes (PEP 503 and 691) and a cache of downloaded wheels. It lists the files of a
// project, and downloads files by their SHA-256 digests. It resolves no dependencies.
//
// Credentials come from the netrc file alone, and only for requests to the host that it names. Neither they nor the queries of
// addresses appear in errors.
package index

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"pipec.dev/pipec/runtime/image/registry"
)

// Options configure a Client.
type Options struct {
	Dir       string            // of the project: relative paths are relative to it
	Cache     string            // the directory of downloaded files
	Netrc     string            // the path of the netrc file; "": no credentials
	Agent     string            // the User-Agent, for example pipec/v1.2.3
	Transport http.RoundTripper // nil: one that gives up when a server is silent
	Pause     time.Duration     // before the second attempt; it doubles then; 0: half a second
}

// Client is a client of indexes. It is safe for concurrent use.
type Client struct {
	o      Options
	http   *http.Client
	logins logins
}

// silence is how long a server may transfer no data.
const silence = 30 * time.Second

// New returns a client. It makes no requests.
func New(o Options) (*Client, error) {
	if o.Transport == nil {
		o.Transport = registry.Watch(silence)
	}
	if o.Pause == 0 {
		o.Pause = 500 * time.Millisecond
	}
	c := &Client{o: o, http: &http.Client{Transport: o.Transport}}
	var err error
	c.logins, err = readNetrc(o.Netrc)
	return c, err
}

// In returns a client whose relative paths are relative to another directory.
func (c *Client) In(dir string) *Client {
	out := *c
	out.o.Dir = dir
	return &out
}

// Error explains why an index or a file could not be read.
type Error struct {
	URL    string // without credentials and query
	Text   string
	Users  bool  // the project's files have to change
	Status int   // of HTTP; 0
	Err    error // may be nil; its text is part of Text if it is safe
}

func (e *Error) Error() string { return e.URL + ": " + e.Text }

func (e *Error) Unwrap() error { return e.Err }

// Shown returns an address as messages show it: without credentials, query and fragment.
func Shown(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "an invalid address"
	}
	u.User, u.RawQuery, u.Fragment, u.ForceQuery = nil, "", "", false
	return u.String()
}

// CheckAddress reports what is wrong with the address of an index, a file or a directory in a project's files.
func CheckAddress(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return &Error{URL: "an address", Text: "can't be parsed", Users: true}
	case u.User != nil:
		return &Error{URL: Shown(address), Text: "contains a user name: put it, with the password, into the netrc file instead", Users: true}
	case u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "file":
		return &Error{URL: Shown(address), Text: fmt.Sprintf("has the scheme %q, expected https", u.Scheme), Users: true}
	}
	return nil
}

// local returns the path of an address that is a file of this machine.
func (c *Client) local(address string) (string, bool) {
	u, err := url.Parse(address)
	if err != nil {
		return "", false
	}
	switch u.Scheme {
	case "file":
		return filepath.FromSlash(u.Path), true
	case "":
		return filepath.Join(c.o.Dir, filepath.FromSlash(u.Path)), true
	}
	return "", false
}

// cause returns an error of net/http without the address, which may contain secrets.
func cause(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// readLimited reads a response that must be small.
func readLimited(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("the response has more than %d bytes", limit)
	}
	return data, err
}

// DefaultNetrc returns the path of the user's netrc file.
func DefaultNetrc(getenv func(string) string) string {
	if name := getenv("NETRC"); name != "" {
		return name
	}
	if home := getenv("HOME"); home != "" {
		return filepath.Join(home, ".netrc")
	}
	return ""
}

// DefaultCache returns the user's directory of downloaded files and built layers.
func DefaultCache(getenv func(string) string) (string, error) {
	if dir := getenv("PIPEC_CACHE_DIR"); dir != "" {
		return dir, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "pipec", "images"), nil
}
