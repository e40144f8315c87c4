package layers

import (
	"encoding/binary"
	"hash"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/flate"

	"pipec.dev/pipec/runtime/image/wheel"
)

// level is the compression of what wheels don't bring compressed. The compressor and its level determine the digests of layers:
// changing either changes the digests of all images.
const level = 6

// stream writes a gzip file of several members.
type stream struct {
	out   io.Writer
	plain hash.Hash // of the content

	z    *flate.Writer
	open bool // a member is being written by z
	crc  hash.Hash32
	size uint32 // of the member's content
}

func newStream(out io.Writer, plain hash.Hash) (*stream, error) {
	z, err := flate.NewWriter(out, level)
	return &stream{out: out, plain: plain, z: z, crc: crc32.NewIEEE()}, err
}

// memberHeader begins a member: no name, no time, an unknown system.
func memberHeader() []byte { return []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255} }

// Write compresses content.
func (s *stream) Write(p []byte) (int, error) {
	if !s.open {
		if _, err := s.out.Write(memberHeader()); err != nil {
			return 0, err
		}
		s.z.Reset(s.out)
		s.crc.Reset()
		s.open, s.size = true, 0
	}
	_, _ = s.plain.Write(p)
	_, _ = s.crc.Write(p)
	s.size += uint32(len(p))
	return s.z.Write(p)
}

// Close ends the current member. The stream may be written to again.
func (s *stream) Close() error {
	if !s.open {
		return nil
	}
	s.open = false
	if err := s.z.Close(); err != nil {
		return err
	}
	return s.trailer(s.crc.Sum32(), s.size)
}

func (s *stream) trailer(crc, size uint32) error {
	_, err := s.out.Write(binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, crc), size))
	return err
}

// copied writes a file of a wheel as a member, without compressing it again.
func (s *stream) copied(f *wheel.File) error {
	if err := s.Close(); err != nil {
		return err
	}
	if _, err := s.out.Write(memberHeader()); err != nil {
		return err
	}
	crc, err := f.CopyDeflated(s.out, s.plain)
	if err != nil {
		return err
	}
	return s.trailer(crc, uint32(f.Size))
}
