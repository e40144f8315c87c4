package evaluate

import (
	"os"
	"path/filepath"

	"pipec.dev/pipec/schema/paths"
)

// Lookup returns the path of a file or a directory as the file system writes it: see paths.Lookup.
func Lookup(dir, path string) (string, error) {
	disk := paths.Disk{Lstat: os.Lstat, Open: func(dir string) (paths.Directory, error) { return os.Open(dir) }}
	return paths.Lookup(disk, filepath.ToSlash(dir), path)
}
