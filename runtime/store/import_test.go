package store

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"pipec.dev/pipec/schema/program"
)

// elsewhere is a store that isn't local: what Import does for it reads twice.
type elsewhere struct{ Store }

func TestImport(t *testing.T) {
	for _, where := range []string{"local", "elsewhere", "patient"} {
		l, err := OpenLocal(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		var s Store = l
		if where != "local" {
			s = elsewhere{l}
		}
		if where == "patient" {
			s = Retrying(s, 1e9, nil)
		}
		content := bytes.Repeat([]byte("abcdefgh"), 1<<18)
		opened, again := 0, content
		open := func(context.Context) (io.ReadCloser, error) {
			opened++
			if opened%2 == 0 {
				return io.NopCloser(bytes.NewReader(again)), nil
			}
			return io.NopCloser(bytes.NewReader(content)), nil
		}
		seen := 0
		look := func(r io.Reader) error {
			buf := make([]byte, 10)
			n, err := io.ReadFull(r, buf)
			seen += n
			return err
		}
		digest, size, err := Import(t.Context(), s, open, "it", look)
		if err != nil || digest != program.Digest(content) || size != int64(len(content)) || seen != 10 {
			t.Fatalf("%s: %s %d %v, %d seen", where, digest, size, err, seen)
		}
		if got, err := ReadBlob(t.Context(), l, digest, 1<<30); err != nil || !bytes.Equal(got, content) {
			t.Fatal(where, err)
		}
		// What is there already is not sent again.
		if opened = 0; where != "local" {
			if _, _, err = Import(t.Context(), s, open, "it", look); err != nil || opened != 1 {
				t.Errorf("%s: %v, opened %d times", where, err, opened)
			}
			content = append([]byte("x"), content...)
			opened, again = 0, append([]byte("y"), content[1:]...)
			var changed *ContentError
			if _, _, err = Import(t.Context(), s, open, "it", look); !errors.As(err, &changed) || !strings.Contains(err.Error(), "it changed") {
				t.Errorf("%s: %v", where, err)
			}
		}
		no := errors.New("no")
		content = []byte("never kept")
		if _, _, err := Import(t.Context(), s, open, "it", func(io.Reader) error { return no }); !errors.Is(err, no) {
			t.Error(where, err)
		}
		opened = 0
		broken := func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(bytes.NewReader(content), broken{})), nil
		}
		if _, _, err := Import(t.Context(), s, broken, "it", func(io.Reader) error { return nil }); err == nil || err.Error() != "broken" {
			t.Error(where, err)
		}
		for _, c := range [][]byte{content, again} {
			if _, err := l.Stat(t.Context(), "blobs/sha256/"+strings.TrimPrefix(program.Digest(c), "sha256:")); where == "local" && &c[0] == &content[0] && err == nil {
				t.Error("half of it was kept")
			}
		}
		for key, err := range l.List(t.Context(), ".tmp", "") {
			t.Error("left behind:", key, err)
		}
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("broken") }
