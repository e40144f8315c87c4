// Package evaluate evaluates the part of a project that is known when compiling: its variables with their values, its
// locals, its stacks, images and codes. Names may refer forward, so values are computed on demand, each once.
//
// The work is divided among types that own their data, and each uses those below it:
//
//	Project     the declarations of a project or a library
//	Attributes  reads the constant attributes of blocks
//	Constants   evaluates expressions that must be known when compiling
//	Scope       what a reference or a function in a constant means
//	Values      variables and locals, with their order and cycles
//	Given       the values that flags, files, the environment and importers set for variables
//
// What waits for run time (params, steps) belongs to package check. This package knows only which kinds of references a
// constant may contain.
package evaluate

import (
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/python"
)

// Project contains the declarations of a project or of a library, and the values of its constants. It is not safe for
// concurrent use.
type Project struct {
	Dir       string
	Root      string          // for a library: its directory, relative to the compiled project's, with slashes
	Blocks    []*decode.Block // all declarations
	Diags     *diag.List
	Name      string        // the project's name; "" if it has none
	Settings  *decode.Block // the `project` block; nil if there is none
	Stacks    map[string]*decode.Block
	Images    map[string]*decode.Block
	Codes     map[string]*decode.Block
	Pipelines map[string]*decode.Block
	Libraries map[string]*decode.Block
	Imports   map[string]*Project // the libraries, by their names here, except the faulty ones

	Python *python.Modules // the modules of the project's code

	Values     *Values
	Scope      *Scope
	Constants  *Constants
	Attributes *Attributes

	given *Given
	used  map[*decode.Block]bool
}

// New collects the declarations. It evaluates nothing except the project's name.
func New(dir string, blocks []*decode.Block, sources map[string][]byte, diags *diag.List) *Project {
	w := &Project{
		Dir: dir, Blocks: blocks, Diags: diags,
		Stacks: map[string]*decode.Block{}, Images: map[string]*decode.Block{}, Codes: map[string]*decode.Block{},
		Pipelines: map[string]*decode.Block{}, Libraries: map[string]*decode.Block{}, Imports: map[string]*Project{}, used: map[*decode.Block]bool{},
		Python: &python.Modules{},
	}
	w.connect(sources)
	named := map[string]map[string]*decode.Block{"stack": w.Stacks, "image": w.Images, "code": w.Codes, "pipeline": w.Pipelines, "library": w.Libraries}
	for _, b := range blocks {
		switch b.Def.Name {
		case "variable":
			w.Values.declare(w.Values.Variables, &Name{Address: "var." + b.Label, Range: b.LabelRange, block: b}, b.Label)
		case "locals":
			for _, a := range b.Sorted() {
				w.Values.declare(w.Values.Locals, &Name{Address: "local." + a.Name, Range: a.NameRange, expr: a.Expr}, a.Name)
			}
		default:
			if m, ok := named[b.Def.Name]; ok {
				Declare(m, b, diags)
			}
		}
	}
	for _, b := range blocks {
		if b.Def.Name == "pipec" {
			w.settings(b)
		}
	}
	return w
}

// Show makes the text of a file part of the sources, so that diagnostics can show it.
func (w *Project) Show(name string, src []byte) { w.Scope.sources[name] = src }

// connect creates the parts of the project. Names are evaluated like all constants, and constants read names.
func (w *Project) connect(sources map[string][]byte) {
	w.Values = &Values{Variables: map[string]*Name{}, Locals: map[string]*Name{}, diags: w.Diags}
	w.Scope = &Scope{values: w.Values, functions: Functions(w.Dir), sources: sources, diags: w.Diags}
	w.Constants = &Constants{scope: w.Scope, diags: w.Diags}
	w.Attributes = &Attributes{constants: w.Constants, values: w.Values, diags: w.Diags}
	w.given = &Given{declared: w.Values.Variables, values: map[string]given{}, scope: w.Scope, sources: sources, diags: w.Diags}
	w.Values.scope, w.Values.constants = w.Scope, w.Constants
	w.Values.variables = &variables{given: w.given, constants: w.Constants, attributes: w.Attributes, diags: w.Diags}
}

func (w *Project) settings(b *decode.Block) {
	w.Settings = b
	name, ok := w.Attributes.String(b, "project")
	if ok && !decode.ValidName(name) {
		w.Diags.Add(diag.New("invalid-name", b.Attr("project").Range(), "%q is not a valid name for a project", name).WithDetail(decode.NameRule))
		return
	}
	w.Name = name
}

// Give sets the values of variables, from the weakest source to the strongest: pipec.auto.vars, STACK.auto.vars, the
// environment, and then flags and files in their order.
func (w *Project) Give(stack string, env []string, sources []Source) {
	w.given.automatic(w.Dir, stack)
	w.given.environment(env)
	w.given.named(sources)
}

// Import makes w the project of a library: the values of its variables are those that block b of another project sets, by name,
// and no others.
func (w *Project) Import(root string, b *decode.Block, values map[string]cty.Value) {
	w.Root = root
	w.given.imported(b, values)
}
