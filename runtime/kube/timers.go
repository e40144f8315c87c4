package kube

import "time"

// timerName is the purpose of a timer of an attempt.
type timerName int

const (
	pendingTimer timerName = iota // the main container has not started in time
	overdueTimer                  // a pod that somebody has deleted has not ended in time
	lostTimer                     // the node was unreachable for as long as the stack allows
	graceTimer                    // a pod that this coordinator has deleted has not ended in time
	whyTimer                      // the pod has had the time to say why it was ended
)

// timers are those of one attempt. They are owned by the loop: a timer that fires leaves its function in the loop's inbox,
// and a function is dropped there if its timer was stopped or started again meanwhile.
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

// start has f called in the loop after a while. It replaces the timer of the same name.
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
