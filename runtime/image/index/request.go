package index

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// attempts is how often a request is made if the server fails.
const attempts = 4

// permanent is an error that another attempt doesn't change.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// request makes a GET request, with credentials if there are some, and passes a good response, 404 or 416, to use. It tries again
// if the connection, the server or use fails. header is called before each attempt.
func (c *Client) request(ctx context.Context, address string, header func() http.Header, use func(*http.Response) error) error {
	pause := c.o.Pause
	for n := 1; ; n++ {
		err := c.once(ctx, address, header, use)
		var final permanent
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.As(err, &final):
			return c.explain(address, final.error)
		case n == attempts:
			return c.explain(address, err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
			pause *= 2
		}
	}
}

func (c *Client) once(ctx context.Context, address string, header func() http.Header, use func(*http.Response) error) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return permanent{errors.New("the address is not valid")}
	}
	for k, v := range header() {
		req.Header[k] = v
	}
	req.Header.Set("User-Agent", c.o.Agent)
	if l, ok := c.logins.find(req.URL.Hostname()); ok {
		req.SetBasicAuth(l.user, l.password) // net/http drops it when another host is redirected to
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return cause(err)
	}
	defer resp.Body.Close()
	switch code := resp.StatusCode; {
	case code >= 500 || code == http.StatusTooManyRequests:
		return &Error{Status: code, Text: fmt.Sprintf("the server failed: %d %s", code, http.StatusText(code))}
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return permanent{&Error{Status: code, Text: fmt.Sprintf("access is denied (%d): the netrc file needs a login for %s", code, req.URL.Hostname())}}
	case code >= 400 && code != http.StatusNotFound && code != http.StatusRequestedRangeNotSatisfiable:
		return permanent{&Error{Status: code, Text: fmt.Sprintf("the server rejected the request: %d %s", code, http.StatusText(code))}}
	}
	return use(resp)
}

// explain returns an *Error with the address.
func (c *Client) explain(address string, err error) error {
	var e *Error
	if errors.As(err, &e) {
		out := *e
		out.URL = Shown(address)
		return &out
	}
	return &Error{URL: Shown(address), Text: err.Error(), Err: err}
}
