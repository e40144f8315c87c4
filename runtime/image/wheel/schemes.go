package wheel

import (
	"bufio"
	"bytes"
	"regexp"
	"slices"
	"strings"
)

// schemes finds where each file is installed. Files below NAME-VERSION.data belong to the directory that its first part names,
// all others to the packages.
func (o *opener) schemes() error {
	data := strings.TrimSuffix(o.wheel.DistInfo, ".dist-info") + ".data/"
	seen := map[string]string{string(Purelib) + "/" + o.wheel.DistInfo + "/RECORD": o.wheel.DistInfo + "/RECORD"}
	for name, f := range o.files {
		if o.unrecorded(name) {
			continue
		}
		f.Scheme, f.Path = Platlib, name
		if o.purelib {
			f.Scheme = Purelib
		}
		if rest, ok := strings.CutPrefix(name, data); ok {
			scheme, path, _ := strings.Cut(rest, "/")
			f.Scheme, f.Path = Scheme(scheme), path
			switch f.Scheme {
			case Purelib, Platlib, Scripts, Headers, Data:
			default:
				return o.fault(name, "belongs to the directory %.50q, expected purelib, platlib, scripts, headers or data", scheme)
			}
			if f.Path == "" || f.Scheme == Scripts && strings.Contains(f.Path, "/") {
				return o.fault(name, "is not a file that can be installed in its directory")
			}
		}
		place := string(f.Scheme) + "/" + f.Path
		if f.Scheme == Platlib { // the same directory
			place = string(Purelib) + "/" + f.Path
		}
		if other, ok := seen[place]; ok {
			return o.fault(name, "is installed to the same place as %q", other)
		}
		seen[place] = name
		o.wheel.Files = append(o.wheel.Files, f)
	}
	return nil
}

// EntryPoint is a command that calls a function.
type EntryPoint struct {
	Name     string // of the command
	Module   string
	Function string // may have parts: main, or app.run
}

// entryPoint matches MODULE:FUNCTION [EXTRAS].
const entryPoint = `^([\p{L}\p{N}_]+(?:\.[\p{L}\p{N}_]+)*)\s*:\s*([\p{L}\p{N}_]+(?:\.[\p{L}\p{N}_]+)*)\s*(?:\[[^\]]*\])?$`

// entryPoints reads the commands in entry_points.txt.
func (o *opener) entryPoints() error {
	if o.files[o.wheel.DistInfo+"/entry_points.txt"] == nil {
		return nil
	}
	data, err := o.small("entry_points.txt")
	if err != nil {
		return err
	}
	name := o.wheel.DistInfo + "/entry_points.txt"
	pattern := regexp.MustCompile(entryPoint)
	seen := map[string]bool{}
	section := ""
	s := bufio.NewScanner(bytes.NewReader(data))
	s.Buffer(nil, maxMetadata)
	for s.Scan() {
		line := strings.TrimSpace(s.Text())
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		if line[0] == '[' {
			section = strings.Trim(line, "[] ")
			continue
		}
		if section != "console_scripts" && section != "gui_scripts" {
			continue
		}
		command, target, _ := strings.Cut(line, "=")
		command = strings.TrimSpace(command)
		match := pattern.FindStringSubmatch(strings.TrimSpace(target))
		if match == nil || strings.Contains(command, "/") || o.checkName(command) != nil || seen[command] {
			return o.fault(name, "has an invalid command: %.100q", line)
		}
		seen[command] = true
		o.wheel.EntryPoints = append(o.wheel.EntryPoints, EntryPoint{Name: command, Module: match[1], Function: match[2]})
	}
	slices.SortFunc(o.wheel.EntryPoints, func(a, b EntryPoint) int { return strings.Compare(a.Name, b.Name) })
	return s.Err()
}
