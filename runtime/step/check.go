package step

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"unicode/utf8"

	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// headSize is how many bytes at the start of a file identify its format.
const headSize = 4 << 10

// checkKind checks one artifact. It returns the format, and what is wrong or "".
func checkKind(path string, a types.Artifact) (format, why string) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", "it is not there"
	case err != nil:
		return "", "it can't be read: " + plain(err)
	}
	mayBeDir := a.Kind == "directory" || a.Kind == "model"
	switch {
	case info.IsDir() && mayBeDir:
		if entries, err := os.ReadDir(path); err != nil {
			return "", "it can't be read: " + plain(err)
		} else if len(entries) == 0 && a.Kind == "model" {
			return "", "there is an empty directory"
		}
		return "", ""
	case a.Kind == "directory" || !info.Mode().IsRegular():
		return "", "there is a " + describeMode(info.Mode())
	}
	f, err := os.Open(path)
	if err != nil {
		return "", "it can't be read: " + plain(err)
	}
	defer f.Close()
	return checkContent(f, info.Size(), a.Kind)
}

// checkContent checks that the content has the kind's format. It reads as much as that requires, in bounded memory. r
// starts at the beginning.
func checkContent(r io.ReaderAt, size int64, kind string) (format, why string) {
	head := make([]byte, min(headSize, size))
	if n, err := r.ReadAt(head, 0); err != nil && (err != io.EOF || n < len(head)) {
		return "", "it can't be read: " + plain(err)
	}
	whole := bufio.NewReaderSize(io.NewSectionReader(r, 0, size), 64<<10)
	switch kind {
	case "ndarray":
		if !bytes.HasPrefix(head, []byte("\x93NUMPY")) {
			return "", startsWith(head, `an npy file starts with "\x93NUMPY"`)
		}
		return "npy", ""
	case "dataframe":
		return checkDataframe(r, head, whole, size)
	case "image":
		if format := imageFormat(head); format != "" {
			return format, ""
		}
		return "", startsWith(head, "an image is png, jpeg, gif, webp, bmp, tiff or svg")
	case "html", "text":
		return "", checkText(whole)
	case "json":
		why := checkJSON(whole)
		if why != "" && size < headSize {
			why = notJSONFile(head, why)
		}
		return "", why
	case "model":
		if size == 0 {
			return "", "the file is empty, but a model has content"
		}
	}
	return "", "" // file, bytes and artifact("…") have any content, or none
}

func startsWith(head []byte, expected string) string {
	if len(head) == 0 {
		return "the file is empty: " + expected
	}
	return fmt.Sprintf("the file starts with %q: %s", record.Cut(head, shownStart), expected)
}

// shownStart is how many bytes of a file a message shows.
const shownStart = 16

func checkDataframe(r io.ReaderAt, head []byte, whole io.Reader, size int64) (format, why string) {
	const magic = "PAR1"
	if bytes.HasPrefix(head, []byte(magic)) {
		tail := make([]byte, len(magic))
		if _, err := r.ReadAt(tail, max(size-int64(len(magic)), 0)); size < 12 || err != nil && err != io.EOF || string(tail) != magic {
			return "", "the file starts like parquet, but its end is missing: it is incomplete"
		}
		return "parquet", ""
	}
	header, _, _ := bytes.Cut(head, []byte("\n"))
	if len(bytes.TrimSpace(header)) == 0 {
		return "", startsWith(head, "a dataframe is a parquet file, or csv with a line of column names")
	}
	if why := checkText(whole); why != "" {
		return "", startsWith(head, "it is neither parquet nor csv: "+why)
	}
	return "csv", ""
}

func imageFormat(head []byte) string {
	for _, m := range []struct{ magic, format string }{
		{"\x89PNG\r\n\x1a\n", "png"}, {"\xff\xd8\xff", "jpeg"}, {"GIF87a", "gif"}, {"GIF89a", "gif"}, {"BM", "bmp"},
		{"II*\x00", "tiff"}, {"MM\x00*", "tiff"},
	} {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return m.format
		}
	}
	if len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP" {
		return "webp"
	}
	text := bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")))
	if bytes.HasPrefix(text, []byte("<")) && bytes.Contains(text, []byte("<svg")) {
		return "svg"
	}
	return ""
}

// checkText returns why the content of r is not UTF-8 text, or "".
func checkText(r io.Reader) string {
	var t textChecker
	if _, err := io.Copy(&t, r); err != nil {
		return "it can't be read: " + plain(err)
	}
	return t.end()
}

func textFault(text string) string { return checkText(strings.NewReader(text)) }

// textChecker checks text in pieces.
type textChecker struct {
	rest []byte // the bytes of an incomplete character
	at   int64
	why  string
}

func (t *textChecker) Write(p []byte) (int, error) {
	n := len(p)
	for len(t.rest) > 0 && len(p) > 0 && t.why == "" {
		t.rest = append(t.rest, p[0])
		p = p[1:]
		if utf8.FullRune(t.rest) {
			t.check(t.rest)
			t.rest = nil
		}
	}
	if t.why == "" && len(p) > 0 {
		cut := record.Between(p)
		t.check(p[:cut])
		t.rest = append(t.rest, p[cut:]...)
	}
	return n, nil
}

func (t *textChecker) check(p []byte) {
	if t.at == 0 && isUTF16(p) {
		t.why = utf16Hint
		return
	}
	if i := bytes.IndexByte(p, 0); i >= 0 {
		t.why = fmt.Sprintf("it contains a NUL byte (at %d), which text can't contain", t.at+int64(i))
		return
	}
	if utf8.Valid(p) {
		t.at += int64(len(p))
		return
	}
	for len(p) > 0 {
		r, size := utf8.DecodeRune(p)
		if r == utf8.RuneError && size == 1 {
			t.why = fmt.Sprintf("it is not UTF-8 (byte %d is %#02x)", t.at, p[0])
			return
		}
		p = p[size:]
		t.at += int64(size)
	}
}

func (t *textChecker) end() string {
	if t.why == "" && len(t.rest) > 0 {
		t.why = "it is not UTF-8: the last character is incomplete"
	}
	return t.why
}
