package spill

import (
	"os"

	"golang.org/x/sys/unix"
)

// keep writes a value to the file. Pages that were not written are never read, so that a full disk is an error here and not a
// signal when a value is read.
func (f *File) keep(value []byte) ([]byte, error) {
	if len(f.mapped) == 0 || f.used+len(value) > extent {
		if err := f.grow(); err != nil {
			return nil, err
		}
	}
	last := f.mapped[len(f.mapped)-1]
	at := int64(len(f.mapped)-1)*extent + int64(f.used)
	if _, err := f.file.WriteAt(value, at); err != nil {
		return nil, err
	}
	kept := last[f.used : f.used+len(value) : f.used+len(value)]
	f.used += len(value)
	if f.fresh += len(value); f.fresh > residentMax {
		f.Release()
	}
	return kept, nil
}

// Release gives the memory of kept values back to the system. The values are read again from the file when they are used.
func (f *File) Release() {
	f.fresh = 0
	for _, m := range f.mapped {
		_ = unix.Madvise(m, unix.MADV_DONTNEED)
	}
}

// grow maps another extent.
func (f *File) grow() error {
	if f.file == nil {
		file, err := os.CreateTemp(f.dir, "pipec-values-*")
		if err != nil {
			return err
		}
		if err := os.Remove(file.Name()); err != nil {
			_ = file.Close()
			return err
		}
		f.file = file
	}
	end := int64(len(f.mapped)+1) * extent
	if err := f.file.Truncate(end); err != nil {
		return err
	}
	m, err := unix.Mmap(int(f.file.Fd()), end-extent, extent, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	f.mapped, f.used = append(f.mapped, m), 0
	return nil
}
