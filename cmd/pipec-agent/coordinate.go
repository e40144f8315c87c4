package main

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"

	"pipec.dev/pipec/runtime/drive"
	"pipec.dev/pipec/runtime/kube"
	"pipec.dev/pipec/runtime/kubeclient"
	"pipec.dev/pipec/runtime/step"
	names "pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/panics"
	"pipec.dev/pipec/schema/record"
)

const (
	coordinatorMemory = 48 << 20 // memory limit of the Go runtime, unless the environment sets it
	coordinatorParts  = 8 << 20  // the part of it for data in transit from and to the store
	maxProgram        = 1 << 30  // size limit of a decompressed program
)

// coordinate drives the run of this pod's Job.
func (a *agent) coordinate(ctx context.Context, args []string) int {
	if len(args) > 0 {
		fmt.Fprint(a.stderr, usage)
		return exitUsage
	}
	debug.SetGCPercent(50)
	if a.getenv("GOMEMLIMIT") == "" { // the Job sets it below the limit of the pod
		debug.SetMemoryLimit(coordinatorMemory)
	}
	end, err := a.driveSafely(ctx)
	var refusal *drive.Refusal
	code := exitEnvironment
	switch {
	case err == nil && end.Status == record.Succeeded:
		code = 0
	case err == nil, errors.As(err, &refusal):
		code = names.ExitRunFailed
	case errors.Is(err, kube.ErrStopped):
		code = exitStopped
	}
	if err != nil {
		a.say("%s", err)
		a.terminate([]byte(record.Clip(err.Error(), step.MaxTermination)))
		return code
	}
	text := string(end.Status)
	if end.Message != "" {
		text += ": " + end.Message
	}
	a.terminate([]byte(record.Clip(text, step.MaxTermination)))
	return code
}

// driveSafely is drive. It ends the coordinator without another start after a panic that no other code has handled: the next
// coordinator would panic too.
func (a *agent) driveSafely(ctx context.Context) (end *record.End, err error) {
	defer func() {
		if v := recover(); v != nil {
			a.say("%s", panics.Details(v))
			end, err = nil, &drive.Refusal{Message: panics.Message(panics.At(), "it with the coordinator's log")}
		}
	}()
	return a.drive(ctx)
}

func (a *agent) drive(ctx context.Context) (*record.End, error) {
	o := kube.Options{Out: a.stdout, Environ: a.lookup, Memory: coordinatorParts, Seal: true}
	for name, field := range map[string]*string{
		names.EnvNamespace: &o.Namespace, names.EnvJobName: &o.Job, names.EnvJobUID: &o.JobUID, names.EnvPodName: &o.Pod, names.EnvPodUID: &o.PodUID,
	} {
		if *field = a.getenv(name); *field == "" {
			return nil, &drive.Refusal{Message: name + " is not set: the coordinator only runs in the pod of a Job that pipec created"}
		}
	}
	var err error
	if o.Loaded, err = kube.Load(func() (io.ReadCloser, error) { return openProgram(a.root + names.ProgramDir) }); err != nil {
		return nil, err
	}
	if o.Client, err = kubeclient.InCluster(o.Namespace); err != nil {
		return nil, err
	}
	where, err := a.storeOf()
	if err != nil {
		return nil, &drive.Refusal{Message: err.Error()}
	}
	st, err := a.open(ctx, where, coordinatorParts)
	if err != nil {
		return nil, &drive.Refusal{Message: err.Error()}
	}
	defer st.Close()
	o.Store = st
	if t := o.Loaded.Target(); t != nil {
		o.Store = a.patient(st, t.StoreGrace.D())
	}
	return kube.Coordinate(ctx, o)
}

// openProgram opens the program of a definition: one compressed file, or its parts in order.
func openProgram(dir string) (io.ReadCloser, error) {
	names, err := filepath.Glob(filepath.Join(dir, names.ProgramFile+"*"))
	if err != nil || len(names) == 0 {
		return nil, fmt.Errorf("there is no program in %s", dir)
	}
	slices.Sort(names)
	p := &programFile{dir: dir}
	parts := make([]io.Reader, len(names))
	for i, name := range names {
		f, err := os.Open(name)
		if err != nil {
			_ = p.Close()
			return nil, err
		}
		p.files = append(p.files, f)
		parts[i] = f
	}
	z, err := gzip.NewReader(io.MultiReader(parts...))
	if err != nil {
		_ = p.Close()
		return nil, p.fault(err)
	}
	p.data = io.LimitReader(z, maxProgram)
	return p, nil
}

// programFile reads a program that is being decompressed.
type programFile struct {
	dir   string
	files []*os.File
	data  io.Reader
}

func (p *programFile) Read(b []byte) (int, error) {
	n, err := p.data.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		err = p.fault(err)
	}
	return n, err
}

func (p *programFile) Close() error {
	for _, f := range p.files {
		_ = f.Close()
	}
	return nil
}

func (p *programFile) fault(err error) error { return fmt.Errorf("the program in %s: %w", p.dir, err) }
