package check

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
)

// images checks what the image blocks say.
func (c *checker) images() {
	for _, name := range evaluate.Names(c.world.Images) {
		b := c.world.Images[name]
		base, hasBase := b.Attrs["base"]
		file, hasFile := b.Attrs["dockerfile"]
		switch {
		case !hasBase && !hasFile:
			c.diags.Add(diag.New("missing", b.DefRange, "%s needs `base` or `dockerfile`", describe(b)))
		case hasBase && hasFile:
			c.diags.Add(diag.New("duplicate", file.NameRange, "an image starts from a base or a Dockerfile, not both").
				WithRelated(base.NameRange, "the base is here"))
		}
		c.world.String(b, "base")
		c.world.Strings(b, "requirements")
		c.world.Strings(b, "packages")
		c.path(b, "dockerfile", false)
	}
}

// codes checks that the directories of the code blocks are there, and inside the project.
func (c *checker) codes() {
	for _, name := range evaluate.Names(c.world.Codes) {
		b := c.world.Codes[name]
		c.path(b, "dir", true)
		for _, pattern := range c.world.Strings(b, "exclude") {
			if _, err := path.Match(pattern, ""); err != nil {
				c.diags.Add(diag.New("invalid-value", b.Attr("exclude").Range(), "%q is not a pattern", pattern))
			}
		}
	}
}

// path is an attribute that names a file or directory of the project, cleaned and slash-separated.
func (c *checker) path(b *decode.Block, name string, dir bool) string {
	text, ok := c.world.String(b, name)
	if !ok {
		return ""
	}
	at := b.Attr(name).Range()
	if text == "" || !filepath.IsLocal(filepath.Clean(text)) {
		c.diags.Add(diag.New("file-access", at, "%q is outside of the project", text).
			WithDetail("A path is relative to the project's directory and stays below it."))
		return ""
	}
	root, err := os.OpenRoot(c.world.Dir)
	if err != nil {
		return path.Clean(filepath.ToSlash(text)) // a source that stands in memory
	}
	defer root.Close()
	info, err := root.Stat(filepath.Clean(text))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.diags.Add(diag.New("file-access", at, "there is no %q in the project", text))
	case err != nil:
		c.diags.Add(diag.New("file-access", at, "%v", evaluate.PathFault(text, err)))
	case dir && !info.IsDir():
		c.diags.Add(diag.New("file-access", at, "%q is not a directory", text))
	case !dir && !info.Mode().IsRegular():
		c.diags.Add(diag.New("file-access", at, "%q is not a file", text))
	}
	return path.Clean(filepath.ToSlash(text))
}

// Path is an attribute that names a path of the project and has been checked.
func Path(w *evaluate.Project, b *decode.Block, name string) string {
	text, _ := w.String(b, name)
	return path.Clean(filepath.ToSlash(text))
}
