package check

import (
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

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
		image.Lock = sourcePath(project, b, "lock", false)
		dockerfile(project, image, hasFile)
		imageOptions(project, image)
		out[name] = image
	}
	return out
}

// dockerfile checks what an image has only together with a Dockerfile, or only without one.
func dockerfile(project *evaluate.Project, image *model.Image, has bool) {
	b := image.Block
	image.Context = sourcePath(project, b, "context", true)
	image.Args = project.Attributes.StringMap(b, "args")
	image.Target, _ = project.Attributes.String(b, "target")
	for _, name := range []string{"context", "args", "target"} {
		if a, ok := b.Attrs[name]; ok && !has {
			project.Diags.Add(diag.New("invalid-value", a.NameRange, "`%s` is about a Dockerfile, and the image has none", name).
				WithDetail("Add `dockerfile`, or remove `%s`.", name))
		}
	}
	if a, ok := b.Attrs["packages"]; ok && has {
		project.Diags.Add(diag.New("duplicate", a.NameRange, "an image can't have both `packages` and `dockerfile`").
			WithRelated(b.Attrs["dockerfile"].NameRange, "the Dockerfile is here").WithDetail("Install the packages in the Dockerfile."))
	}
}

// imageOptions checks how the packages of an image are found.
func imageOptions(project *evaluate.Project, image *model.Image) {
	b := image.Block
	image.IndexURL, _ = project.Attributes.String(b, "index_url")
	image.ExtraIndexes = project.Attributes.Strings(b, "extra_index_urls")
	image.FindLinks = project.Attributes.Strings(b, "find_links")
	image.Platforms = project.Attributes.Strings(b, "platforms")
	lock, hasLock := b.Attrs["lock"]
	if requirements, ok := b.Attrs["requirements"]; ok && hasLock {
		project.Diags.Add(diag.New("duplicate", lock.NameRange, "an image can't have both `requirements` and `lock`").
			WithRelated(requirements.NameRange, "the requirements are here"))
	}
	for name, urls := range map[string][]string{"index_url": {image.IndexURL}, "extra_index_urls": image.ExtraIndexes, "find_links": image.FindLinks} {
		for _, text := range urls {
			u, err := url.Parse(text)
			switch {
			case err != nil:
				project.Diags.Add(diag.New("invalid-value", b.Attr(name).Range(), "the address can't be parsed"))
			case u.User != nil:
				project.Diags.Add(diag.New("invalid-value", b.Attr(name).Range(), "the address contains a user name").
					WithDetail("Put the user name and the password into the netrc file."))
			}
		}
	}
	for _, platform := range image.Platforms {
		if os, arch, ok := strings.Cut(platform, "/"); !ok || os != "linux" || arch == "" {
			project.Diags.Add(diag.New("invalid-value", b.Attr("platforms").Range(), "%q is not a platform such as `linux/arm64`", platform))
		}
	}
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
