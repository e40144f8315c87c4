package web

import (
	"net/http"

	"pipec.dev/pipec/emit/graph"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/records"
	"pipec.dev/pipec/internal/app/web/shape"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/runtime/shell"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// usageFault is a fault of a request.
func usageFault(text string) error { return fault.Usagef("%s", text) }

// command returns a command about the run, with the flags that find it.
func (a *at) command(words string, args ...string) string {
	out := "pipec " + words + " " + shell.Word(a.run.Name)
	for _, arg := range args {
		out += " " + shell.Word(arg)
	}
	return out + a.of.Flags
}

// detail returns a run as the page shows it.
func (a *at) detail(d *runs.Detail) *shape.Run {
	out := shape.NewRun(a.of.Name, d)
	out.Commands = shape.Commands{Show: a.command("runs"), Logs: a.command("logs"), Cancel: a.command("cancel"), Rerun: a.command("rerun")}
	if !d.Status.Ended() && d.Status != record.Lost {
		out.Commands.Logs = a.command("logs -f")
	}
	return &out
}

// run writes a run with its steps.
func (s *Server) run(w http.ResponseWriter, r *http.Request, a *at) error {
	d, err := a.reader.Show(r.Context(), a.run)
	if err != nil {
		return err
	}
	return reply(w, a.detail(d))
}

// graph writes the layout of a run's pipeline, or of a pipeline that one of its steps calls: the query call is the address of
// that step.
func (s *Server) graph(w http.ResponseWriter, r *http.Request, a *at) error {
	p, err := a.reader.Program(r.Context(), a.run)
	if err != nil {
		return err
	}
	if call := r.URL.Query().Get("call"); call != "" {
		if p = called(p, call); p == nil {
			return errNone
		}
	}
	return reply(w, graph.Draw(p))
}

// called returns the pipeline that the step of an address calls, as a program; nil if the step calls none.
func called(p *program.Program, address string) *program.Program {
	step := runs.StepOf(p, address)
	if step == nil || step.Call == nil {
		return nil
	}
	c := p.CalledNamed(step.Call.Pipeline)
	if c == nil {
		return nil
	}
	return &program.Program{Version: p.Version, Pipeline: c.Name, Steps: c.Steps, Finally: c.Finally, Outputs: c.Outputs}
}

// timeline writes when the steps of a run waited and ran.
func (s *Server) timeline(w http.ResponseWriter, r *http.Request, a *at) error {
	d, err := a.reader.Show(r.Context(), a.run)
	if err != nil {
		return err
	}
	p, err := a.reader.Program(r.Context(), a.run)
	if err != nil {
		return err
	}
	var times shape.Times
	if err := a.reader.Events(r.Context(), a.run, func(e *record.Event) error { times.Add(e); return nil }); err != nil {
		return err
	}
	return reply(w, times.Timeline(d, p))
}

// step writes what is known about a step.
func (s *Server) step(w http.ResponseWriter, r *http.Request, a *at) error {
	name := r.URL.Query().Get("step")
	x, err := a.reader.Explain(r.Context(), a.run, name)
	if err != nil {
		return records.NoStep(err)
	}
	p, err := a.reader.Program(r.Context(), a.run)
	if err != nil {
		return err
	}
	out := shape.Explain(x, p)
	out.Terminal = []string{a.command("explain", name), a.command("logs", name), a.command("rerun", "--from", name)}
	for i := range out.Outputs {
		if i < 3 && out.Outputs[i].View != shape.ViewValue {
			out.Terminal = append(out.Terminal, a.command("artifacts get", name+"/"+out.Outputs[i].Name))
		}
	}
	if out.Asks {
		out.Approve, out.Reject = a.command("approve", name), a.command("approve", name, "--reject")
	}
	return reply(w, out)
}
