package drive

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"syscall"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// keep passes the values of an event to Config.Values. Other readers may have the same result, so it changes a copy.
func (r *Run) keep(e *record.Event) {
	if r.c.Values == nil || e.Result == nil {
		return
	}
	result, copied := e.Result, false
	for i := range result.Outputs {
		old := result.Outputs[i].Value
		if len(old) == 0 {
			continue
		}
		kept := r.c.Values.Keep(old)
		if &kept[0] == &old[0] {
			continue
		}
		if !copied {
			own := *result
			own.Outputs, copied = slices.Clone(own.Outputs), true
			result = &own
		}
		result.Outputs[i].Value = kept
	}
	e.Result = result
}

// writeEnd writes the record of a run's end like store.WriteJSON, but encodes one step after the other: the outputs of all
// steps may not fit in memory.
func (r *Run) writeEnd(ctx context.Context) error {
	in, out := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		out.CloseWithError(r.encodeEnd(out))
	}()
	err := r.c.Store.Put(ctx, r.c.Record.EndKey(), in, store.IfAbsent)
	in.CloseWithError(errors.New("the content is not needed"))
	<-done
	if errors.Is(err, syscall.ENOSPC) { // a store may copy a stream to a temporary file
		return store.WriteJSON(ctx, r.c.Store, r.c.Record.EndKey(), r.end, store.IfAbsent)
	}
	return err
}

// releaseAfter is how many bytes of steps are written until the memory of their values is given back.
const releaseAfter = 4 << 20

// encodeEnd writes what store.EncodeJSON returns.
func (r *Run) encodeEnd(w io.Writer) error {
	end := r.end
	head := *end
	head.Steps = []record.StepEnd{}
	data, err := store.EncodeJSON(&head)
	if err != nil {
		return err
	}
	const tail = "]}\n" // the steps are the last field
	start, ok := bytes.CutSuffix(data, []byte(tail))
	if !ok || end.Steps == nil {
		start, data = nil, nil
		if data, err = store.EncodeJSON(end); err == nil {
			_, err = w.Write(data)
		}
		return err
	}
	b := bufio.NewWriterSize(w, 64<<10)
	_, _ = b.Write(start)
	written := 0
	for i := range end.Steps {
		data, err := store.EncodeJSON(&end.Steps[i])
		if err != nil {
			return err
		}
		if i > 0 {
			_ = b.WriteByte(',')
		}
		_, _ = b.Write(bytes.TrimSuffix(data, []byte("\n")))
		if written += len(data); written > releaseAfter && r.c.Values != nil {
			written = 0
			r.c.Values.Release()
		}
	}
	_, _ = b.WriteString(tail)
	return b.Flush() // returns the first error of all writes
}
