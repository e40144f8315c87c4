package remote

import (
	"fmt"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/schema/record"
)

// conclusion finds out how a run ends whose Job has ended or is gone: it reads the end from the records, and otherwise the
// run is lost. Owned by the loop goroutine.
type conclusion struct {
	loop      *loop
	reader    *runs.Reader
	run       *record.Run // its names only
	uid       string      // of the run's Job
	timeline  *timeline
	logs      *logs
	lastLines *lastLines

	job     *batchv1.Job // nil: it is not known yet, or gone
	started bool         // the end is being looked for
	lost    error
}

// jobChanged handles the state of the run's Job.
func (c *conclusion) jobChanged(j *batchv1.Job) {
	if string(j.UID) != c.uid {
		return // another Job has the same name by now
	}
	c.job = j
	if verdict, ok := jobEnd(j); ok {
		c.start(verdict)
	}
}

func (c *conclusion) jobGone(uid string) {
	if uid == c.uid {
		c.job = nil
		c.start("its Job is gone")
	}
}

// jobEnd returns how a Job has ended. ok is false if it has not ended.
func jobEnd(j *batchv1.Job) (verdict string, ok bool) {
	for _, c := range j.Status.Conditions {
		if c.Status != corev1.ConditionTrue {
			continue
		}
		switch c.Type {
		case batchv1.JobComplete:
			return "its Job is complete", true
		case batchv1.JobFailed:
			verdict = "its Job has failed: " + c.Reason
			if c.Message != "" {
				verdict += ": " + oneLine(c.Message)
			}
			return verdict, true
		}
	}
	return "", false
}

// start looks for the run's end in the records. Usually the coordinator's log contains the end, and comes first.
func (c *conclusion) start(verdict string) {
	if c.started || c.timeline.end != nil {
		return
	}
	c.started = true
	c.loop.spawn(func() {
		var end *record.End
		var err error
		for try := range 5 { // the last lines of the coordinator's log may still arrive
			if !c.loop.sleep(time.Duration(1+try) * 500 * time.Millisecond) {
				return
			}
			if end, err = c.reader.End(c.loop.ctx, c.run); end != nil {
				c.loop.call(func() { c.timeline.takeEnd(end) })
				return
			}
		}
		c.loop.call(func() { c.lose(verdict, err) })
	})
}

// lose gives up a run that nothing drives any more. The lines that its pods have written are still shown.
func (c *conclusion) lose(verdict string, err error) {
	if c.timeline.end != nil || c.lost != nil {
		return
	}
	if err != nil {
		c.lost = fmt.Errorf("run %s: %s, and its end can't be read: %w", c.run.Name, verdict, err)
	} else {
		if lines := c.lastLines.lines; len(lines) > 0 {
			verdict += "; the last lines of the coordinator's log:\n  " + strings.Join(lines, "\n  ")
		}
		c.lost = &LostError{Name: c.run.Name, Why: verdict}
	}
	c.logs.closeAll()
}
