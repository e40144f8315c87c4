// Package pipec_test checks which folder may import which. See docs/architecture.md.
package pipec_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "pipec.dev/pipec"

// rooms are the folders at the top that may import only what is listed beside them, and themselves. Those that are not
// here (cmd, test) join the others.
var rooms = map[string][]string{
	"schema":   {},
	"compiler": {"schema"},
	"emit":     {"schema"},
	"runtime":  {"schema"},
}

// forTests are packages that tests everywhere may import, and other code may not.
var forTests = []string{module + "/internal/testcluster", module + "/internal/eventually"}

// useCases are the use cases: they join the rooms for cmd, and nothing else may import them but tests. What they themselves
// import is in useCaseRooms.
const useCases = "internal/app"

var useCaseRooms = []string{"schema", "compiler", "emit", "runtime"}

// slim are the packages that travel into the cluster, and what must not be in them, at any depth: it would only add
// megabytes to each step. A pattern that ends in /... means what is below it too.
var slim = []struct {
	who []string
	not []string
	why string
}{
	{
		who: []string{"schema/types", "schema/expr", "schema/program", "schema/record", "runtime/engine/..."},
		not: []string{
			module + "/schema/language/...",
			"github.com/hashicorp/hcl/v2/gohcl/...",
			"github.com/hashicorp/hcl/v2/hclwrite/...",
			"go.yaml.in/yaml/...", "gopkg.in/yaml.v3/...", "gopkg.in/yaml.v2/...", "sigs.k8s.io/yaml/...", "github.com/goccy/go-yaml/...",
		},
		why: "it is part of the agent, which reads programs and no sources",
	},
	{
		who: []string{"runtime/step/..."},
		not: []string{
			module + "/schema/language/...",
			"github.com/hashicorp/hcl/v2/gohcl/...",
			"github.com/hashicorp/hcl/v2/hclwrite/...",
			"go.yaml.in/yaml/v2/...", "go.yaml.in/yaml/v3/...", "gopkg.in/yaml.v3/...", "gopkg.in/yaml.v2/...", "sigs.k8s.io/yaml/...", "github.com/goccy/go-yaml/...", // v4 reads outputs
		},
		why: "it is part of the agent, which reads programs and no sources",
	},
	{
		who: []string{"cmd/pipec-agent/..."},
		not: []string{
			module + "/compiler/...", module + "/emit/...", module + "/schema/language/...", module + "/schema/kube/pod/...",
			"github.com/hashicorp/hcl/v2/gohcl/...", "github.com/hashicorp/hcl/v2/hclwrite/...",
			"go.yaml.in/yaml/v3/...", "gopkg.in/yaml.v3/...", "github.com/goccy/go-yaml/...", // apimachinery brings its own, v2
			"k8s.io/client-go/kubernetes/...", "k8s.io/client-go/dynamic/...", "k8s.io/client-go/tools/leaderelection/...", "github.com/spf13/cobra/...",
		},
		why: "the agent is small, and reads programs and no sources",
	},
}

// pkg is what `go list -json` says of a package.
type pkg struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
	Deps         []string
}

func TestImportDirections(t *testing.T) {
	pkgs := list(t)
	if len(pkgs) == 0 {
		t.Fatal("no packages")
	}
	for _, v := range violations(pkgs) {
		t.Error(v)
	}
}

func list(t *testing.T) []pkg {
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Imports,TestImports,XTestImports,Deps", "./...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var pkgs []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

// violations returns the imports that break a rule.
func violations(pkgs []pkg) []string {
	var out []string
	for _, p := range pkgs {
		// Tests follow the rules too: what joins two rooms is tested where they are joined.
		for _, imported := range unique(p.Imports, p.TestImports, p.XTestImports) {
			if slices.Contains(forTests, imported) && !slices.Contains(p.Imports, imported) {
				continue
			}
			if v := direction(p.ImportPath, imported); v != "" {
				out = append(out, v)
			}
		}
		for _, rule := range slim {
			if !slices.ContainsFunc(rule.who, func(w string) bool { return matches(module+"/"+w, p.ImportPath) }) {
				continue
			}
			for _, dep := range p.Deps {
				if slices.ContainsFunc(rule.not, func(n string) bool { return matches(n, dep) }) {
					out = append(out, fmt.Sprintf("%s has %s among its dependencies (go mod why says by whom): %s", p.ImportPath, dep, rule.why))
				}
			}
		}
	}
	return append(out, folderCycles(pkgs)...)
}

func direction(from, to string) string {
	if v := useCaseDirection(strings.TrimPrefix(from, module+"/"), strings.TrimPrefix(to, module+"/")); v != "" {
		return v
	}
	room, other := top(from), top(to)
	allowed, ruled := rooms[room]
	if !ruled || other == "" || other == room || slices.Contains(allowed, other) {
		return ""
	}
	if len(allowed) == 0 {
		return fmt.Sprintf("%s imports %s: %s imports nothing of the rest", from, to, room)
	}
	return fmt.Sprintf("%s imports %s: %s imports only itself and %s", from, to, room, strings.Join(allowed, ", "))
}

// useCaseDirection is direction for imports of the use cases, and from them; the paths are those within the module.
func useCaseDirection(from, to string) string {
	inside := matches(useCases+"/...", from)
	switch {
	case !inside && matches(useCases+"/...", to) && top(module+"/"+from) != "cmd" && top(module+"/"+from) != "test":
		return fmt.Sprintf("%s imports %s: only cmd and tests import %s", from, to, useCases)
	case inside && !matches(useCases+"/...", to) && slices.Contains([]string{"cmd", "internal", "test"}, top(module+"/"+to)):
		return fmt.Sprintf("%s imports %s: %s imports only itself and %s", from, to, useCases, strings.Join(useCaseRooms, ", "))
	}
	return ""
}

// top is the folder at the top that a package is in, "." for the module's root, "" for another module's package.
func top(path string) string {
	if path == module {
		return "."
	}
	rest, ok := strings.CutPrefix(path, module+"/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}

func matches(pattern, path string) bool {
	if base, ok := strings.CutSuffix(pattern, "/..."); ok {
		return path == base || strings.HasPrefix(path, base+"/")
	}
	return path == pattern
}

// folderCycles finds folders of one folder that import each other in a ring, each with all that is below it. Go refuses
// that of packages; a/x -> b -> a/y is none to Go, and yet a and b can't be understood one after the other.
func folderCycles(pkgs []pkg) []string {
	edges := map[string]map[string]string{} // folder -> folder -> the import that joins them
	for _, p := range pkgs {
		for _, imported := range p.Imports {
			if top(imported) == "" {
				continue
			}
			if from, to := siblings(p.ImportPath, imported); from != to {
				if edges[from] == nil {
					edges[from] = map[string]string{}
				}
				edges[from][to] = p.ImportPath + " imports " + imported
			}
		}
	}
	var out []string
	state := map[string]int{} // 1: on the way, 2: done
	var path []string
	var visit func(string)
	visit = func(folder string) {
		state[folder] = 1
		path = append(path, folder)
		for _, next := range keys(edges[folder]) {
			switch state[next] {
			case 0:
				visit(next)
			case 1:
				ring := path[slices.Index(path, next):]
				var why []string
				for i, f := range ring {
					why = append(why, edges[f][ring[(i+1)%len(ring)]])
				}
				out = append(out, "folders import each other in a ring: "+strings.Join(why, "; "))
			}
		}
		path = path[:len(path)-1]
		state[folder] = 2
	}
	for _, folder := range keys(edges) {
		if state[folder] == 0 {
			visit(folder)
		}
	}
	return out
}

// siblings cuts two paths just below the folder that both are in. A package in the folder itself is returned as "folder/.".
func siblings(a, b string) (string, string) {
	x, y := strings.Split(a, "/"), strings.Split(b, "/")
	i := 0
	for i < len(x) && i < len(y) && x[i] == y[i] {
		i++
	}
	name := func(parts []string) string {
		if i == len(parts) {
			return strings.Join(parts, "/") + "/."
		}
		return strings.Join(parts[:i+1], "/")
	}
	return name(x), name(y)
}

func keys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func unique(lists ...[]string) []string {
	all := slices.Concat(lists...)
	slices.Sort(all)
	return slices.Compact(all)
}

// TestViolations: each rule is broken once.
func TestViolations(t *testing.T) {
	p := func(path string, imports ...string) pkg {
		for i, s := range imports {
			imports[i] = module + "/" + s
		}
		return pkg{ImportPath: module + "/" + path, Imports: imports}
	}
	for _, c := range []struct {
		name string
		pkgs []pkg
		want string // part of the only violation; "" for none
	}{
		{"down", []pkg{p("cmd/pipec", "compiler", "runtime/local", "schema/program"), p("compiler", "compiler/diag", "schema/types")}, ""},
		{"schema up", []pkg{p("schema/types", "compiler/diag")}, "schema imports nothing of the rest"},
		{"aside", []pkg{p("emit/graph", "runtime/engine")}, "emit imports only itself and schema"},
		{"into cmd", []pkg{p("runtime/local", "cmd/pipec")}, "runtime imports only itself and schema"},
		{"the test cluster in a test", []pkg{{ImportPath: module + "/runtime/kube", XTestImports: forTests}}, ""},
		{"the test cluster elsewhere", []pkg{{ImportPath: module + "/runtime/kube", Imports: forTests[:1]}}, "runtime imports only"},
		{"in a test", []pkg{{ImportPath: module + "/compiler", XTestImports: []string{module + "/runtime/local"}}}, "compiler imports only"},
		{"yaml in expr", []pkg{{ImportPath: module + "/schema/expr", Deps: []string{"fmt", "go.yaml.in/yaml/v3"}}}, "has go.yaml.in/yaml/v3 among its dependencies"},
		{"language in the agent", []pkg{{ImportPath: module + "/cmd/pipec-agent", Deps: []string{module + "/schema/language"}}}, "reads programs and no sources"},
		{"compiler in the agent", []pkg{{ImportPath: module + "/cmd/pipec-agent", Deps: []string{module + "/compiler/diag"}}}, "the agent is small"},
		{"language in the compiler", []pkg{{ImportPath: module + "/compiler", Deps: []string{module + "/schema/language"}}}, ""},
		{"use cases", []pkg{p("cmd/pipec", "internal/app"), p("internal/app/records", "runtime/runs", "internal/app/fault", "compiler/diag")}, ""},
		{"use cases elsewhere", []pkg{p("internal/docs", "internal/app")}, "only cmd and tests import internal/app"},
		{"use cases in a room", []pkg{p("runtime/local", "internal/app/fault")}, "only cmd and tests import internal/app"},
		{"out of use cases", []pkg{p("internal/app", "internal/docs")}, "internal/app imports only itself and"},
		{"folders", []pkg{p("runtime/a/x", "runtime/b"), p("runtime/b", "runtime/a/y"), p("runtime/a/y")}, "in a ring"},
		{"parent and grandchild", []pkg{p("runtime", "runtime/a"), p("runtime/a/x", "runtime")}, "in a ring"},
	} {
		got := violations(c.pkgs)
		if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || !strings.Contains(got[0], c.want)) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}
