package kube

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"

	"pipec.dev/pipec/runtime/kubeclient"
	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

// maxTail is how much of a log's end is saved.
const maxTail = 1 << 20

// tailNote precedes a log that was saved this way.
const tailNote = "pipec: the following lines are from the pod's own log: the step was killed before its log could be stored\n"

// tails saves the ends of logs whose wrappers were killed. It is safe for concurrent use.
type tails struct {
	store  store.Store
	client *kubeclient.Client
}

// save appends to the log that a wrapper has stored what the node still has of it, and returns where all of it is. The
// wrapper writes everything that it stores to its output too, byte for byte, so what the node has beyond that is new. A
// node that has less has dropped the beginning, and all that it has is appended. A second call, by this coordinator or the
// next, finds what the first one has saved.
func (s *tails) save(ctx context.Context, pod string, task *step.Spec) record.Log {
	var log record.Log
	for {
		info, err := s.store.Stat(ctx, step.LogKey(task.AttemptDir, log.Segments))
		if errors.Is(err, store.ErrNotExist) {
			break
		}
		if err != nil {
			return log
		}
		log.Segments++
		log.Bytes += info.Size
	}
	if saved, err := s.saved(ctx, task, log.Segments-1); saved || err != nil {
		return log
	}
	r, err := s.client.PodLog(ctx, pod, kube.ContainerMain, kubeclient.LogOptions{LimitBytes: kubeclient.MaxLog})
	if err != nil {
		return log
	}
	defer r.Close()
	rest := &tail{skip: log.Bytes}
	if _, err := io.Copy(rest, r); err != nil && ctx.Err() != nil {
		return log
	}
	data := rest.bytes()
	if len(data) == 0 {
		return log
	}
	if data[len(data)-1] != '\n' {
		data = append(data, '\n')
	}
	n := int64(len(tailNote) + len(data))
	content := io.MultiReader(strings.NewReader(tailNote), bytes.NewReader(data))
	if err := s.store.Put(ctx, step.LogKey(task.AttemptDir, log.Segments), content, store.IfAbsent); err != nil {
		return log
	}
	log.Segments++
	log.Bytes += n
	return log
}

// saved reports whether a segment of a log was saved by save.
func (s *tails) saved(ctx context.Context, task *step.Spec, segment int) (bool, error) {
	if segment < 0 {
		return false, nil
	}
	r, err := s.store.Get(ctx, step.LogKey(task.AttemptDir, segment))
	if err != nil {
		return false, err
	}
	defer r.Close()
	start := make([]byte, len(tailNote))
	_, err = io.ReadFull(r, start)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return false, nil
	}
	return string(start) == tailNote, err
}

// tail keeps the end of what is written to it, without its first bytes.
type tail struct {
	skip int64
	all  int64
	buf  []byte
	// first is the beginning, in case that there is nothing behind it.
	short []byte
}

func (t *tail) Write(p []byte) (int, error) {
	n := len(p)
	if t.all < t.skip {
		part := p[:min(int64(n), t.skip-t.all)]
		t.short = last(append(t.short, part...))
		t.all += int64(len(part))
		p = p[len(part):]
	}
	if len(p) > 0 {
		t.short = nil
	}
	t.all += int64(len(p))
	t.buf = last(append(t.buf, p...))
	return n, nil
}

// last cuts a buffer that has grown to twice the limit.
func last(b []byte) []byte {
	if len(b) > 2*maxTail {
		return append(b[:0], b[len(b)-maxTail:]...)
	}
	return b
}

func (t *tail) bytes() []byte {
	b := t.buf
	if t.all < t.skip {
		b = t.short
	}
	return b[max(0, len(b)-maxTail):]
}
