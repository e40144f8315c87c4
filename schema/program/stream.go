package program

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// DecodeStream is Decode for an encoding that is not in memory. It calls each with every step as soon as the step is
// decoded, so that a caller can take large parts out of it.
func DecodeStream(r io.Reader, each func(*Step)) (*Program, error) {
	d := streamDecoder{json: json.NewDecoder(r), each: each, rest: []byte{'{'}}
	p, err := d.program()
	if err != nil {
		return nil, fmt.Errorf("program: %w", err)
	}
	if err := p.checkVersion(); err != nil {
		return nil, err
	}
	return p, nil
}

// streamDecoder decodes one program.
type streamDecoder struct {
	json           *json.Decoder
	each           func(*Step)
	rest           []byte // JSON of the fields of the program that are neither steps nor called pipelines, without its end
	steps, finally []Step
	called         []Called
}

func (d *streamDecoder) program() (*Program, error) {
	if err := d.members(d.member); err != nil {
		return nil, err
	}
	switch more, err := d.json.Token(); {
	case err == nil:
		return nil, fmt.Errorf("expected the end of the program, found %v", more)
	case !errors.Is(err, io.EOF):
		return nil, err
	}
	var p Program
	if err := json.Unmarshal(append(d.rest, '}'), &p); err != nil {
		return nil, err
	}
	p.Steps, p.Finally, p.Called = d.steps, d.finally, d.called
	return &p, nil
}

func (d *streamDecoder) member(name string) error {
	switch name {
	case "steps":
		return d.array(func() error { return d.step(&d.steps) })
	case "finally":
		return d.array(func() error { return d.step(&d.finally) })
	case "called":
		return d.array(d.calledOne)
	}
	var value json.RawMessage
	if err := d.json.Decode(&value); err != nil {
		return err
	}
	key, err := json.Marshal(name)
	if err != nil {
		return err
	}
	if len(d.rest) > 1 {
		d.rest = append(d.rest, ',')
	}
	d.rest = append(append(append(d.rest, key...), ':'), value...)
	return nil
}

func (d *streamDecoder) step(out *[]Step) error {
	*out = append(*out, Step{})
	s := &(*out)[len(*out)-1]
	if err := d.json.Decode(s); err != nil {
		return err
	}
	d.each(s)
	return nil
}

func (d *streamDecoder) calledOne() error {
	var c Called
	if err := d.json.Decode(&c); err != nil {
		return err
	}
	for _, steps := range [][]Step{c.Steps, c.Finally} {
		for i := range steps {
			d.each(&steps[i])
		}
	}
	d.called = append(d.called, c)
	return nil
}

// members decodes an object. It calls member with the name of each member, which decodes the value.
func (d *streamDecoder) members(member func(name string) error) error {
	if err := d.expect(json.Delim('{')); err != nil {
		return err
	}
	for d.json.More() {
		name, err := d.json.Token()
		if err != nil {
			return err
		}
		text, ok := name.(string)
		if !ok {
			return fmt.Errorf("expected the name of a field, found %v", name)
		}
		if err := member(text); err != nil {
			return err
		}
	}
	return d.expect(json.Delim('}'))
}

// array decodes an array or null. It calls element to decode each element.
func (d *streamDecoder) array(element func() error) error {
	start, err := d.json.Token()
	switch {
	case err != nil:
		return err
	case start == nil:
		return nil
	case start != json.Delim('['):
		return fmt.Errorf("expected a list, found %v", start)
	}
	for d.json.More() {
		if err := element(); err != nil {
			return err
		}
	}
	return d.expect(json.Delim(']'))
}

func (d *streamDecoder) expect(want json.Delim) error {
	got, err := d.json.Token()
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("expected %s, found %v", want, got)
	}
	return nil
}
