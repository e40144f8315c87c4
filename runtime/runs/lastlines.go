package runs

import (
	"bytes"
	"context"
	"io"
	"os"

	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/schema/record"
)

// piece is a part of a log: its file on this machine, or a segment in the store.
type piece struct {
	size int64
	open func() (io.ReadCloser, error)
}

// pieces returns the parts of a log, in order.
func (t *tail) pieces(ctx context.Context, id record.AttemptID) ([]piece, error) {
	if t.run.Namespace == Namespace {
		name := t.work.LogFile(id.Step, id.Attempt)
		if info, err := os.Stat(name); err == nil {
			return []piece{{info.Size(), func() (io.ReadCloser, error) { return os.Open(name) }}}, nil
		}
	}
	var out []piece
	for segment := 0; ; segment++ {
		key := step.LogKey(t.run.AttemptDir(id.Step, id.Attempt), segment)
		info, err := t.r.store.Stat(ctx, key)
		if isNotExist(err) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		out = append(out, piece{info.Size, func() (io.ReadCloser, error) { return t.r.store.Get(ctx, key) }})
	}
}

// lastLines returns the offset of the last n lines of a log. It reads the log from its end, as far as that is necessary.
func (t *tail) lastLines(ctx context.Context, id record.AttemptID, n int) (int64, error) {
	pieces, err := t.pieces(ctx, id)
	if err != nil {
		return 0, err
	}
	return lastOf(pieces, n)
}

// lastOf returns the offset of the last n lines of a log that consists of pieces.
func lastOf(pieces []piece, n int) (int64, error) {
	begin := int64(0)
	for _, p := range pieces {
		begin += p.size
	}
	if n == 0 {
		return begin, nil
	}
	last := true // the newline at the end of the log ends a line, and begins none
	for i := len(pieces) - 1; i >= 0; i-- {
		begin -= pieces[i].size
		at, missing, err := pieces[i].backward(n, last)
		if err != nil {
			return 0, err
		}
		if missing == 0 {
			return begin + at, nil
		}
		n, last = missing, last && pieces[i].size == 0
	}
	return 0, nil
}

// backwardBlock is how much of a file is read at once.
const backwardBlock = 64 << 10

// backward looks for the newline before the last n lines of the part. It returns the offset after it, or how many newlines are
// missing. last: the log ends with the part.
func (p *piece) backward(n int, last bool) (at int64, missing int, err error) {
	r, err := p.open()
	if err != nil {
		return 0, 0, err
	}
	defer r.Close()
	s, ok := r.(io.ReadSeeker)
	if !ok {
		data, err := io.ReadAll(io.LimitReader(r, p.size))
		if err != nil {
			return 0, 0, err
		}
		s = bytes.NewReader(data)
	}
	buf := make([]byte, min(backwardBlock, p.size))
	for end := p.size; end > 0; {
		begin := max(0, end-backwardBlock)
		if _, err := s.Seek(begin, io.SeekStart); err != nil {
			return 0, 0, err
		}
		block := buf[:end-begin]
		if _, err := io.ReadFull(s, block); err != nil {
			return 0, 0, err
		}
		if last && end == p.size {
			block = bytes.TrimSuffix(block, []byte("\n"))
		}
		for {
			i := bytes.LastIndexByte(block, '\n')
			if i < 0 {
				break
			}
			if n--; n == 0 {
				return begin + int64(i) + 1, 0, nil
			}
			block = block[:i]
		}
		end = begin
	}
	return 0, n, nil
}
