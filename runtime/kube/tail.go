package kube

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"pipec.dev/pipec/runtime/kubeclient"
	"pipec.dev/pipec/runtime/lines"
	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

// maxTail limits the end of a log that is saved, in bytes.
const maxTail = 1 << 20

// tailTimeout limits how long the end of a log is read. If the node doesn't answer, the attempt ends without it.
const tailTimeout = time.Minute

// tailNote precedes the saved end of a log.
const tailNote = "pipec: the following lines are from the pod's own log: the step was killed before its log could be stored\n"

// tails saves the ends of logs of wrappers that were killed. It is safe for concurrent use.
type tails struct {
	store  store.Store
	client *kubeclient.Client
}

// save appends the rest of a log, which only the node has, to the part that the wrapper has stored. It returns the complete log.
// The wrapper also writes all bytes that it stores to its output, with marks of package lines, which are removed here, so the
// bytes of the node beyond that length are new. If the node has fewer bytes, it has dropped the beginning, and all its bytes
// are appended. A second call, by this coordinator or its successor, finds the part that the first one has saved.
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
	reading, cancel := context.WithTimeout(ctx, tailTimeout)
	defer cancel()
	r, err := s.client.PodLog(reading, pod, kube.ContainerMain, kubeclient.LogOptions{LimitBytes: kubeclient.MaxLog})
	if err != nil {
		return log
	}
	defer r.Close()
	rest := &tail{skip: log.Bytes}
	unmarked := lines.Unmarker{W: rest}
	if _, err := io.Copy(&unmarked, r); err != nil && ctx.Err() != nil {
		return log
	}
	_ = unmarked.Flush()
	data := rest.bytes()
	for len(data) > maxTail-utf8.UTFMax && !utf8.RuneStart(data[0]) { // cut between characters
		data = data[1:]
	}
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

// tail keeps the last bytes that are written to it. It skips the first ones, unless nothing follows them.
type tail struct {
	skip int64
	all  int64
	buf  []byte
	// short is the end of the skipped bytes. It is used if nothing follows them.
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

// last cuts a buffer to its end when it has grown to twice the limit.
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
