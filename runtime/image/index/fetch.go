package index

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// File is a file to download.
type File struct {
	URL    string
	SHA256 string // hexadecimal; "" accepts any content: the caller keeps what Fetch returns
	Size   int64  // 0: unknown
}

// Fetch returns the path of a file in the cache, and its digest. It downloads the file if the cache doesn't have it. An
// interrupted download continues where it stopped. progress may be nil.
func (c *Client) Fetch(ctx context.Context, f File, progress func(done, total int64)) (name, sum string, err error) {
	if err := CheckAddress(f.URL); err != nil {
		return "", "", err
	}
	if f.SHA256 != "" {
		if data, err := hex.DecodeString(f.SHA256); err != nil || len(data) != sha256.Size {
			return "", "", &Error{URL: Shown(f.URL), Text: fmt.Sprintf("%.80q is not a SHA-256 digest", f.SHA256), Users: true}
		}
		name = c.place(f.SHA256)
		if _, err := os.Stat(name); err == nil {
			return name, f.SHA256, nil
		}
	}
	dir := filepath.Join(c.o.Cache, "wheels")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", "", err
	}
	part, err := c.part(dir, f)
	if err != nil {
		return "", "", err
	}
	defer part.Close()
	if err := c.content(ctx, f, part, progress); err != nil {
		return "", "", err
	}
	sum, err = digest(part)
	if err != nil {
		return "", "", err
	}
	if f.SHA256 != "" && sum != f.SHA256 {
		_ = os.Remove(part.Name())
		return "", "", &Error{URL: Shown(f.URL), Text: fmt.Sprintf("the file has the SHA-256 digest %s, expected %s", sum, f.SHA256)}
	}
	if err := part.Sync(); err != nil {
		return "", "", err
	}
	return c.place(sum), sum, os.Rename(part.Name(), c.place(sum))
}

func (c *Client) place(sum string) string { return filepath.Join(c.o.Cache, "wheels", sum) }

// part opens the file of an incomplete download. Only one process continues it; others download a copy of their own.
func (c *Client) part(dir string, f File) (*os.File, error) {
	if f.SHA256 != "" {
		part, err := os.OpenFile(filepath.Join(dir, f.SHA256+".part"), os.O_RDWR|os.O_CREATE, 0o666)
		if err != nil {
			return nil, err
		}
		if lock(part) {
			return part, nil
		}
		_ = part.Close()
	}
	return os.CreateTemp(dir, "*.part")
}

// content completes the file.
func (c *Client) content(ctx context.Context, f File, part *os.File, progress func(done, total int64)) error {
	if name, ok := c.local(f.URL); ok {
		return copyLocal(f.URL, name, part)
	}
	d := &download{file: f, part: part, progress: progress}
	if size, err := part.Seek(0, io.SeekEnd); err != nil || f.Size > 0 && size == f.Size {
		return err
	}
	return c.request(ctx, f.URL, d.header, d.body)
}

// download appends the responses of several attempts.
type download struct {
	file     File
	part     *os.File
	progress func(done, total int64)
	done     int64 // bytes in part
	failed   error // of part
}

// header asks for the rest of the file.
func (d *download) header() http.Header {
	var err error
	if d.done, err = d.part.Seek(0, io.SeekEnd); err != nil || d.done == 0 {
		return nil
	}
	return http.Header{"Range": {fmt.Sprintf("bytes=%d-", d.done)}}
}

func (d *download) body(resp *http.Response) error {
	switch resp.StatusCode {
	case http.StatusNotFound:
		return permanent{&Error{Status: resp.StatusCode, Text: "the file does not exist (404)"}}
	case http.StatusPartialContent:
		if strings.HasPrefix(resp.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", d.done)) {
			break
		}
		return errors.Join(d.restart(), errors.New("the server sent another part of the file than requested"))
	case http.StatusRequestedRangeNotSatisfiable:
		return errors.Join(d.restart(), errors.New("the server doesn't have the requested part of the file"))
	default: // the whole file
		if err := d.restart(); err != nil {
			return err
		}
	}
	total := d.file.Size
	if total == 0 && resp.ContentLength > 0 {
		total = d.done + resp.ContentLength
	}
	_, err := io.Copy(writer(func(p []byte) (int, error) { return d.write(p, total) }), resp.Body)
	if d.failed != nil {
		return permanent{d.failed}
	}
	return err
}

func (d *download) restart() error {
	d.done = 0
	_, err := d.part.Seek(0, io.SeekStart)
	return errors.Join(err, d.part.Truncate(0))
}

func (d *download) write(p []byte, total int64) (int, error) {
	if d.done += int64(len(p)); d.file.Size > 0 && d.done > d.file.Size {
		d.failed = errors.Join(d.restart(), fmt.Errorf("the file is longer than the %d bytes that are expected", d.file.Size))
		return 0, d.failed
	}
	n, err := d.part.Write(p)
	d.failed = err
	if d.progress != nil {
		d.progress(d.done, total)
	}
	return n, err
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

// lock takes the lock of a file, and reports whether no other process has it.
func lock(f *os.File) bool { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil }

func copyLocal(address, name string, to *os.File) error {
	from, err := os.Open(name)
	if err != nil {
		return &Error{URL: Shown(address), Text: "can't be read: " + err.Error(), Err: err, Users: errors.Is(err, fs.ErrNotExist)}
	}
	defer from.Close()
	if err := to.Truncate(0); err != nil {
		return err
	}
	if _, err := to.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return err
}

func digest(f *os.File) (string, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
