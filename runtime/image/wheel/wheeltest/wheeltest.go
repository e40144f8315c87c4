// Package wheeltest makes wheels for tests: valid ones, and with a few lines also hostile ones.
package wheeltest

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// Wheel describes a wheel to make.
type Wheel struct {
	Name, Version string
	Tag           string            // py3-none-any by default
	Files         map[string]string // by path; without the metadata
	Executable    []string          // paths of Files with mode 0755
	Requires      []string          // requirements of the project
	EntryPoints   string            // entry_points.txt
	// Edit changes the entries before they are written. RECORD has been computed already, and is the last entry.
	Edit func([]Entry) []Entry
}

// Entry is an entry of the zip file.
type Entry struct {
	Name    string
	Content string
	Mode    fs.FileMode
	Store   bool // without compression
	// Header changes the header before it is written.
	Header func(*zip.FileHeader)
}

// Filename returns the name of the wheel's file.
func (w Wheel) Filename() string {
	return w.stem() + "-" + w.tag() + ".whl"
}

func (w Wheel) tag() string {
	if w.Tag == "" {
		return "py3-none-any"
	}
	return w.Tag
}

func (w Wheel) stem() string {
	return strings.ReplaceAll(w.Name, "-", "_") + "-" + strings.ReplaceAll(w.Version, "-", "_")
}

// Bytes returns the wheel. It is the same at each call.
func (w Wheel) Bytes() []byte {
	info := w.stem() + ".dist-info/"
	var entries []Entry
	for _, name := range slices.Sorted(maps.Keys(w.Files)) {
		e := Entry{Name: name, Content: w.Files[name], Mode: 0o644}
		if slices.Contains(w.Executable, name) {
			e.Mode = 0o755
		}
		entries = append(entries, e)
	}
	metadata := "Metadata-Version: 2.1\nName: " + w.Name + "\nVersion: " + w.Version + "\n"
	for _, r := range w.Requires {
		metadata += "Requires-Dist: " + r + "\n"
	}
	pure := "true"
	if !strings.HasSuffix(w.tag(), "-none-any") {
		pure = "false"
	}
	entries = append(entries,
		Entry{Name: info + "METADATA", Content: metadata + "\nA project for tests.\n", Mode: 0o644},
		Entry{Name: info + "WHEEL", Content: "Wheel-Version: 1.0\nGenerator: wheeltest\nRoot-Is-Purelib: " + pure + "\n" + w.tags(), Mode: 0o644})
	if w.EntryPoints != "" {
		entries = append(entries, Entry{Name: info + "entry_points.txt", Content: w.EntryPoints, Mode: 0o644})
	}
	entries = append(entries, Entry{Name: info + "RECORD", Content: Record(entries, info), Mode: 0o644})
	if w.Edit != nil {
		entries = w.Edit(entries)
	}
	return Zip(entries)
}

func (w Wheel) tags() string {
	var out strings.Builder
	parts := strings.Split(w.tag(), "-")
	for _, python := range strings.Split(parts[0], ".") {
		for _, abi := range strings.Split(parts[1], ".") {
			for _, platform := range strings.Split(parts[2], ".") {
				fmt.Fprintf(&out, "Tag: %s-%s-%s\n", python, abi, platform)
			}
		}
	}
	return out.String()
}

// Record returns RECORD for the entries.
func Record(entries []Entry, info string) string {
	var out strings.Builder
	for _, e := range entries {
		sum := sha256.Sum256([]byte(e.Content))
		name := e.Name
		if strings.ContainsAny(name, ",\"") {
			name = `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
		}
		fmt.Fprintf(&out, "%s,sha256=%s,%d\n", name, base64.RawURLEncoding.EncodeToString(sum[:]), len(e.Content))
	}
	return out.String() + info + "RECORD,,\n"
}

// Zip writes entries as a zip file.
func Zip(entries []Entry) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.Name, Method: zip.Deflate}
		if e.Store {
			h.Method = zip.Store
		}
		h.SetMode(e.Mode)
		if e.Header != nil {
			e.Header(h)
		}
		w, err := z.CreateHeader(h)
		if err == nil {
			_, err = w.Write([]byte(e.Content))
		}
		if err != nil && e.Content != "" {
			panic(err) // the test's own fault
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}
