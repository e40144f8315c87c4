package pod

import (
	"math"
	"time"

	"pipec.dev/pipec/schema/program"
)

// pendingDefault is how long the images of a pod may take if the step has no pending_timeout.
const pendingDefault = 30 * time.Minute

// deadline returns how long a pod may run at most: it ends a pod whose coordinator is gone. It is longer than the step's own
// timeout and the timeouts of the pipelines that it belongs to, by all that may take time before and after the
// process. A step without any timeout has no deadline: it may train for weeks.
func (b *binder) deadline(s *program.Step) *int64 {
	limit := shorter(b.limit, s.Timeout.D())
	if limit <= 0 {
		return nil
	}
	pending := s.PendingTimeout.D()
	if pending == 0 {
		pending = pendingDefault
	}
	// The store is waited for before the process, for its inputs, and after it.
	return seconds(limit + s.Grace.D() + 2*b.common.target.StoreGrace.D() + pending + wrapperGrace)
}

// seconds returns a time in seconds, rounded up. Kubernetes limits it to an int32.
func seconds(d time.Duration) *int64 {
	n := int64(math.MaxInt32)
	if d >= 0 && d < math.MaxInt32*time.Second {
		n = int64((d + time.Second - 1) / time.Second)
	}
	return &n
}

// shorter returns the shorter one of two limits. 0 means none.
func shorter(a, b time.Duration) time.Duration {
	if a <= 0 || b > 0 && b < a {
		return max(b, 0)
	}
	return a
}

// limits are how long the steps of pipelines may run at most, from the timeouts of the pipelines: when a pipeline has timed out,
// its steps are stopped, and those of the pipelines that they call. Steps of `finally` run after that.
type limits struct {
	source *program.Program
	called map[string]time.Duration // of the steps of called pipelines; 0: none
}

func newLimits(p *program.Program) *limits {
	l := &limits{source: p, called: map[string]time.Duration{}}
	l.calls(p.Steps, p.Timeout.D())
	l.calls(p.Finally, 0)
	return l
}

// calls takes in the calls of steps with this limit. A pipeline that is called twice has the longer limit.
func (l *limits) calls(steps []program.Step, limit time.Duration) {
	for i := range steps {
		if steps[i].Call == nil {
			continue
		}
		c := l.source.CalledNamed(steps[i].Call.Pipeline)
		if c == nil {
			continue
		}
		own := shorter(shorter(limit, c.Timeout.D()), steps[i].Timeout.D())
		old, known := l.called[c.Name]
		if known && (old == 0 || own > 0 && own <= old) {
			continue
		}
		l.called[c.Name] = own
		l.calls(c.Steps, own)
		if !known {
			l.calls(c.Finally, 0)
		}
	}
}
