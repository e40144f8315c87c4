package python

import (
	"strings"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/types"
)

// Result is one of the values that a function returns, as the annotation of its result declares it.
type Result struct {
	Name string   // of a field, or in Annotated[T, "name"]; "" if the annotation has none
	Type cty.Type // cty.NilType if the annotation leaves it open
	Text string   // of its annotation
}

// Results returns what the annotation of a function's result declares; nil if it declares nothing. The results of a tuple, of
// a dataclass, of a NamedTuple and of a TypedDict are their elements.
func (m *Module) Results(f *Function) []Result {
	a := f.Result.open()
	if a == nil || a.name == "None" {
		return nil
	}
	var out []Result
	if c := m.classes[a.name]; c != nil && len(c.fields) > 1 { // the runner takes an object with one field as it is
		for _, field := range c.fields {
			out = append(out, Result{Name: field.name.Text, Type: m.Type(field.annotation), Text: field.annotation.String()})
		}
		return out
	}
	if name := a.last(); (name == "tuple" || name == "Tuple") && len(a.args) > 1 && a.args[len(a.args)-1].name != "..." {
		for _, arg := range a.args {
			out = append(out, m.result(arg))
		}
		return out
	}
	return []Result{m.result(a)}
}

func (m *Module) result(a *Annotation) Result {
	out := Result{Type: m.Type(a), Text: a.String()}
	if a = a.open(); a.last() == "Annotated" && len(a.args) > 1 {
		out.Name, out.Text = a.args[1].quoted, a.args[0].String()
	}
	return out
}

// open returns the annotation in quotes.
func (a *Annotation) open() *Annotation {
	if a == nil || a.quoted == "" {
		return a
	}
	src := []byte(a.quoted)
	lines, err := scan(src)
	if err != nil || len(lines) != 1 {
		return a
	}
	r := reader{src: src}
	inner := r.annotation(lines[0].tokens)
	inner.Start, inner.End = a.Start, a.End
	return inner
}

// simple are the types of classes, by the last part of their names.
var simple = map[string]string{
	"int": "number", "float": "number", "str": "string", "bool": "bool", "bytes": "bytes",
	"DataFrame": "dataframe", "ndarray": "ndarray", "NDArray": "ndarray", "Path": "file", "Figure": "image",
	"BaseEstimator": "model", "ClassifierMixin": "model", "RegressorMixin": "model", "TransformerMixin": "model",
	"Module": "model", "Model": "model", "Pipeline": "model", "Booster": "model",
}

// modelSuffixes end the names of the classes of models: LogisticRegression, RandomForestClassifier, XGBRegressor.
var modelSuffixes = []string{"Model", "Classifier", "Regressor", "Regression", "Estimator", "Transformer", "Clusterer", "Scaler", "Encoder", "Vectorizer", "SVC", "SVR", "KMeans", "PCA", "GridSearchCV", "RandomizedSearchCV"}

// maxNestedTypes is how many annotations may be inside each other.
const maxNestedTypes = 20

// Type returns the type of the values that an annotation allows; cty.NilType if there is no such type.
func (m *Module) Type(a *Annotation) cty.Type { return m.typeOf(a, 0) }

func (m *Module) typeOf(a *Annotation, depth int) cty.Type {
	a = a.open()
	if a == nil || depth > maxNestedTypes {
		return cty.NilType
	}
	if len(a.either) > 0 {
		return m.either(a.either, depth+1)
	}
	if c := m.classes[a.name]; c != nil && c.record || c == nil && m.bound[a.name] && !m.imported[a.name] {
		return cty.NilType // several values, an alias, or a type variable
	}
	arg := func(i int) cty.Type { return m.typeOf(a.args[i], depth+1) }
	switch name := a.last(); {
	case name == "Annotated" && len(a.args) > 1:
		return arg(0)
	case name == "Optional" && len(a.args) == 1:
		return arg(0)
	case name == "Union":
		return m.either(a.args, depth+1)
	case (name == "list" || name == "List" || name == "Sequence") && len(a.args) == 1:
		return collection(cty.List, arg(0))
	case (name == "tuple" || name == "Tuple") && len(a.args) == 2 && a.args[1].name == "...":
		return collection(cty.List, arg(0))
	case (name == "dict" || name == "Dict" || name == "Mapping") && len(a.args) == 2 && arg(0) == cty.String:
		return collection(cty.Map, arg(1))
	case name == "Image" && strings.HasSuffix(a.name, "Image.Image"):
		return word("image")
	case simple[name] != "" && (len(a.args) == 0 || name == "NDArray" || name == "ndarray"):
		return word(simple[name])
	case len(a.args) == 0:
		for _, suffix := range modelSuffixes {
			if strings.HasSuffix(name, suffix) {
				return word("model")
			}
		}
	}
	return cty.NilType
}

// Container returns "list" or "dict" if an annotation allows only values of that class, whatever they contain; else "".
func (m *Module) Container(a *Annotation) string {
	a = a.open()
	if a == nil || a.name == "" || m.classes[a.name] != nil || m.bound[a.name] && !m.imported[a.name] {
		return ""
	}
	switch a.name {
	case "list", "dict":
		return a.name
	case "List", "typing.List":
		return "list"
	case "Dict", "typing.Dict":
		return "dict"
	}
	return ""
}

// either returns the type that all alternatives but None have.
func (m *Module) either(all []*Annotation, depth int) cty.Type {
	out := cty.NilType
	for _, a := range all {
		if a.name == "None" {
			continue
		}
		t := m.typeOf(a, depth)
		if t == cty.NilType || out != cty.NilType && !out.Equals(t) {
			return cty.NilType
		}
		out = t
	}
	return out
}

func collection(of func(cty.Type) cty.Type, elem cty.Type) cty.Type {
	if elem == cty.NilType {
		return cty.NilType
	}
	return of(elem)
}

func word(text string) cty.Type {
	t, err := types.ParseString(text)
	if err != nil {
		return cty.NilType
	}
	return t
}
