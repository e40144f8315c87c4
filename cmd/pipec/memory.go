package main

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"

	"pipec.dev/pipec/compiler/load"
)

// memory raises the limit of the process's memory with the size of the sources that it reads. It is safe for concurrent
// use.
type memory struct {
	mu    sync.Mutex
	sizes map[string]int64 // of the source files, by directory
}

// reading is called before a directory's sources are read.
func (m *memory) reading(dir string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sizes == nil {
		m.sizes = map[string]int64{}
	}
	m.sizes[dir] = sourceSize(dir)
	total := int64(0)
	for _, size := range m.sizes {
		total += size
	}
	debug.SetMemoryLimit(memoryLimit(total))
}

// memoryLimit is the size of the heap, in bytes, above which memory is collected more eagerly. HCL's tokens and trees take
// some 75 bytes for each byte of source; with a limit below that, the collector would run all the time.
func memoryLimit(source int64) int64 { return max(250<<20, 110*source) }

// sourceSize is the size of a project's source files.
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
