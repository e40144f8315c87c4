package main

import (
	"path/filepath"
	"strings"

	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/runtime/work"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
)

// unpacked is the directory with the code of an attempt, below the directory of the attempt.
const unpacked = "code"

// sources replaces the paths of unpacked code with those of the project, so that an editor can open the places of a traceback.
type sources struct {
	program *program.Program // nil: no path is replaced
	project string           // the project's directory as the user has named it
	work    work.Dir
	codes   map[string]string // directories by the names of codes
}

// sources returns the sources of a program.
func (c *cli) sources(p *program.Program) *sources {
	s := &sources{project: c.dir, codes: map[string]string{}}
	dir, err := work.In(c.dir)
	if err != nil || p == nil {
		return s
	}
	s.program, s.work = p, dir
	for i := range p.Codes {
		one := &p.Codes[i]
		if one.Root == "" && strings.Contains(one.Name, ".") {
			continue // of a library whose directory a recorded program doesn't have
		}
		s.codes[one.Name] = filepath.Join(c.dir, filepath.FromSlash(one.Root), filepath.FromSlash(one.Dir))
	}
	return s
}

// line returns a line of a step's log with the paths of the project.
func (s *sources) line(run, step string, attempt int, text string) string {
	if s.program == nil || !strings.Contains(text, "/"+unpacked+"/") {
		return text
	}
	def := runs.StepOf(s.program, step)
	if def == nil || def.Code == "" || s.codes[def.Code] == "" {
		return text
	}
	to := s.codes[def.Code] + "/"
	if to == "./" {
		to = ""
	}
	if w, err := s.work.Run(run); err == nil {
		text = strings.ReplaceAll(text, filepath.Join(w.Attempt(step, attempt), unpacked)+"/", to)
	}
	return strings.ReplaceAll(text, kube.WorkDir+"/"+unpacked+"/", to)
}
