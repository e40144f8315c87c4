package agent

import (
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"fmt"
	"io"
	"os"
)

// Binary is a compiled pipec-agent.
type Binary struct {
	Path         string
	Architecture string // amd64 or arm64
	Digest       string // sha256:… of the file
}

// ReadBinary inspects a compiled pipec-agent. It must be static and for Linux, because its image contains nothing else.
func ReadBinary(path string) (*Binary, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	program, err := elf.NewFile(f)
	if err != nil {
		return nil, fmt.Errorf("%s is not a Linux program: build it with GOOS=linux", path)
	}
	b := &Binary{Path: path}
	switch program.Machine {
	case elf.EM_X86_64:
		b.Architecture = "amd64"
	case elf.EM_AARCH64:
		b.Architecture = "arm64"
	default:
		return nil, fmt.Errorf("%s is for %s, but pipec supports agents for amd64 and arm64 only", path, program.Machine)
	}
	for _, p := range program.Progs {
		if p.Type == elf.PT_INTERP {
			return nil, fmt.Errorf("%s is not static: build it with CGO_ENABLED=0", path)
		}
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return nil, err
	}
	b.Digest = "sha256:" + hex.EncodeToString(h.Sum(nil))
	return b, nil
}
