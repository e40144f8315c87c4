package local

import (
	"sync"
	"time"

	"pipec.dev/pipec/schema/record"
)

// The bounds of what waits for the observer: steps that write more wait.
const (
	maxLines     = 1024
	maxLineBytes = 1 << 20
)

// observeDelay is how long what is new may wait for what follows, so that who watches is not woken for each event of
// steps that take no time.
const observeDelay = 20 * time.Millisecond

// observer tells who watches, by one goroutine, in order. Events never wait: a run must be stoppable while who watches
// hangs, and a run has only so many. Lines of steps do wait, so that memory is bounded.
type observer struct {
	tell func(record.Event)
	done chan struct{}

	mu     sync.Mutex
	some   sync.Cond // it is time to look into the queue
	room   sync.Cond // there is room for lines
	queue  []record.Event
	lines  int
	bytes  int
	early  []record.Event // those before RunStarted, which is told first
	begun  bool           // RunStarted is told
	mute   bool           // lines are dropped: the stored log has them
	due    bool           // the queue is to be looked into
	armed  bool           // it will be due
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
	defer o.mu.Unlock()
	switch {
	case o.begun:
		o.queue = append(o.queue, e)
	case e.Type == record.RunStarted:
		o.begin(e)
	default: // what a rerun keeps is known before it starts
		o.early = append(o.early, e)
		return
	}
	o.arm()
}

// begin tells of the start, and of what came before it. The lock is held.
func (o *observer) begin(start ...record.Event) {
	o.queue = append(append(o.queue, start...), o.early...)
	o.begun, o.early = true, nil
}

// arm makes the queue due soon. The lock is held.
func (o *observer) arm() {
	if o.armed || o.due {
		return
	}
	o.armed = true
	time.AfterFunc(observeDelay, func() {
		o.mu.Lock()
		o.armed = false
		o.wake()
		o.mu.Unlock()
	})
}

// wake makes the queue due now. The lock is held.
func (o *observer) wake() {
	o.due = true
	o.some.Signal()
}

// line adds a line of a step, when there is room.
func (o *observer) line(e record.Event) {
	o.mu.Lock()
	for !o.mute && (o.lines >= maxLines || o.bytes >= maxLineBytes) {
		o.wake()
		o.room.Wait()
	}
	if !o.mute {
		o.queue = append(o.queue, e)
		o.lines++
		o.bytes += len(e.Text)
		o.arm()
	}
	o.mu.Unlock()
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
		for !o.due && !o.closed {
			o.some.Wait()
		}
		o.due = false
		if len(o.queue) == 0 && o.closed {
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
	o.begin()
	o.closed = true
	o.mu.Unlock()
	o.some.Signal()
	<-o.done
}
