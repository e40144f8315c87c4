package web

import (
	"slices"
	"sync"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/interrupt"
)

// driven are the runs that the page has started and that this process follows. It is safe for concurrent use.
type driven struct {
	mu   sync.Mutex
	of   map[chan interrupt.Interrupt]string // the run's name, or "" if it is not known yet
	over bool
	all  sync.WaitGroup
}

// begin adds a run. Interrupts reach it by the channel.
func (d *driven) begin() (chan interrupt.Interrupt, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over {
		return nil, fault.Userf("`pipec ui` is ending")
	}
	in := make(chan interrupt.Interrupt, 2)
	if d.of == nil {
		d.of = map[chan interrupt.Interrupt]string{}
	}
	d.of[in] = ""
	d.all.Add(1)
	return in, nil
}

func (d *driven) named(in chan interrupt.Interrupt, name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.of[in]; ok {
		d.of[in] = name
	}
}

// ended removes a run.
func (d *driven) ended(in chan interrupt.Interrupt) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.of[in]; ok {
		delete(d.of, in)
		d.all.Done()
	}
}

// names returns the names of the runs.
func (d *driven) names() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []string
	for _, name := range d.of {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// end interrupts all runs: those that this process drives are cancelled, and others continue without it. It passes on further
// interrupts until all have ended.
func (d *driven) end(interrupts <-chan interrupt.Interrupt) {
	d.mu.Lock()
	d.over = true
	d.mu.Unlock()
	d.interrupt(interrupt.Leave)
	ended := make(chan struct{})
	go func() { d.all.Wait(); close(ended) }()
	for {
		select {
		case i := <-interrupts:
			d.interrupt(i)
		case <-ended:
			return
		}
	}
}

func (d *driven) interrupt(i interrupt.Interrupt) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for in := range d.of {
		select {
		case in <- i:
		default: // it has enough of them
		}
	}
}
