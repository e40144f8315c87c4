package step

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/runtime/step/mask"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// maxValueFile is the maximum size of a file that contains a value among others, in bytes.
const maxValueFile = 16 << 20

// fileValue reads the value of an output from a file that the step has written for other purposes: Output.File. It returns nil
// without a failure if an optional output is missing.
func (a *attempt) fileValue(out *program.Output, t cty.Type) (*found, *failure) {
	path := filepath.FromSlash(out.File)
	if !filepath.IsAbs(path) {
		path = filepath.Join(a.dir, path)
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && out.Optional:
		return nil, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, userFailure(record.ReasonOutputMissing, "output %q is declared %s and read from %s, but the step didn't write this file%s",
			out.Name, out.Type, out.File, relativeTo(out.File, a.dir))
	case err != nil:
		return nil, userFailure(record.ReasonOutputInvalid, "output %q can't be read from %s: %s", out.Name, out.File, plain(err))
	}
	value, missing, why := readFile(path, info, out, t, a.masks)
	switch {
	case missing && out.Optional:
		return nil, nil
	case why != "" && missing:
		return nil, userFailure(record.ReasonOutputMissing, "output %q is declared %s and read from %s: %s", out.Name, out.Type, out.File, why)
	case why != "":
		return nil, userFailure(record.ReasonOutputInvalid, "output %q is declared %s and read from %s: %s", out.Name, out.Type, out.File, why)
	}
	return &found{typ: out.Type, value: value}, nil
}

// relativeTo explains where a relative path is looked for.
func relativeTo(file, dir string) string {
	if filepath.IsAbs(file) {
		return ""
	}
	return " (relative paths are resolved in the directory that the process started in, " + dir + ")"
}

// readFile reads the value in a file by the format that the file's name declares. missing reports that the file has no such key.
func readFile(path string, info fs.FileInfo, out *program.Output, t cty.Type, masks *mask.Set) (value json.RawMessage, missing bool, why string) {
	switch {
	case !info.Mode().IsRegular():
		return nil, false, "expected a file, found a " + describeMode(info.Mode())
	case info.Size() > maxValueFile:
		return nil, false, fmt.Sprintf("the file has %d bytes, but a file with values can have at most %d", info.Size(), maxValueFile)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, false, "it can't be read: " + plain(err)
	}
	switch strings.ToLower(filepath.Ext(out.File)) {
	case ".csv":
		return csvValue(data, out.Key, t)
	case ".yaml", ".yml":
		if data, why = yamlToJSON(data); why != "" {
			return nil, false, "the file is not valid YAML: " + why
		}
	case ".json":
		if why := checkJSON(bytes.NewReader(data)); why != "" {
			return nil, false, notJSON(data, why, masks)
		}
	default:
		if out.Key == "" {
			if value, why = parseValue(data, t); why != "" && t != cty.String {
				why = notJSON(data, why, masks)
			}
			return value, false, why
		}
		if why := checkJSON(bytes.NewReader(data)); why != "" {
			return nil, false, notJSON(data, why, masks)
		}
	}
	if out.Key != "" {
		if data, why = valueAt(data, out.Key); why != "" {
			return nil, true, why
		}
	}
	if out.Optional && bytes.Equal(bytes.TrimSpace(data), []byte("null")) {
		return nil, true, "" // as None of a python function
	}
	if value, why = typedValue(data, t); why != "" {
		why += ": " + onOneLine(masks.String(string(data)))
	}
	return value, false, why
}

// typedValue converts JSON to the value of a type. A file that was written for other purposes may contain more than the type
// declares.
func typedValue(data []byte, t cty.Type) (json.RawMessage, string) {
	value, err := types.Canonical(onlyDeclared(data, t), t)
	if err != nil {
		return nil, err.Error()
	}
	return value, ""
}

// onlyDeclared removes the attributes of objects that a type does not declare.
func onlyDeclared(data json.RawMessage, t cty.Type) json.RawMessage {
	var out any
	switch {
	case t.IsObjectType():
		var object map[string]json.RawMessage
		if json.Unmarshal(data, &object) != nil || object == nil {
			return data
		}
		for name, value := range object {
			if !t.HasAttribute(name) {
				delete(object, name)
				continue
			}
			object[name] = onlyDeclared(value, t.AttributeType(name))
		}
		out = object
	case t.IsMapType() && declares(t.ElementType()):
		var object map[string]json.RawMessage
		if json.Unmarshal(data, &object) != nil || object == nil {
			return data
		}
		for name, value := range object {
			object[name] = onlyDeclared(value, t.ElementType())
		}
		out = object
	case (t.IsListType() || t.IsSetType()) && declares(t.ElementType()):
		var list []json.RawMessage
		if json.Unmarshal(data, &list) != nil || list == nil {
			return data
		}
		for i := range list {
			list[i] = onlyDeclared(list[i], t.ElementType())
		}
		out = list
	default:
		return data
	}
	encoded, err := json.Marshal(out)
	if err != nil {
		return data
	}
	return encoded
}

// declares reports whether a type contains an object.
func declares(t cty.Type) bool {
	for t.IsCollectionType() {
		t = t.ElementType()
	}
	return t.IsObjectType()
}

// valueAt returns the value of a key of an object: of a name as it is, or else of a path of names with dots.
func valueAt(data json.RawMessage, key string) (value json.RawMessage, why string) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil || object == nil {
		return nil, fmt.Sprintf("it has no key %q, because it contains %s", key, describeJSON(data))
	}
	if value, ok := object[key]; ok {
		return value, ""
	}
	for i := 0; i < len(key); i++ {
		if inner, ok := object[key[:i]]; key[i] == '.' && ok {
			if value, why := valueAt(inner, key[i+1:]); why == "" {
				return value, ""
			}
		}
	}
	return nil, fmt.Sprintf("it has no key %q; its keys: %s", key, someOf(slices.Sorted(maps.Keys(object))))
}

// describeJSON returns the kind of a JSON value.
func describeJSON(data []byte) string {
	data = bytes.TrimSpace(data)
	switch {
	case len(data) == 0:
		return "nothing"
	case data[0] == '[':
		return "a list"
	case data[0] == '"':
		return "a string"
	case data[0] == 't' || data[0] == 'f':
		return "a bool"
	case data[0] == 'n':
		return "null"
	case data[0] == '{':
		return "an object"
	}
	return "a number"
}

// someOf lists the first names.
func someOf(names []string) string {
	const most = 20
	switch {
	case len(names) == 0:
		return "none"
	case len(names) > most:
		names = append(names[:most:most], "…")
	}
	return strings.Join(names, ", ")
}
