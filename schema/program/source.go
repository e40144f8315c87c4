package program

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Source is where a param that is an artifact is imported from: an object or a prefix of S3, or a path of the project.
type Source struct {
	Bucket, Key string
	Path        string // relative to the project, slash-separated, clean; "": it is in S3
	Folder      bool   // it was written with a slash at its end
}

const maxSource = 2048 // bytes of a source

var (
	bucketName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$`)
	schemeName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:`)
)

// ParseSource reads s3://BUCKET/KEY, or a path of the project.
func ParseSource(text string) (Source, error) {
	switch {
	case text == "":
		return Source{}, errors.New("it is empty: write s3://BUCKET/KEY, or a path of the project")
	case len(text) > maxSource:
		return Source{}, fmt.Errorf("it is longer than %d bytes", maxSource)
	case !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return Source{}, errors.New("it contains a character that no path can contain")
	}
	scheme, rest, remote := strings.Cut(text, "://")
	if !remote {
		if like := schemeName.FindString(text); like != "" {
			return Source{}, fmt.Errorf("%s looks like the start of an address: write s3://BUCKET/KEY, or ./%s for a path of the project", like, text)
		}
		s := Source{Path: path.Clean(filepath.ToSlash(text)), Folder: strings.HasSuffix(text, "/")}
		if !filepath.IsLocal(s.Path) || s.Path == "." {
			return Source{}, errors.New("it is outside of the project: a path is relative to the project's directory and stays below it")
		}
		return s, nil
	}
	switch {
	case scheme != "s3" && strings.EqualFold(scheme, "s3"):
		return Source{}, fmt.Errorf("%s:// is not supported: write s3:// in lower case", scheme)
	case scheme != "s3":
		return Source{}, fmt.Errorf("%s:// is not supported: a param is imported from s3://BUCKET/KEY, or from a path of the project", scheme)
	}
	s := Source{Folder: strings.HasSuffix(rest, "/")}
	s.Bucket, s.Key, _ = strings.Cut(rest, "/")
	s.Key = strings.TrimSuffix(s.Key, "/")
	switch {
	case !bucketName.MatchString(s.Bucket):
		return Source{}, fmt.Errorf("%q can't be the name of a bucket: 3 to 63 characters, lower case letters, digits, dots and hyphens, with a letter or a digit at both ends", s.Bucket)
	case s.Key == "":
		return Source{}, errors.New("it names a bucket without a key: write s3://BUCKET/KEY")
	case len(s.Key) > 1024 || strings.Contains(s.Key, `\`):
		return Source{}, errors.New("its key is longer than 1024 bytes, or contains a backslash")
	}
	for part := range strings.SplitSeq(s.Key, "/") {
		if part == "" || part == "." || part == ".." {
			return Source{}, fmt.Errorf("its key contains the part %q", part)
		}
	}
	return s, nil
}

// String writes the source as it is kept: a path is clean.
func (s Source) String() string {
	text := s.Path
	switch {
	case s.Path == "":
		text = "s3://" + s.Bucket + "/" + s.Key
	case schemeName.MatchString(text):
		text = "./" + text
	}
	if s.Folder {
		text += "/"
	}
	return text
}
