package local

import (
	"sync"

	"pipec.dev/pipec/schema/record"
)

// The bounds of what waits for the observer: steps that write more wait.
const (
	maxLines     = 1024
	maxLineBytes = 1 << 20
)

// observer tells who watches, by one goroutine, in order. Events never wait: a run must be stoppable while who watches
// hangs, and a run has only so many. Lines of steps do wait, so that memory is bounded.
type observer struct {
	tell func(record.Event)
	done chan struct{}

	mu     sync.Mutex
	some   sync.Cond // there is something in the queue, or the end
	room   sync.Cond // there is room for lines
	queue  []record.Event
	lines  int
	bytes  int
	mute   bool // lines are dropped: the stored log has them
	closed bool
}

// newObserver returns nil where nobody watches; a nil observer takes everything and does nothing.
func newObserver(tell func(record.Event)) *observer {
	if tell == nil {
		return nil
	}
	o := &observer{tell: tell, done: make(chan struct{})}
	o.some.L, o.room.L = &o.mu, &o.mu
	go o.run()
	return o
}

// event adds an event.
func (o *observer) event(e record.Event) {
	if o == nil {
		return
	}
	o.mu.Lock()
	o.queue = append(o.queue, e)
	o.mu.Unlock()
	o.some.Signal()
}

// line adds a line of a step, when there is room.
func (o *observer) line(e record.Event) {
	o.mu.Lock()
	for !o.mute && (o.lines >= maxLines || o.bytes >= maxLineBytes) {
		o.room.Wait()
	}
	if !o.mute {
		o.queue = append(o.queue, e)
		o.lines++
		o.bytes += len(e.Text)
	}
	o.mu.Unlock()
	o.some.Signal()
}

// drop lets lines pass by from now on.
func (o *observer) drop() {
	if o == nil {
		return
	}
	o.mu.Lock()
	o.mute = true
	o.mu.Unlock()
	o.room.Broadcast()
}

func (o *observer) run() {
	defer close(o.done)
	var batch []record.Event
	for {
		o.mu.Lock()
		for len(o.queue) == 0 && !o.closed {
			o.some.Wait()
		}
		if len(o.queue) == 0 {
			o.mu.Unlock()
			return
		}
		batch, o.queue = o.queue, batch[:0]
		o.lines, o.bytes = 0, 0
		o.mu.Unlock()
		o.room.Broadcast()
		for i := range batch {
			o.tell(batch[i])
			batch[i] = record.Event{}
		}
	}
}

// close waits until everything was told.
func (o *observer) close() {
	if o == nil {
		return
	}
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	o.some.Signal()
	<-o.done
}
