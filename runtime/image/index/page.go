package index

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"

	"golang.org/x/net/html"

	"pipec.dev/pipec/runtime/image/wheel"
)

// Link is a file of a project.
type Link struct {
	Filename       string
	URL            string // absolute, without the fragment; or a path relative to the project
	SHA256         string // hexadecimal; "" if the index does not state it
	RequiresPython string
	Yanked         bool
	Size           int64 // 0: unknown
}

// maxPage is the size of a page. The largest projects of PyPI have some ten megabytes.
const maxPage = 64 << 20

const accept = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"

// Project lists the files of a project in an index. A project that the index doesn't have has none.
func (c *Client) Project(ctx context.Context, index, project string) ([]Link, error) {
	return c.Page(ctx, strings.TrimRight(index, "/")+"/"+wheel.NormalName(project)+"/")
}

// Page lists the links of a page, or the files of a local directory. A page that doesn't exist has none.
func (c *Client) Page(ctx context.Context, address string) ([]Link, error) {
	if err := CheckAddress(address); err != nil {
		return nil, err
	}
	if dir, ok := c.local(address); ok {
		return c.directory(dir, address)
	}
	var out []Link
	err := c.request(ctx, address, func() http.Header { return http.Header{"Accept": {accept}} }, func(resp *http.Response) error {
		if resp.StatusCode == http.StatusNotFound {
			return nil
		}
		data, err := readLimited(resp.Body, maxPage)
		if err != nil {
			return err
		}
		kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
		if strings.HasSuffix(kind, "+json") || kind == "application/json" {
			out, err = parseJSON(data, resp.Request.URL)
		} else {
			out, err = parseHTML(string(data), resp.Request.URL)
		}
		return err
	})
	return out, err
}

// directory lists a local directory. Their files have no digests yet.
func (c *Client) directory(dir, address string) ([]Link, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, &Error{URL: Shown(address), Text: "can't be read: " + err.Error(), Err: err}
	}
	var out []Link
	for _, e := range entries {
		if e.Type().IsRegular() {
			out = append(out, Link{Filename: e.Name(), URL: strings.TrimRight(address, "/") + "/" + url.PathEscape(e.Name())})
		}
	}
	return out, nil
}

func parseJSON(data []byte, base *url.URL) ([]Link, error) {
	var page struct {
		Files []struct {
			Filename       string            `json:"filename"`
			URL            string            `json:"url"`
			Hashes         map[string]string `json:"hashes"`
			RequiresPython string            `json:"requires-python"`
			Yanked         any               `json:"yanked"`
			Size           int64             `json:"size"`
		} `json:"files"`
	}
	if err := json.Unmarshal(data, &page); err != nil {
		return nil, fmt.Errorf("the response is not a page of an index: %w", err)
	}
	var out []Link
	for _, f := range page.Files {
		u, err := base.Parse(f.URL)
		if err != nil {
			return nil, errors.New("the response has an invalid address")
		}
		u.Fragment = ""
		out = append(out, Link{Filename: f.Filename, URL: u.String(), SHA256: f.Hashes["sha256"], RequiresPython: f.RequiresPython,
			Yanked: f.Yanked != nil && f.Yanked != false, Size: f.Size})
	}
	return out, nil
}

func parseHTML(text string, base *url.URL) ([]Link, error) {
	var out []Link
	z := html.NewTokenizer(strings.NewReader(text))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return out, nil // the end: the tokenizer accepts everything
		case html.StartTagToken:
			token := z.Token()
			if token.Data != "a" {
				continue
			}
			link, ok := anchor(token, base)
			if ok {
				out = append(out, link)
			}
		}
	}
}

func anchor(token html.Token, base *url.URL) (out Link, ok bool) {
	for _, a := range token.Attr {
		switch a.Key {
		case "href":
			u, err := base.Parse(a.Val)
			if err != nil {
				return out, false
			}
			fragment, _ := url.ParseQuery(u.Fragment)
			out.SHA256 = fragment.Get("sha256")
			u.Fragment, u.RawFragment = "", ""
			out.URL, out.Filename = u.String(), path.Base(u.Path)
		case "data-requires-python":
			out.RequiresPython = a.Val
		case "data-yanked":
			out.Yanked = true
		}
	}
	return out, out.URL != ""
}
