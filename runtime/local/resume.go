package local

import (
	"context"
	"fmt"

	"pipec.dev/pipec/runtime/drive"
	"pipec.dev/pipec/runtime/history"
	"pipec.dev/pipec/runtime/work/groups"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// Resume continues a run that has no end and whose driver is gone, with the recorded program, params and code, and under the same
// name. It first kills the remaining processes of the former driver. It ignores the options that define what to run.
func Resume(ctx context.Context, o Options, run *record.Run) (out Outcome, err error) {
	out.Run = run
	t, err := takeOver(ctx, &o, run)
	if err != nil {
		return out, err
	}
	defer func() { t.close(out.End) }()
	if err := t.machine.equip(run, t.program); err != nil {
		t.watch.close()
		return out, err
	}
	requests, err := t.claim.Requests()
	if err != nil {
		t.watch.close()
		return out, err
	}
	defer requests.Close()
	out.End, err = newDriver(t.scene).drive(ctx, requests)
	return out, err
}

// takeover is a run that this process has begun to drive. The attempts that are open in its log are not continued yet.
type takeover struct {
	*scene
	program *program.Program
}

// takeOver makes this process the driver of a run that has none. The caller closes the takeover. It also closes the observer,
// unless it drives the run to its end.
func takeOver(ctx context.Context, o *Options, run *record.Run) (*takeover, error) {
	m, err := openMachine(o)
	if err != nil {
		return nil, err
	}
	c, err := m.claim(run)
	if err != nil {
		m.close()
		return nil, err
	}
	t := &takeover{scene: &scene{machine: m, claim: c, record: run, watch: newObserver(o.Observe), resumed: true}}
	if err := t.read(ctx); err != nil {
		c.lock.Release()
		m.close()
		return nil, err
	}
	return t, nil
}

// read restores the state of the run from its log. Before that, it makes sure that no process works for the run.
func (t *takeover) read(ctx context.Context) error {
	s := t.machine.store
	end, err := history.End(ctx, s, t.record)
	if err != nil {
		return err
	}
	if end != nil {
		return drive.Refuse(drive.RefusedEnded, "run %s has ended: %s", t.record.Name, end.Status)
	}
	if err := t.claim.Kill(); err != nil {
		return err
	}
	if err := groups.Of(t.machine.dir).ReleaseRun(t.record.Name); err != nil {
		return err
	}
	if t.program, err = history.Program(ctx, s, t.record); err != nil {
		return fmt.Errorf("the program of run %s: %w", t.record.Name, err)
	}
	t.watch.start()
	if t.run, err = drive.Resume(ctx, t.machine.config(t.program, t.record, t.watch), nil); err != nil {
		t.watch.close()
		return err
	}
	t.chores = &chores{claim: t.claim}
	return nil
}

// close releases the resources of the takeover. end is nil if the run has no end.
func (t *takeover) close(end *record.End) {
	t.claim.release(end)
	t.run.Close()
	t.machine.close()
}
