package drive

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"slices"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// keep passes the values of an event to Config.Keep. Other readers may have the same result, so it changes a copy.
func (r *Run) keep(e *record.Event) {
	if r.c.Keep == nil || e.Result == nil {
		return
	}
	result, copied := e.Result, false
	for i := range result.Outputs {
		old := result.Outputs[i].Value
		if len(old) == 0 {
			continue
		}
		kept := r.c.Keep(old)
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
func writeEnd(ctx context.Context, s store.Store, key string, end *record.End) error {
	in, out := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		out.CloseWithError(encodeEnd(out, end))
	}()
	err := s.Put(ctx, key, in, store.IfAbsent)
	in.CloseWithError(errors.New("the content is not needed"))
	<-done
	return err
}

// encodeEnd writes what store.EncodeJSON returns.
func encodeEnd(w io.Writer, end *record.End) error {
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
	for i := range end.Steps {
		data, err := store.EncodeJSON(&end.Steps[i])
		if err != nil {
			return err
		}
		if i > 0 {
			_ = b.WriteByte(',')
		}
		_, _ = b.Write(bytes.TrimSuffix(data, []byte("\n")))
	}
	_, _ = b.WriteString(tail)
	return b.Flush() // returns the first error of all writes
}
