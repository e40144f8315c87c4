package kube

import "time"

// timerName is the purpose of a timer of an attempt.
type timerName int

const (
	pendingTimer timerName = iota // the main container has not started in time
	overdueTimer                  // a pod that was deleted from outside has not ended in time
	lostTimer                     // the node was unreachable for longer than the stack allows
	graceTimer                    // a pod that this coordinator has deleted has not ended in time
	whyTimer                      // the status of the pod has not reported in time why the pod was ended
)

// timers are the timers of one attempt. They are owned by the loop. A timer that fires posts its function to the loop, which
// drops the function if the timer was stopped or started again in the meantime.
type timers struct {
	post    func(func())
	running map[timerName]*timer
}

type timer struct {
	clock *time.Timer
	f     func()
}

func newTimers(post func(func())) *timers {
	return &timers{post: post, running: map[timerName]*timer{}}
}

// start makes the loop call f after a time. It replaces the timer of the same name.
func (t *timers) start(name timerName, wait time.Duration, f func()) {
	t.stop(name)
	own := &timer{f: f}
	t.running[name] = own
	own.clock = time.AfterFunc(max(wait, 0), func() { t.fire(name, own) })
}

func (t *timers) fire(name timerName, own *timer) {
	t.post(func() {
		if t.running[name] == own {
			own.f()
		}
	})
}

// has reports whether a timer was started and not stopped; it may have fired.
func (t *timers) has(name timerName) bool { return t.running[name] != nil }

func (t *timers) stop(name timerName) {
	if own := t.running[name]; own != nil {
		own.clock.Stop()
		delete(t.running, name)
	}
}

func (t *timers) stopAll() {
	for name := range t.running {
		t.stop(name)
	}
}
