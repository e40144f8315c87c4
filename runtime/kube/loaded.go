package kube

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"

	"pipec.dev/pipec/runtime/drive"
	"pipec.dev/pipec/schema/program"
)

// Loaded is a bound program in the memory of a coordinator, which does not keep its encoding. It is not changed after Load.
type Loaded struct {
	program *program.Program // in place of each pod, it has the pod's number in pods
	pods    *packedPods
	digest  string
	size    int64 // of the encoding, in bytes
	open    func() (io.ReadCloser, error)
}

// Load reads the encoding of a bound program. open may be called again, for a run whose program is not in the store yet.
// The error is a *drive.Refusal if the program can't be read.
func Load(open func() (io.ReadCloser, error)) (*Loaded, error) {
	r, err := open()
	if err != nil {
		return nil, drive.Refuse(drive.RefusedProgram, "%s", err)
	}
	defer r.Close()
	l, hash, size := &Loaded{pods: newPackedPods(), open: open}, sha256.New(), &counter{}
	encoded := io.TeeReader(r, io.MultiWriter(hash, size))
	l.program, err = program.DecodeStream(encoded, l.pack)
	if err == nil {
		_, err = io.Copy(io.Discard, encoded)
	}
	if err != nil {
		return nil, drive.Refuse(drive.RefusedProgram, "%s", err)
	}
	l.digest, l.size = "sha256:"+hex.EncodeToString(hash.Sum(nil)), size.n
	return l, nil
}

// Target returns what the program is bound to; nil if it is bound to no cluster.
func (l *Loaded) Target() *program.Target { return l.program.Target }

// pack replaces the pods of a step.
func (l *Loaded) pack(s *program.Step) {
	s.Pod = l.pods.take(s.Pod)
	for i := range s.Variants {
		s.Variants[i].Pod = l.pods.take(s.Variants[i].Pod)
	}
}

// encoded reads the encoding again.
func (l *Loaded) encoded() ([]byte, error) {
	r, err := l.open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data := bytes.NewBuffer(make([]byte, 0, l.size+bytes.MinRead))
	_, err = data.ReadFrom(r)
	return data.Bytes(), err
}

// loaded returns the program of the options.
func (o *Options) loaded() (*Loaded, error) {
	if o.Loaded != nil {
		return o.Loaded, nil
	}
	return Load(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(o.Program)), nil })
}

// counter counts the bytes that are written to it.
type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}
