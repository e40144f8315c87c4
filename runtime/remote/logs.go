package remote

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"pipec.dev/pipec/runtime/lines"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

// lateAfter is the age of a container whose pod may no longer have the start of its log.
const lateAfter = 10 * time.Second

// logs shows the logs of a run's attempts. The attempts of a step are shown one after the other, and an attempt's lines
// come after the step's start and before the attempt's end. Owned by the loop goroutine.
type logs struct {
	loop    *loop
	cluster *Client
	run     *record.Run // its names only
	options *FollowOptions
	began   time.Time

	lines chan line // from the goroutines that read logs
	steps map[string]*stepLogs
	open  int // attempts that are not shown completely

	shown  func(step string) // is called when an attempt of the step is shown completely
	failed func(id record.AttemptID, err error, unread bool)
}

// line is a line of the log of an attempt.
type line struct {
	id   record.AttemptID
	text string
	part record.Part
	at   time.Time
}

// stepLogs are the logs of the attempts of a step.
type stepLogs struct {
	started bool                // the observer has received the step's start
	open    map[int]*attemptLog // attempts that are not shown completely
	shown   map[int]bool        // attempts that are shown completely
}

func newLogs(l *loop, c *Client, run *record.Run, o *FollowOptions) *logs {
	return &logs{loop: l, cluster: c, run: run, options: o, began: time.Now(), lines: make(chan line, 64), steps: map[string]*stepLogs{}}
}

func (l *logs) step(name string) *stepLogs {
	s := l.steps[name]
	if s == nil {
		s = &stepLogs{open: map[int]*attemptLog{}, shown: map[int]bool{}}
		l.steps[name] = s
	}
	return s
}

// selectsStep reports whether the observer receives lines of a step.
func (l *logs) selectsStep(name string) bool {
	return l.options.Lines && l.options.Select.Wants(name)
}

func (l *logs) selects(id record.AttemptID) bool {
	return l.selectsStep(id.Step) && (l.options.Select.Attempt == 0 || l.options.Select.Attempt == id.Attempt)
}

// podChanged begins to show the log of an attempt when its container has started.
func (l *logs) podChanged(id record.AttemptID, p *corev1.Pod) {
	start := startTime(p, kube.ContainerMain)
	if start.IsZero() || !l.selects(id) {
		return
	}
	s := l.step(id.Step)
	if s.shown[id.Attempt] {
		return
	}
	a := s.open[id.Attempt]
	if a == nil {
		a = l.begin(id, p.Name, time.Since(start) > lateAfter, start.Before(l.began))
	}
	if terminated(p, kube.ContainerMain) {
		a.terminated.Store(true)
	}
}

// podGone notes that an attempt whose pod was deleted doesn't run any more.
func (l *logs) podGone(id record.AttemptID, pod string) {
	if s := l.steps[id.Step]; s != nil {
		if a := s.open[id.Attempt]; a != nil && a.pod == pod {
			a.terminated.Store(true)
		}
	}
}

// begin starts to read the log of an attempt. Its lines are shown after those of earlier attempts. late: the attempt may
// have written lines for a while. earlier: it began before it was followed. Lines that are stored have no exact times while the
// attempt runs, so that all lines of the pod are streamed if times are needed.
func (l *logs) begin(id record.AttemptID, pod string, late, earlier bool) *attemptLog {
	o := &l.options.Select
	a := newAttemptLog(l.cluster, l.options.Reader.Store(), l.run.AttemptDir(id.Step, id.Attempt), pod, late && !o.Times && o.Since.IsZero() && !o.Tailed)
	if n := int64(o.Tail); o.Tailed && earlier {
		a.tail = &n
	}
	a.emit = func(n lines.Line) error {
		select {
		case l.lines <- line{id, string(n.Text), n.Part, n.At}:
			return nil
		case <-l.loop.ctx.Done():
			return l.loop.ctx.Err()
		}
	}
	a.failed = func(err error, unread bool) { l.loop.call(func() { l.failed(id, err, unread) }) }
	s := l.step(id.Step)
	s.open[id.Attempt] = a
	l.open++
	s.advance()
	l.loop.spawn(func() {
		a.run(l.loop.ctx)
		l.loop.call(func() { l.finished(id) })
	})
	return a
}

// finished notes that an attempt is shown completely.
func (l *logs) finished(id record.AttemptID) {
	// Lines and calls come through different channels, and all lines of the attempt are sent before.
	for range len(l.lines) {
		l.emit(<-l.lines)
	}
	s := l.step(id.Step)
	delete(s.open, id.Attempt)
	l.open--
	s.shown[id.Attempt] = true
	s.advance()
	l.shown(id.Step)
}

func (l *logs) emit(n line) {
	at := n.at
	if at.IsZero() && !l.options.Select.Times && l.options.Select.Since.IsZero() {
		at = time.Now().UTC()
	}
	if !at.IsZero() && at.Before(l.options.Select.Since) {
		return
	}
	l.options.Observe(record.Event{
		Version: record.Version, Type: record.StepLog, Run: l.run.Name, Step: n.id.Step, Attempt: n.id.Attempt, Text: n.text, Part: n.part, At: at,
	})
}
