// Release writes the archives of a release: pipec for a platform, the image of pipec-agent for all architectures, the
// license and the readme. The same files give the same bytes, whatever their times and owners are. It is for this repository's
// own Makefile, and compiles nothing.
package main

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pipec.dev/pipec/runtime/image/agent"
)

func main() {
	var r release
	flag.StringVar(&r.out, "out", "", "the `DIR` to write to")
	flag.StringVar(&r.version, "version", "", "the `VERSION` of the release")
	flag.StringVar(&r.image, "image", "", "the `DIR` with the image of pipec-agent")
	flag.Parse()
	if err := r.write(flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// checksums is the name of the file with the digests of the archives, in the format of sha256sum.
const checksums = "SHA256SUMS"

// extras are the files of the repository that each archive contains.
var extras = []string{"LICENSE", "README.md"}

type release struct{ out, version, image string }

// write writes an archive for each PLATFORM=PATH, such as linux-amd64=bin/release/linux-amd64/pipec, and the checksums.
func (r *release) write(platforms []string) error {
	if r.out == "" || r.version == "" || r.image == "" || len(platforms) == 0 {
		return fmt.Errorf("usage: release -out DIR -version VERSION -image DIR PLATFORM=PATH")
	}
	if strings.ContainsAny(r.version, `/\ `) {
		return fmt.Errorf("%q can't be the version of a release: it becomes a part of file names", r.version)
	}
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return err
	}
	var sums strings.Builder
	slices.Sort(platforms)
	for _, p := range platforms {
		platform, binary, ok := strings.Cut(p, "=")
		if !ok {
			return fmt.Errorf("expected PLATFORM=PATH, found %q", p)
		}
		name := "pipec-" + r.version + "-" + platform
		sum, err := r.archive(name, binary)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fmt.Fprintf(&sums, "%x  %s.tar.gz\n", sum, name)
	}
	if err := os.WriteFile(filepath.Join(r.out, checksums), []byte(sums.String()), 0o644); err != nil {
		return err
	}
	_, err := fmt.Print(sums.String())
	return err
}

// archive writes NAME.tar.gz, whose one directory NAME has the layout of an installation. It returns the SHA-256 of the archive.
func (r *release) archive(name, binary string) ([]byte, error) {
	var a archive
	a.add(name+"/bin/pipec", binary, 0o755)
	for _, extra := range extras {
		a.add(name+"/"+extra, extra, 0o644)
	}
	if err := a.addTree(name+"/libexec/pipec/"+agent.LayoutDir, r.image); err != nil {
		return nil, err
	}
	path := filepath.Join(r.out, name+".tar.gz")
	f, err := os.CreateTemp(r.out, ".release-")
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name())
	sum := sha256.New()
	err = a.write(io.MultiWriter(f, sum))
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Chmod(f.Name(), 0o644)
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	return sum.Sum(nil), err
}
