package wheel

import (
	"archive/zip"
	"cmp"
	"io/fs"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Limits of a wheel. The largest wheels on PyPI have a few gigabytes and some ten thousand files.
const (
	maxFiles = 200_000
	maxTotal = 64 << 30 // bytes of all files
	maxName  = 1024     // bytes of a file's name
	maxPart  = 255      // bytes of a part of it
	// A wheel may have freeBytes of content whatever its size, and above that maxRatio times its size. Text compresses to a
	// tenth; deflate can reach a thousandth.
	freeBytes = 64 << 20
	maxRatio  = 100
)

// list checks the entries of the archive.
func (o *opener) list(archive *zip.Reader) error {
	if len(archive.File) > maxFiles {
		return o.fault("", "has %d files, which is more than %d", len(archive.File), maxFiles)
	}
	if err := o.overlap(archive); err != nil {
		return err
	}
	folded := map[string]string{}
	var total uint64
	for _, f := range archive.File {
		if err := o.checkName(f.Name); err != nil {
			return err
		}
		dir := strings.HasSuffix(f.Name, "/")
		if err := o.checkEntry(f, dir); err != nil {
			return err
		}
		if dir {
			continue
		}
		if total += f.UncompressedSize64; f.UncompressedSize64 > maxTotal || total > maxTotal || total > freeBytes && total/maxRatio > uint64(o.size) {
			return o.fault("", "claims to contain more than %d bytes in a file of %d bytes, which is not plausible", total, o.size)
		}
		// Linux distinguishes case, and some wheels have names that differ only by it. Different forms of one character are
		// a trick: they look the same.
		key := norm.NFC.String(f.Name)
		if other, ok := folded[key]; ok {
			return o.fault(f.Name, "appears twice, also as %q", other)
		}
		folded[key] = f.Name
		o.files[f.Name] = &File{Name: f.Name, Size: int64(f.UncompressedSize64), Executable: f.Mode()&0o111 != 0, entry: f}
	}
	return o.checkParents(folded)
}

// checkName rejects names that could leave the directory to which the wheel is unpacked, or that don't look like what they are.
func (o *opener) checkName(name string) error {
	if len(name) > maxName || !utf8.ValidString(name) {
		return o.fault(name[:min(len(name), 100)], "is a name that is too long or not UTF-8")
	}
	if strings.HasPrefix(name, "/") {
		return o.fault(name, "is an absolute path")
	}
	for _, r := range name {
		if r == '\\' || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) {
			return o.fault(name, "contains the character %q, which is not allowed in a path", r)
		}
	}
	for _, part := range strings.Split(strings.TrimSuffix(name, "/"), "/") {
		if part == "" || part == "." || part == ".." || len(part) > maxPart {
			return o.fault(name, "leaves the directory of the wheel, or is not a plain path")
		}
	}
	if len(name) > 1 && name[1] == ':' {
		return o.fault(name, "is an absolute path")
	}
	return nil
}

func (o *opener) checkEntry(f *zip.File, dir bool) error {
	switch mode := f.Mode(); {
	case f.Flags&1 != 0:
		return o.fault(f.Name, "is encrypted")
	case mode&fs.ModeSymlink != 0:
		return o.fault(f.Name, "is a symbolic link, which wheels can't contain")
	case mode&fs.ModeType&^fs.ModeDir != 0:
		return o.fault(f.Name, "is not a regular file")
	case dir && f.UncompressedSize64 > 0:
		return o.fault(f.Name, "is a directory with content")
	case !dir && mode.IsDir():
		return o.fault(f.Name, "is a file whose mode is that of a directory")
	case f.Method != zip.Store && f.Method != zip.Deflate:
		return o.fault(f.Name, "is compressed by method %d, expected deflate", f.Method)
	}
	return nil
}

// overlap rejects archives whose entries share bytes: a small file could then expand to any size.
func (o *opener) overlap(archive *zip.Reader) error {
	type span struct {
		name     string
		from, to int64
	}
	var spans []span
	for _, f := range archive.File {
		from, err := f.DataOffset()
		if err != nil {
			return o.fault(f.Name, "can't be read: %v", err)
		}
		if f.CompressedSize64 > uint64(o.size) || from > o.size-int64(f.CompressedSize64) {
			return o.fault(f.Name, "is longer than the wheel")
		}
		spans = append(spans, span{f.Name, from, from + int64(f.CompressedSize64)})
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	for i := 1; i < len(spans); i++ {
		if spans[i].from < spans[i-1].to {
			return o.fault(spans[i].name, "shares its bytes with %q", spans[i-1].name)
		}
	}
	return nil
}

// checkParents rejects files that are also directories of other files.
func (o *opener) checkParents(folded map[string]string) error {
	for key, name := range folded {
		for i := strings.LastIndexByte(key, '/'); i > 0; i = strings.LastIndexByte(key[:i], '/') {
			if other, ok := folded[key[:i]]; ok {
				return o.fault(other, "is a file, and also the directory of %q", name)
			}
		}
	}
	return nil
}
