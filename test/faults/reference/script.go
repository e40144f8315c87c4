package reference

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"pipec.dev/pipec/test/faults/world"
)

// Scripts are what processes do, by the attempt ("step.1") or by the step.
type Scripts map[string]world.Script

// usual is a process that nothing is said of.
var usual = world.Script{Run: time.Second}

// Of returns the script of an attempt. made counts the pods that the attempt has had.
func (s Scripts) Of(step string, attempt, made int) world.Script {
	own, ok := s[step+"."+strconv.Itoa(attempt)]
	general, any := s[step]
	switch {
	case !ok && !any:
		return usual
	case !ok:
		return general
	}
	if made > 1 && (own.End == world.Vanish || own.End == world.Killed || own.End == world.Evict) {
		own.End = world.Exit
	}
	if any && own.Outputs == nil {
		own.Outputs = general.Outputs
	}
	return own
}

var ends = map[string]world.End{
	"exit": world.Exit, "vanish": world.Vanish, "oom": world.OOM, "killed": world.Killed, "evict": world.Evict, "wait": world.Wait,
}

func parseScripts(text string) (Scripts, error) {
	out := Scripts{}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		s := usual
		for _, field := range fields[1:] {
			if err := setScript(&s, field); err != nil {
				return nil, err
			}
		}
		out[fields[0]] = s
	}
	return out, nil
}

func setScript(s *world.Script, field string) (err error) {
	name, value, set := strings.Cut(field, "=")
	end, known := ends[name]
	switch {
	case !set && known:
		s.End = end
	case !set && name == "deaf":
		s.Deaf = true
	case !set:
		return fmt.Errorf("%q is not an end", field)
	case name == "run":
		s.Run, err = time.ParseDuration(value)
	case name == "code":
		s.Code, err = strconv.Atoi(value)
	case name == "log":
		s.Log = value + "\n"
	default:
		if s.Outputs == nil {
			s.Outputs = map[string]string{}
		}
		s.Outputs[name] = value
	}
	return err
}

func parseCommands(text string) ([]world.Command, error) {
	var out []world.Command
	for line := range strings.Lines(text) {
		var c world.Command
		for _, field := range strings.Fields(line) {
			var err error
			switch name, value, _ := strings.Cut(field, "="); name {
			case "cancel":
			case "approve":
				c.Approve = value
			case "value":
				c.Value = value
			case "on":
				c.On = value
			case "after":
				c.After, err = time.ParseDuration(value)
			default:
				err = fmt.Errorf("%q is not a part of a command", field)
			}
			if err != nil {
				return nil, err
			}
		}
		out = append(out, c)
	}
	return out, nil
}
