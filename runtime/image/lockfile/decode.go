package lockfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// remake is the hint for a lock that can't be repaired.
const remake = "restore it from version control, or remove it: pipec push writes a new one"

// Decode decodes a lock, including one that people or merges have edited. The name is for messages.
func Decode(name string, data []byte) (*program.Lock, error) {
	d := &decoder{name: name, data: data}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, &Error{File: name, Text: "is empty", Hint: remake}
	}
	if !utf8.Valid(data) {
		return nil, &Error{File: name, Text: "is not UTF-8", Hint: remake}
	}
	// A newer version may have another format, so the version is read first.
	var head struct {
		Version json.Number `json:"version"`
	}
	err := json.Unmarshal(data, &head)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return nil, d.syntax(syntax)
	}
	if v, verr := strconv.ParseUint(head.Version.String(), 10, 31); verr == nil && v > program.LockVersion {
		return nil, &Error{File: name, Text: fmt.Sprintf("has version %d, but this pipec reads version %d", v, program.LockVersion), Hint: "use a newer pipec"}
	}
	d.dec = json.NewDecoder(bytes.NewReader(data))
	lock := &program.Lock{}
	if err := d.lock(lock); err != nil {
		return nil, err
	}
	return lock, nil
}

// decoder reads token by token, because encoding/json reports no positions for a whole file, and accepts duplicate
// keys, which result from bad merges, by using the last one.
type decoder struct {
	name string
	data []byte
	dec  *json.Decoder
}

func (d *decoder) lock(l *program.Lock) error {
	err := d.object("the lock", func(key string, at int64) error {
		switch key {
		case "version":
			return d.value(&l.Version)
		case "agents":
			l.Agents = map[string]string{}
			return d.object(key, func(key string, at int64) error {
				var pinned string
				if err := d.value(&pinned); err != nil {
					return err
				}
				l.Agents[key] = pinned
				_, digest, _ := strings.Cut(pinned, "@")
				return d.digest(digest, at)
			})
		case "codes":
			l.Codes = map[string]program.LockedCode{}
			return d.object(key, func(key string, at int64) error {
				var code program.LockedCode
				if err := d.value(&code); err != nil {
					return err
				}
				l.Codes[key] = code
				return d.digest(code.Digest, at)
			})
		case "images":
			l.Images = map[string]program.LockedImage{}
			return d.object(key, func(key string, at int64) error {
				var image program.LockedImage
				if err := d.value(&image); err != nil {
					return err
				}
				l.Images[key] = image
				return d.digest(image.Digest, at)
			})
		case "builds":
			l.Builds = map[string]program.LockedBuild{}
			return d.object(key, func(key string, at int64) error {
				var build program.LockedBuild
				if err := d.value(&build); err != nil {
					return err
				}
				l.Builds[key] = build
				return d.digest(build.Inputs, at)
			})
		case "packages":
			l.Packages = map[string]program.LockedPackage{}
			return d.object(key, func(key string, at int64) error {
				var wheel program.LockedPackage
				if err := d.value(&wheel); err != nil {
					return err
				}
				l.Packages[key] = wheel
				return d.digest(wheel.Digest, at)
			})
		case "clusters":
			l.Clusters = map[string]program.LockedCluster{}
			return d.object(key, func(key string, _ int64) error {
				var cluster program.LockedCluster
				if err := d.value(&cluster); err != nil {
					return err
				}
				l.Clusters[key] = cluster
				return nil
			})
		case "recipes":
			l.Recipes = map[string]program.LockedRecipe{}
			return d.object(key, func(key string, _ int64) error {
				var recipe program.LockedRecipe
				if err := d.value(&recipe); err != nil {
					return err
				}
				l.Recipes[key] = recipe
				return nil
			})
		}
		return d.at(at, "%q is not an attribute of a lock", record.Shorten(key, maxShown))
	})
	if err != nil {
		return err
	}
	if l.Version != program.LockVersion {
		return d.at(0, "the version is %d, expected %d", l.Version, program.LockVersion)
	}
	return nil
}

// object reads an object, and calls entry before each value with the position of the end of its key.
func (d *decoder) object(what string, entry func(key string, at int64) error) error {
	if err := d.delim(what, '{'); err != nil {
		return err
	}
	seen := map[string]bool{}
	for d.dec.More() {
		token, err := d.dec.Token()
		if err != nil {
			return d.fault(err)
		}
		key, at := token.(string), d.dec.InputOffset() // the parser ensures that keys are strings
		if seen[key] {
			return d.at(at, "%q appears twice", record.Shorten(key, maxShown))
		}
		seen[key] = true
		if err := entry(key, at); err != nil {
			return err
		}
	}
	_, err := d.dec.Token()
	return d.fault(err)
}

func (d *decoder) delim(what string, want json.Delim) error {
	token, err := d.dec.Token()
	if err != nil {
		return d.fault(err)
	}
	if token != want {
		return d.at(d.dec.InputOffset(), "%s should be an object", what)
	}
	return nil
}

// value reads one value. It rejects unknown fields, because they would be lost when the lock is written.
func (d *decoder) value(into any) error {
	var raw json.RawMessage
	if err := d.dec.Decode(&raw); err != nil {
		return d.fault(err)
	}
	start := d.dec.InputOffset() - int64(len(raw))
	if bytes.Equal(raw, []byte("null")) {
		return d.at(start+1, "null is not allowed here")
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	err := dec.Decode(into)
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &kind):
		if kind.Field != "" {
			return d.at(start+kind.Offset, "%s can't be a %s", kind.Field, kind.Value)
		}
		return d.at(start+kind.Offset, "a %s is not allowed here", kind.Value)
	}
	return d.at(start+1, "%s", strings.TrimPrefix(err.Error(), "json: "))
}

func (d *decoder) digest(s string, at int64) error {
	hex, ok := strings.CutPrefix(s, "sha256:")
	if !ok || len(hex) != 64 || strings.Trim(hex, "0123456789abcdef") != "" {
		return d.at(at, "%q is not a digest", record.Shorten(s, maxShown))
	}
	return nil
}

func (d *decoder) fault(err error) error {
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &syntax):
		return d.syntax(syntax)
	}
	return d.at(d.dec.InputOffset(), "%v", err)
}

func (d *decoder) syntax(err *json.SyntaxError) error {
	e := d.at(err.Offset, "%s", err.Error()).(*Error)
	for n, line := range bytes.Split(d.data, []byte("\n")) {
		if bytes.HasPrefix(line, []byte("<<<<<<<")) || bytes.HasPrefix(line, []byte(">>>>>>>")) {
			e.Line, e.Column, e.Text = n+1, 1, "there is a merge conflict here"
			e.Hint = "keep the lines of one side, and run pipec push"
			break
		}
	}
	return e
}

// at returns an error at the byte before offset, as encoding/json counts.
func (d *decoder) at(offset int64, format string, args ...any) error {
	before := d.data[:min(max(offset-1, 0), int64(len(d.data)))]
	return &Error{
		File: d.name, Line: bytes.Count(before, []byte("\n")) + 1, Column: len(before) - bytes.LastIndexByte(before, '\n'),
		Text: fmt.Sprintf(format, args...), Hint: remake,
	}
}

// maxShown is how many characters of a text a message shows.
const maxShown = 100
