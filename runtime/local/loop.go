package local

import (
	"context"
	"errors"
	"fmt"

	"pipec.dev/pipec/runtime/drive"
	"pipec.dev/pipec/runtime/work"
	"pipec.dev/pipec/schema/record"
)

// drive drives the run to its end. The error is not nil if the run has no end.
func (d *driver) drive(ctx context.Context, requests *work.Requests) (*record.End, error) {
	// The engine ends attempts one by one: attempts of finally are started even after ctx has ended.
	inner, stop := context.WithCancel(context.WithoutCancel(ctx))
	d.start(inner)
	err := d.loop(ctx, inner, requests)
	stop() // ends queries of the cache whose result is no longer needed
	if err != nil {
		d.abandon()
		return nil, fmt.Errorf("run %s: %w", d.record.Name, err)
	}
	if err := d.finish(context.WithoutCancel(ctx)); err != nil {
		return nil, err
	}
	return d.run.End(), nil
}

// loop handles requests until the run has ended or another process drives it. It cancels the run when ctx ends. inner is the
// context of the attempts.
func (d *driver) loop(ctx, inner context.Context, requests *work.Requests) error {
	defer d.shut()
	cancelled, force := ctx.Done(), d.machine.o.Force
	for {
		select {
		case <-d.over:
			return nil
		case <-cancelled:
			cancelled = nil
			d.cancel(inner)
		case <-requests.Cancel:
			d.cancel(inner)
		case <-requests.Answers:
			d.takeAnswers(inner)
		case <-d.answers.look:
			d.takeAnswers(inner)
		case <-force:
			force, cancelled = nil, nil
			if err := d.force(inner); err != nil {
				return err
			}
		case <-d.run.Taken():
			return drive.ErrTakenOver
		}
	}
}

// force ends the run immediately.
func (d *driver) force(ctx context.Context) error {
	d.attempts.forced.Store(true)
	d.cancel(ctx)
	d.cancel(ctx)
	d.watch.drop()
	return d.claim.Kill()
}

// abandon ends all work of this driver, without changing the run's records.
func (d *driver) abandon() {
	d.run.Abandon()
	d.watch.drop()
	d.attempts.abandon()
	d.running.Wait()
	d.chores.removing.Wait()
	_ = d.claim.Kill()
	d.slots.releaseAll()
	d.watch.close()
}

// finish records the end of the run when all tasks have ended.
func (d *driver) finish(ctx context.Context) error {
	var killErr error
	if d.stopped {
		killErr = d.claim.Kill()
	}
	d.running.Wait()
	d.chores.catchUp()
	d.chores.removing.Wait()
	if err := d.scene.finish(ctx); err != nil {
		return err
	}
	return killErr
}

// finish records the end of the run, and notifies observers.
func (s *scene) finish(ctx context.Context) error {
	err := s.run.Finish(ctx)
	if err != nil && !errors.Is(err, drive.ErrTakenOver) {
		// The most likely cause is a full disk. The record of the run is more important than the directories of failed attempts.
		for _, name := range s.claim.Steps() {
			_ = work.Remove(s.claim.Step(name))
		}
		err = s.run.Finish(ctx)
	}
	s.watch.close()
	return err
}
