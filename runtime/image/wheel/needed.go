package wheel

import (
	"debug/elf"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
)

// Libraries are the shared libraries of a wheel.
type Libraries struct {
	Has   []string `json:"has,omitempty"`   // file names, sorted
	Needs []string `json:"needs,omitempty"` // DT_NEEDED of all its ELF files, sorted
}

// Libraries reads which shared libraries the wheel has and needs. It unpacks one library at a time to a temporary file, because their
// tables are at their ends.
func (w *Wheel) Libraries() (Libraries, error) {
	has, needs := map[string]bool{}, map[string]bool{}
	for _, f := range w.Files {
		if !isLibrary(path.Base(f.Path)) {
			continue
		}
		has[path.Base(f.Path)] = true
		found, err := f.needed()
		if err != nil {
			return Libraries{}, err
		}
		for _, name := range found {
			needs[path.Base(name)] = true
		}
	}
	return Libraries{Has: slices.Sorted(maps.Keys(has)), Needs: slices.Sorted(maps.Keys(needs))}, nil
}

// isLibrary reports whether a name is that of a shared library: core.so, libz.so.1.
func isLibrary(name string) bool {
	at := strings.Index(name, ".so")
	return at > 0 && (at+3 == len(name) || name[at+3] == '.')
}

// needed returns DT_NEEDED of an ELF file. Other files need nothing.
func (f *File) needed() ([]string, error) {
	temp, err := os.CreateTemp("", "pipec-*.so")
	if err != nil {
		return nil, err
	}
	defer os.Remove(temp.Name())
	defer temp.Close()
	if err := f.Copy(temp); err != nil {
		return nil, err
	}
	if _, err := temp.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	file, err := elf.NewFile(temp)
	if err != nil {
		return nil, nil // a linker script, or not a library after all
	}
	defer file.Close()
	needed, err := file.ImportedLibraries()
	if err != nil {
		return nil, nil
	}
	return needed, nil
}
