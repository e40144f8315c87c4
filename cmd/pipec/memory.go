package main

import (
	"os"
	"path/filepath"

	"pipec.dev/pipec/compiler/load"
)

// memoryLimit is from where on memory is collected more eagerly, in bytes. HCL's tokens and trees take some 75 bytes
// for each of the source; a limit below that would have the collector run without end.
func memoryLimit(source int64) int64 { return max(250<<20, 110*source) }

// sourceSize is how large a project's source files are in all.
func sourceSize(dir string) int64 {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0
	}
	total := int64(0)
	for _, e := range entries {
		if !load.IsSource(e.Name()) {
			continue
		}
		if info, err := os.Stat(filepath.Join(dir, e.Name())); err == nil && info.Mode().IsRegular() {
			total += info.Size()
		}
	}
	return total
}
