package check

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"pipec.dev/pipec/compiler/check/attribute"
	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/model"
)

// images checks the `image` blocks.
func images(project *evaluate.Project) map[string]*model.Image {
	out := map[string]*model.Image{}
	for name, b := range project.Images {
		base, hasBase := b.Attrs["base"]
		file, hasFile := b.Attrs["dockerfile"]
		switch {
		case !hasBase && !hasFile:
			project.Diags.Add(diag.New("missing", b.DefRange, "%s requires `base` or `dockerfile`", attribute.Describe(b)))
		case hasBase && hasFile:
			project.Diags.Add(diag.New("duplicate", file.NameRange, "an image can't have both `base` and `dockerfile`").
				WithRelated(base.NameRange, "the base is here"))
		}
		image := &model.Image{Block: b, Requirements: project.Attributes.Strings(b, "requirements"), Packages: project.Attributes.Strings(b, "packages")}
		image.Base, _ = project.Attributes.String(b, "base")
		image.Dockerfile = sourcePath(project, b, "dockerfile", false)
		out[name] = image
	}
	return out
}

// codes checks the `code` blocks, whose directories must exist in the project.
func codes(project *evaluate.Project) map[string]*model.Code {
	out := map[string]*model.Code{}
	for name, b := range project.Codes {
		code := &model.Code{Block: b, Dir: sourcePath(project, b, "dir", true), Exclude: project.Attributes.Strings(b, "exclude")}
		for _, pattern := range code.Exclude {
			if _, err := path.Match(pattern, ""); err != nil {
				project.Diags.Add(diag.New("invalid-value", b.Attr("exclude").Range(), "%q is not a valid pattern", pattern))
			}
		}
		out[name] = code
	}
	return out
}

// sourcePath returns an attribute that names a file or directory of the project: cleaned, with slashes, and as the file
// system writes it. If the project's
// directory cannot be opened, because the source exists only in memory, the path is not looked up.
func sourcePath(project *evaluate.Project, b *decode.Block, name string, dir bool) string {
	text, ok := project.Attributes.String(b, name)
	if !ok {
		return ""
	}
	at := b.Attr(name).Range()
	if text == "" || !filepath.IsLocal(filepath.Clean(text)) {
		project.Diags.Add(diag.New("file-access", at, "%q is outside the project", text).
			WithDetail("Paths are relative to the project's directory and can't leave it."))
		return ""
	}
	clean, err := evaluate.Lookup(project.Dir, path.Clean(filepath.ToSlash(text)))
	if err != nil {
		project.Diags.Add(diag.New("file-access", at, "%v", err))
		return ""
	}
	root, err := os.OpenRoot(project.Dir)
	if err != nil {
		return clean
	}
	defer root.Close()
	info, err := root.Stat(filepath.FromSlash(clean))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		project.Diags.Add(diag.New("file-access", at, "%q does not exist in the project", text))
	case err != nil:
		project.Diags.Add(diag.New("file-access", at, "%v", evaluate.PathFault(text, err)))
	case dir && !info.IsDir():
		project.Diags.Add(diag.New("file-access", at, "%q is not a directory", text))
	case !dir && !info.Mode().IsRegular():
		project.Diags.Add(diag.New("file-access", at, "%q is not a file", text))
	}
	return clean
}
