package local

import (
	"sync"
	"time"

	"pipec.dev/pipec/schema/record"
)

// The limits of the lines that wait to be reported: steps that write more wait.
const (
	maxLines     = 1024
	maxLineBytes = 1 << 20
)

// observeDelay is how long an event may wait for others, so that very short steps do not wake the observer for each event.
const observeDelay = 20 * time.Millisecond

// observer calls Options.Observe from one goroutine, in order. Adding an event never blocks: a run must be stoppable while
// Observe hangs, and the number of events is limited. Adding a line of a step blocks, so that memory is bounded. It is safe
// for concurrent use.
type observer struct {
	tell func(record.Event)
	done chan struct{}

	mu     sync.Mutex
	some   sync.Cond // signaled when the queue is due
	room   sync.Cond // signaled when there is room for lines
	queue  []record.Event
	lines  int
	bytes  int
	early  []record.Event // the events before RunStarted, which is reported first
	begun  bool           // RunStarted is in the queue, or was reported
	mute   bool           // lines are dropped: the stored log has them
	due    bool           // the queue is to be reported now
	armed  bool           // the queue will be due soon
	closed bool
}

// newObserver returns nil if the run is not observed; a nil observer ignores everything. Nothing is reported before start.
func newObserver(tell func(record.Event)) *observer {
	if tell == nil {
		return nil
	}
	o := &observer{tell: tell, done: make(chan struct{})}
	o.some.L, o.room.L = &o.mu, &o.mu
	return o
}

// start starts to report. The caller must close the observer.
func (o *observer) start() {
	if o != nil {
		go o.run()
	}
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
	default: // the results that a rerun keeps precede its start
		o.early = append(o.early, e)
		return
	}
	o.arm()
}

// begin adds the start, and then the events before it. The caller must hold mu.
func (o *observer) begin(start ...record.Event) {
	o.queue = append(append(o.queue, start...), o.early...)
	o.begun, o.early = true, nil
}

// arm makes the queue due soon. The caller must hold mu.
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

// wake makes the queue due now. The caller must hold mu.
func (o *observer) wake() {
	o.due = true
	o.some.Signal()
}

// line adds a line of a step. It blocks until there is room.
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

// drop makes the observer ignore further lines.
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

// close waits until everything was reported.
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
