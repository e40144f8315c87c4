package wheel

import (
	"bytes"
	"fmt"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"bufio"
)

// maxMetadata is the size of a file of metadata that is read into memory. RECORD of a wheel with 100,000 files has 10 MB.
const maxMetadata = 32 << 20

// distInfo finds the one directory of the metadata, and checks that it is the one that the wheel's name demands.
func (o *opener) distInfo() error {
	found := map[string]bool{}
	for name := range o.files {
		first, _, ok := strings.Cut(name, "/")
		if ok && strings.HasSuffix(strings.ToLower(first), ".dist-info") {
			found[first] = true
		}
	}
	if len(found) != 1 {
		return o.fault("", "has %d directories .dist-info, expected 1", len(found))
	}
	for dir := range found {
		name, version, _ := strings.Cut(strings.TrimSuffix(dir, ".dist-info"), "-")
		if NormalName(name) != NormalName(o.wheel.Filename.Name) || normalVersion(version) != normalVersion(o.wheel.Filename.Version) {
			return o.fault(dir, "is the metadata of another project or version than the wheel's name")
		}
		o.wheel.DistInfo = dir
	}
	return nil
}

// normalVersion makes spellings of one version comparable. File names write - as _.
func normalVersion(v string) string {
	return strings.ToLower(strings.NewReplacer("-", "_", ".", "_").Replace(v))
}

// small reads a file of metadata.
func (o *opener) small(name string) ([]byte, error) {
	f := o.files[o.wheel.DistInfo+"/"+name]
	if f == nil {
		return nil, o.fault(o.wheel.DistInfo+"/"+name, "is missing")
	}
	if f.Size > maxMetadata {
		return nil, o.fault(f.Name, "has %d bytes, which is more than %d", f.Size, maxMetadata)
	}
	f.wheel = o.filename
	var b bytes.Buffer
	if err := f.Copy(&b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// header reads the fields at the start of a file of metadata.
func (o *opener) header(name string) (textproto.MIMEHeader, error) {
	data, err := o.small(name)
	if err != nil {
		return nil, err
	}
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	head, _, _ := bytes.Cut(data, []byte("\n\n"))
	out := textproto.MIMEHeader{}
	s := bufio.NewScanner(bytes.NewReader(head))
	s.Buffer(nil, maxMetadata)
	for s.Scan() {
		line := s.Text()
		if line == "" || line[0] == ' ' || line[0] == '\t' || line[0] == '|' { // continues a field that isn't read here
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			return nil, o.fault(o.wheel.DistInfo+"/"+name, "has a line without a colon: %.100q", line)
		}
		out.Add(key, strings.TrimSpace(value))
	}
	return out, s.Err()
}

// wheelFile reads the file WHEEL.
func (o *opener) wheelFile() error {
	fields, err := o.header("WHEEL")
	if err != nil {
		return err
	}
	name := o.wheel.DistInfo + "/WHEEL"
	major, _, _ := strings.Cut(fields.Get("Wheel-Version"), ".")
	if n, err := strconv.Atoi(major); err != nil || n != 1 {
		return o.fault(name, "has the format version %q, expected 1.0", fields.Get("Wheel-Version"))
	}
	switch root := strings.ToLower(fields.Get("Root-Is-Purelib")); root {
	case "true":
		o.purelib = true
	case "false":
	default:
		return o.fault(name, "has Root-Is-Purelib %q, expected true or false", root)
	}
	// Every tag of the name must be one of the file. Repaired wheels may have more in the file.
	f := o.wheel.Filename
	tags := fields.Values("Tag")
	for _, python := range f.Python {
		for _, abi := range f.ABI {
			for _, platform := range f.Platforms {
				tag := fmt.Sprintf("%s-%s-%s", python, abi, platform)
				if !slices.ContainsFunc(tags, func(t string) bool { return coversTag(t, tag) }) {
					return o.fault(name, "does not have the tag %s of the wheel's name", tag)
				}
			}
		}
	}
	return nil
}

// coversTag reports whether a tag of WHEEL, which may be a compressed set, includes a single tag.
func coversTag(set, tag string) bool {
	a, b := strings.Split(set, "-"), strings.Split(tag, "-")
	if len(a) != 3 {
		return false
	}
	for i := range a {
		if !slices.Contains(strings.Split(a[i], "."), b[i]) {
			return false
		}
	}
	return true
}

// metadata reads the name and the version in METADATA.
func (o *opener) metadata() error {
	fields, err := o.header("METADATA")
	if err != nil {
		return err
	}
	w := o.wheel
	w.Name, w.Version = fields.Get("Name"), fields.Get("Version")
	if NormalName(w.Name) != NormalName(w.Filename.Name) || normalVersion(w.Version) != normalVersion(w.Filename.Version) {
		return o.fault(w.DistInfo+"/METADATA", "is of %.100q %.100q, but the wheel's name is of another project or version", w.Name, w.Version)
	}
	return nil
}
