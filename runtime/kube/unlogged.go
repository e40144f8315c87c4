package kube

import "context"

// unlogged counts the ends of attempts that a successor can learn only from the run's log, because no committed result
// contains them. No pod is created before the log contains them: a successor would otherwise create the pod of such an
// attempt again, beside the pods of the attempts that follow it. It is owned by the loop.
type unlogged struct {
	d       *driver
	ends    int // of the run so far
	logged  int // how many of them are in the log
	waiting []logWaiter
}

// logWaiter is a function that waits until so many ends are in the log.
type logWaiter struct {
	ends int
	then func()
}

// add adds an end, before the run takes its event.
func (u *unlogged) add() { u.ends++ }

// after calls then when all ends so far are in the log: now, or later in the loop.
func (u *unlogged) after(then func()) {
	if u.logged == u.ends {
		then()
		return
	}
	u.waiting = append(u.waiting, logWaiter{u.ends, then})
	if len(u.waiting) == 1 {
		u.d.after(0, u.write) // not now: the run may not have taken the event yet
	}
}

// write writes the log. Nothing follows if another coordinator drives the run.
func (u *unlogged) write() {
	ends := u.ends
	u.d.async(func(ctx context.Context) func() {
		if !u.d.logged(ctx) {
			return nil
		}
		return func() { u.written(ends) }
	})
}

func (u *unlogged) written(ends int) {
	u.logged = ends
	ready := u.waiting
	u.waiting = nil
	for i := range ready {
		if ready[i].ends > ends {
			u.waiting = append(u.waiting, ready[i])
		}
	}
	if len(u.waiting) > 0 {
		u.write()
	}
	for i := range ready {
		if ready[i].ends <= ends {
			ready[i].then()
		}
	}
}
