package kube

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"

	"pipec.dev/pipec/runtime/drive"
	"pipec.dev/pipec/runtime/history"
	"pipec.dev/pipec/runtime/imports"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// begin records a new run, and drives it. A run that is refused is recorded too, as failed. The record states whether it was
// refused, so that a successor decides the same.
func (c *coordinator) begin(ctx context.Context, job *batchv1.Job) (*record.End, error) {
	d := c.d
	d.record = newRecord(d.o, d.loaded, job)
	err := c.ready(ctx, job)
	var r *drive.Refusal
	switch {
	case errors.As(err, &r):
		d.record.Refused = &record.Refused{Reason: cmp.Or(r.Reason, drive.ReasonRefused), Message: r.Message}
	case err != nil:
		return nil, err
	}
	if err := create(ctx, d.store, d.record, d.loaded); err != nil {
		return nil, err
	}
	if r != nil {
		return c.refuse(ctx, r)
	}
	return d.drive(ctx, c.lease.lost)
}

// ready does all that precedes the recording of a new run. A panic refuses the run: it would otherwise have an end and no record.
func (c *coordinator) ready(ctx context.Context, job *batchv1.Job) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = internal(v)
		}
	}()
	kept, err := c.prepare(ctx, job)
	if err == nil {
		err = checkCode(ctx, c.d.store, c.d.program)
	}
	if err == nil {
		c.d.run, err = drive.Begin(c.d.config(), kept)
	}
	return err
}

// newRecord returns the record of a new run with the fields that don't depend on the request.
func newRecord(o *Options, l *Loaded, job *batchv1.Job) *record.Run {
	p := l.program
	run := &record.Run{
		Version: record.Version, Name: o.Job, Project: p.Project, Pipeline: p.Pipeline, Namespace: o.Namespace,
		Stack: p.Target.Stack, UID: o.JobUID, Sealed: o.Seal, Program: l.digest, Codes: codesOf(p), CreatedAt: now(),
	}
	run.Schedule = job.Annotations[kube.AnnotationSchedule]
	if at, err := time.Parse(time.RFC3339, job.Annotations[batchv1.CronJobScheduledTimestampAnnotation]); err == nil {
		at = at.UTC()
		run.ScheduledAt = &at
	}
	return run
}

// codesOf returns the digests of a program's codes by their names; nil if it has none.
func codesOf(p *program.Program) map[string]string {
	var out map[string]string
	for i := range p.Codes {
		if out == nil {
			out = map[string]string{}
		}
		out[p.Codes[i].Name] = p.Codes[i].Digest
	}
	return out
}

// prepare completes the record of the run with the request in the Job's annotations, and imports the artifacts with which
// the run is started. It returns the events with which a rerun starts.
func (c *coordinator) prepare(ctx context.Context, job *batchv1.Job) ([]record.Event, error) {
	d := c.d
	request, err := c.request(ctx, job)
	if err != nil {
		return nil, err
	}
	report := func(text string) {
		d.tell(drive.Complete(d.record, record.Event{Type: record.StepWaiting, Text: text}))
	}
	waits := false
	s := drive.Start{Request: *request, RefuseEnvironment: true, Imports: imports.Options{
		Stack: d.program.Target.Store, Environ: d.o.Environ, Memory: d.o.Memory, Grace: d.program.Target.StoreGrace.D(),
		Waits: func(err error) { report("S3, to import from: " + err.Error()) },
		Begin: func(i *record.Import) {
			waits = true
			report("the import of " + i.Name + " from " + i.Source)
		},
	}}
	kept, err := s.Prepare(ctx, d.store, d.program, d.record)
	if waits {
		report("")
	}
	return kept, err
}

// request reads the request in the Job's annotations.
func (c *coordinator) request(ctx context.Context, job *batchv1.Job) (r *drive.Request, err error) {
	r = &drive.Request{}
	if r.Params, err = c.params(ctx, job.Annotations); err != nil {
		return nil, err
	}
	for name, list := range map[string]*[]string{kube.AnnotationOnly: &r.Only, kube.AnnotationKept: &r.Kept, kube.AnnotationRedone: &r.Redone} {
		if text := job.Annotations[name]; text != "" {
			if err := json.Unmarshal([]byte(text), list); err != nil {
				return nil, drive.Refuse(drive.RefusedJob, "the Job's annotation %s is not a JSON list of steps: %s", name, err)
			}
		}
	}
	c.d.record.RerunOf, c.d.record.Renamed = job.Annotations[kube.AnnotationRerunOf], c.d.renamed.pattern
	r.Of, err = history.RerunOf(ctx, c.d.store, c.d.record)
	return r, err
}

// params returns the params with which the run was started: those of its annotation, or else those of the schedule.
func (c *coordinator) params(ctx context.Context, annotations map[string]string) (map[string]json.RawMessage, error) {
	text, set := annotations[kube.AnnotationParams]
	if !set {
		name := annotations[kube.AnnotationSchedule]
		switch s := c.d.program.Schedule(name); {
		case s != nil:
			return s.Params, nil
		case name != "":
			return nil, drive.Refuse(drive.RefusedJob, "the Job's annotation %s names the schedule %q, which the pipeline doesn't have", kube.AnnotationSchedule, name)
		}
		return nil, nil
	}
	if digest, ok := strings.CutPrefix(text, "blob:"); ok {
		data, err := store.ReadAll(ctx, c.d.store, record.BlobKey(digest))
		if errors.Is(err, store.ErrNotExist) || err == nil && program.Digest(data) != digest {
			return nil, drive.Refuse(drive.RefusedParam, "the run's params (%s) are not in the store", digest)
		}
		if err != nil {
			return nil, err
		}
		text = string(data)
	}
	var given map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &given); err != nil {
		return nil, drive.Refuse(drive.RefusedJob, "the Job's annotation %s is not a JSON object: %s", kube.AnnotationParams, err)
	}
	return given, nil
}
