package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store/stores"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/panics"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

const (
	stepMemory = 20 << 20 // memory limit of the Go runtime, beside the user's process
	stepParts  = 8 << 20  // the part of it for data in transit from and to the store
	// taskGrace is how long the agent retries an unavailable store until the task states how long.
	taskGrace = 15 * time.Minute
)

// stepSafely is step. A panic that no other code has handled ends the attempt as an error of pipec.
func (a *agent) stepSafely(ctx context.Context, args []string) (code int) {
	defer func() {
		if v := recover(); v != nil {
			a.say("%s", panics.Details(v))
			a.terminate(step.Crashed(panics.At(), a.getenv(kube.EnvSeal)).Encode())
			code = exitEnvironment
		}
	}()
	return a.step(ctx, args)
}

// step runs one attempt of a step.
func (a *agent) step(ctx context.Context, args []string) int {
	flags := flag.NewFlagSet("step", flag.ContinueOnError)
	flags.SetOutput(a.stderr)
	file := flags.String("spec", "", "the `FILE` with the step's task as JSON; the default is the value of PIPEC_SPEC")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return exitUsage
	}
	text := a.getenv(kube.EnvSpec)
	if flags.NArg() > 0 || *file == "" && text == "" {
		fmt.Fprint(a.stderr, usage)
		return exitUsage
	}
	debug.SetGCPercent(50)
	debug.SetMemoryLimit(stepMemory)
	outlive()
	if *file != "" {
		data, err := os.ReadFile(*file)
		if err != nil {
			return a.unready(err)
		}
		text = string(data)
	}
	task, st, err := a.task(ctx, text)
	if err != nil {
		return a.unready(err)
	}
	defer st.Close()
	spec := &task.Spec
	place(spec)
	reap := newReaper()
	result, err := step.Run(ctx, spec, step.Deps{
		Store: a.patient(st, task.StoreGrace.D()), Environ: a.environ, Secrets: secrets(spec, a.lookup), Tee: a.stdout, Started: reap.started,
		Seal: a.getenv(kube.EnvSeal),
	})
	a.terminate(step.NewTermination(&result, err == nil, a.getenv(kube.EnvSeal)).Encode())
	if err != nil {
		a.say("%s", err)
		return exitEnvironment
	}
	return exitCode(&result)
}

// unready reports an attempt that can't start.
func (a *agent) unready(err error) int {
	r := record.Result{Status: record.Failed, Class: record.ClassInfrastructure, Reason: record.ReasonStart, Message: err.Error()}
	a.terminate(step.NewTermination(&r, false, a.getenv(kube.EnvSeal)).Encode())
	a.say("%s", err)
	return exitEnvironment
}

// task reads the attempt's task and opens its store.
func (a *agent) task(ctx context.Context, text string) (*step.Task, stores.Store, error) {
	var named struct {
		Store *program.Store `json:"store"`
	}
	_ = json.Unmarshal([]byte(text), &named) // a task that is not simple contains no reference
	if named.Store == nil {
		s, err := a.storeOf()
		if err != nil {
			return nil, nil, err
		}
		named.Store = &s
	}
	st, err := a.open(ctx, *named.Store, stepParts)
	if err != nil {
		return nil, nil, err
	}
	task, err := step.DecodeTask(ctx, a.patient(st, taskGrace), text)
	if err != nil {
		_ = st.Close()
		return nil, nil, err
	}
	return task, st, nil
}

// place sets the working directory of a step without code: the image's, or a writable one if the image has none.
func place(spec *step.Spec) {
	if spec.Code != "" || spec.Dir != "" {
		return
	}
	if wd, err := os.Getwd(); err != nil || wd == "/" {
		spec.Dir = spec.ScratchDir()
	}
}

func exitCode(r *record.Result) int {
	switch {
	case r.Status == record.Succeeded:
		return 0
	case r.ExitCode != nil && *r.ExitCode != 0:
		return *r.ExitCode
	}
	return exitStep
}

// secrets reads secrets from the agent's own environment, where the pod stores them under the step's names.
func secrets(spec *step.Spec, lookup func(string) (string, bool)) map[string]string {
	out := map[string]string{}
	for _, s := range spec.Program.SecretEnv {
		if value, ok := lookup(s.Name); ok {
			out[s.Name] = value
		}
	}
	return out
}
