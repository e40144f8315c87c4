// Package buildtest has what tests of image builds need: a base with the files of a Python, and a package index.
package buildtest

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"pipec.dev/pipec/runtime/image/wheel"
)

// Base returns an image that has the files of Python 3.11 and glibc 2.36. Nothing in it can run.
func Base(arch string) (v1.Image, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	var fault error
	for _, f := range []struct{ name, link, content string }{
		{"usr/local/bin/python3", "python3.11", ""}, {"usr/local/bin/python3.11", "", "ELF " + arch}, {"usr/local/lib/python3.11/os.py", "", "x"},
		{"usr/lib/libc.so.6", "", "GNU C Library (GNU libc) stable release version 2.36.\n"},
	} {
		h := &tar.Header{Name: f.name, Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(f.content))}
		if f.link != "" {
			h.Typeflag, h.Linkname = tar.TypeSymlink, f.link
		}
		err := w.WriteHeader(h)
		_, werr := io.WriteString(w, f.content)
		fault = errors.Join(fault, err, werr)
	}
	if err := errors.Join(fault, w.Close()); err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
	if err != nil {
		return nil, err
	}
	image, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", arch
	config.Config.Env = []string{"PATH=/usr/local/bin:/bin", "PYTHON_VERSION=3.11.7", "LANG=C"}
	config.Config.User = "1000"
	return mutate.ConfigFile(image, config)
}

// Index serves the files of a directory as a package index: /simple/NAME/ lists them, and /files/FILE is a file.
func Index(dir string) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /files/", http.StripPrefix("/files/", http.FileServer(http.Dir(dir))))
	mux.HandleFunc("GET /simple/{name}/", func(w http.ResponseWriter, r *http.Request) {
		files, _ := filepath.Glob(filepath.Join(dir, "*"))
		page := ""
		for _, file := range files {
			name, _, _ := strings.Cut(filepath.Base(file), "-")
			data, err := os.ReadFile(file)
			if err != nil || wheel.NormalName(name) != r.PathValue("name") {
				continue
			}
			sum := sha256.Sum256(data)
			page += fmt.Sprintf("<a href=\"/files/%s#sha256=%s\">%[1]s</a>\n", html.EscapeString(filepath.Base(file)), hex.EncodeToString(sum[:]))
		}
		if page == "" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!DOCTYPE html>\n<html><body>\n"+page+"</body></html>\n")
	})
	return mux
}
