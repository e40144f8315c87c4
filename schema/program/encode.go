package program

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"
	"time"
)

// Duration is written as in Go: "1h30m0s". Zero means no bound, unless a field says otherwise.
type Duration time.Duration

// D returns the duration as a time.Duration.
func (d Duration) D() time.Duration { return time.Duration(d) }

// MarshalText returns the canonical form.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads every form that time.ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = Duration(v)
	return err
}

// Encode returns the canonical JSON of a program, with a newline at its end.
func (p *Program) Encode() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(p); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Decode reads the output of Encode.
func Decode(data []byte) (*Program, error) {
	var p Program
	if err := json.Unmarshal(data, &p); err != nil {
		return nil, fmt.Errorf("program: %w", err)
	}
	if err := p.checkVersion(); err != nil {
		return nil, err
	}
	return &p, nil
}

func (p *Program) checkVersion() error {
	if p.Version > Version || p.Version < 1 {
		return fmt.Errorf("program: version %d is not one that this pipec (version %d) reads", p.Version, Version)
	}
	return nil
}

// Digest returns "sha256:…" of the canonical JSON.
func Digest(encoded []byte) string {
	sum := sha256.Sum256(encoded)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// All returns the steps and then the steps of finally.
func (p *Program) All() []*Step {
	out := make([]*Step, 0, len(p.Steps)+len(p.Finally))
	for i := range p.Steps {
		out = append(out, &p.Steps[i])
	}
	for i := range p.Finally {
		out = append(out, &p.Finally[i])
	}
	return out
}

// Every returns All and the steps of all called pipelines.
func (p *Program) Every() []*Step {
	out := p.All()
	for i := range p.Called {
		c := &p.Called[i]
		for j := range c.Steps {
			out = append(out, &c.Steps[j])
		}
		for j := range c.Finally {
			out = append(out, &c.Finally[j])
		}
	}
	return out
}

// Placed yields the steps of Every with their keys in the program's source map.
func (p *Program) Placed() iter.Seq2[string, *Step] {
	return func(yield func(string, *Step) bool) {
		for _, s := range p.All() {
			if !yield("step."+s.Name, s) {
				return
			}
		}
		for i := range p.Called {
			c := &p.Called[i]
			for _, steps := range [][]Step{c.Steps, c.Finally} {
				for j := range steps {
					if !yield("called."+c.Name+".step."+steps[j].Name, &steps[j]) {
						return
					}
				}
			}
		}
	}
}

// Reach returns the steps and those of the pipelines that they call, directly or not.
func (p *Program) Reach(steps []*Step) []*Step {
	out, seen := append([]*Step{}, steps...), map[string]bool{}
	for i := 0; i < len(out); i++ {
		if out[i].Call == nil || seen[out[i].Call.Pipeline] {
			continue
		}
		seen[out[i].Call.Pipeline] = true
		if c := p.CalledNamed(out[i].Call.Pipeline); c != nil {
			for j := range c.Steps {
				out = append(out, &c.Steps[j])
			}
			for j := range c.Finally {
				out = append(out, &c.Finally[j])
			}
		}
	}
	return out
}

// CalledNamed returns the called pipeline with a name, or nil.
func (p *Program) CalledNamed(name string) *Called {
	for i := range p.Called {
		if p.Called[i].Name == name {
			return &p.Called[i]
		}
	}
	return nil
}

// Composite reports whether a step has nodes of its own: instances, rounds, or the steps of the pipeline that it calls.
func (s *Step) Composite() bool { return s.ForEach != nil || s.Repeat != nil || s.Call != nil }

// Code returns the code with a name, or nil.
func (p *Program) Code(name string) *Code {
	for i := range p.Codes {
		if p.Codes[i].Name == name {
			return &p.Codes[i]
		}
	}
	return nil
}
