package infer

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/types"
)

func (w *walker) tuple(e *hclsyntax.TupleConsExpr, text bool) cty.Type {
	elems := make([]cty.Type, len(e.Exprs))
	good := true
	for i, item := range e.Exprs {
		elems[i] = w.node(item, text)
		good = good && elems[i] != cty.NilType
	}
	if !good {
		return cty.NilType
	}
	return cty.Tuple(elems)
}

func (w *walker) object(e *hclsyntax.ObjectConsExpr, text bool) cty.Type {
	attrs := map[string]cty.Type{}
	first := map[string]hcl.Range{}
	good, named := true, true
	for _, item := range e.Items {
		name, known, ok := w.key(item.KeyExpr)
		t := w.node(item.ValueExpr, text)
		good = good && ok && t != cty.NilType
		if !known {
			named = false
			continue
		}
		if at, twice := first[name]; twice {
			w.diags.Add(diag.New("duplicate", item.KeyExpr.Range(), "duplicate key %q", name).
				WithRelated(at, "the first %q is here", name))
			good = false
		}
		attrs[name], first[name] = t, item.KeyExpr.Range()
	}
	switch {
	case !good:
		return cty.NilType
	case !named:
		return cty.DynamicPseudoType
	}
	return cty.Object(attrs)
}

// key returns the name of an object's key, if that is known.
func (w *walker) key(e hclsyntax.Expression) (name string, known, ok bool) {
	k, wrapped := e.(*hclsyntax.ObjectConsKeyExpr)
	if wrapped {
		if kw := hcl.ExprAsKeyword(k.Wrapped); kw != "" && !k.ForceNonLiteral {
			return cty.NormalizeString(kw), true, true
		}
		e = k.Wrapped
	}
	if text, _, literal := literalString(e); literal {
		return text, true, true
	}
	t := w.typ(e)
	switch {
	case t == cty.NilType:
		return "", false, false
	case t != cty.String && t != cty.DynamicPseudoType && t != cty.Number && t != cty.Bool:
		w.valueFault("type-mismatch", e.Range(), "a key must be a string, found %s", types.Phrase(t))
		return "", false, false
	}
	return "", false, true
}

// elements returns the types of the keys and the values that a `for` or a splat iterates over.
func (w *walker) elements(t cty.Type, at hcl.Range) (key, value cty.Type, ok bool) {
	switch {
	case t == cty.NilType:
		return t, t, false
	case t == cty.DynamicPseudoType:
		return t, t, true
	case t.IsListType():
		return cty.Number, t.ElementType(), true
	case t.IsSetType():
		return t.ElementType(), t.ElementType(), true
	case t.IsMapType():
		return cty.String, t.ElementType(), true
	case t.IsTupleType():
		u, unified := unifyAll(t.TupleElementTypes())
		if !unified {
			u = cty.DynamicPseudoType
		}
		return cty.Number, u, true
	case t.IsObjectType():
		var all []cty.Type
		for _, a := range t.AttributeTypes() {
			all = append(all, a)
		}
		u, unified := unifyAll(all)
		if !unified {
			u = cty.DynamicPseudoType
		}
		return cty.String, u, true
	}
	w.valueFault("type-mismatch", at, "%s has no elements to iterate over", types.Phrase(t))
	return cty.NilType, cty.NilType, false
}

func (w *walker) forExpr(e *hclsyntax.ForExpr, text bool) cty.Type {
	k, v, ok := w.elements(w.typ(e.CollExpr), e.CollExpr.Range())
	if !ok { // the body is still checked: it may contain wrong references of its own
		k, v = cty.DynamicPseudoType, cty.DynamicPseudoType
	}
	if e.KeyVar != "" {
		w.names = append(w.names, name{e.KeyVar, k})
		defer func() { w.names = w.names[:len(w.names)-1] }()
	}
	w.names = append(w.names, name{e.ValVar, v})
	defer func() { w.names = w.names[:len(w.names)-1] }()

	if e.CondExpr != nil {
		ok = w.operand(e.CondExpr, w.typ(e.CondExpr), cty.Bool) && ok
	}
	if e.KeyExpr != nil {
		kt := w.typ(e.KeyExpr)
		if kt != cty.NilType && kt != cty.DynamicPseudoType && !kt.IsPrimitiveType() {
			kt = w.valueFault("type-mismatch", e.KeyExpr.Range(), "a key must be a string, found %s", types.Phrase(kt))
		}
		ok = ok && kt != cty.NilType
	}
	t := w.node(e.ValExpr, text)
	switch {
	case !ok || t == cty.NilType:
		return cty.NilType
	case e.KeyExpr == nil:
		return cty.List(t)
	case e.Group:
		return cty.Map(cty.List(t))
	}
	return cty.Map(t)
}

func (w *walker) splat(e *hclsyntax.SplatExpr) cty.Type {
	if ref, ok := e.Source.(*hclsyntax.ScopeTraversalExpr); ok && ref.Traversal.RootName() == "step" && len(ref.Traversal) == 2 && !w.shadowed("step") {
		return w.instances(e, ref)
	}
	t := w.typ(e.Source)
	if t == cty.NilType {
		return t
	}
	elem := t // a splat over one value treats it as a list of one
	if t == cty.DynamicPseudoType || t.IsListType() || t.IsSetType() || t.IsTupleType() {
		_, elem, _ = w.elements(t, e.Source.Range())
	}
	return w.each(e, elem)
}

// each returns the type of the list that a splat makes of its elements.
func (w *walker) each(e *hclsyntax.SplatExpr, elem cty.Type) cty.Type {
	if w.anon == nil {
		w.anon = map[*hclsyntax.AnonSymbolExpr]cty.Type{}
	}
	w.anon[e.Item] = elem
	each := w.typ(e.Each)
	if each == cty.NilType {
		return each
	}
	return cty.List(each)
}

// instances returns the type of step.x[*]…: the instances of a step, which the scope resolves.
func (w *walker) instances(e *hclsyntax.SplatExpr, ref *hclsyntax.ScopeTraversalExpr) cty.Type {
	t := append(ref.Traversal[:2:2], hcl.TraverseSplat{SrcRange: e.MarkerRange})
	rest, plain := e.Each.(*hclsyntax.RelativeTraversalExpr)
	if plain {
		if _, plain = rest.Source.(*hclsyntax.AnonSymbolExpr); plain {
			t = append(t, rest.Traversal...)
		}
	}
	typ, taken, handled := w.scope.Instances(t, w.soft > 0)
	switch {
	case typ == cty.NilType || !handled:
		return cty.NilType
	case taken > 3 || plain:
		if typ = w.traverse(typ, t[min(taken, len(t)):]); typ == cty.NilType {
			return typ
		}
		return cty.List(typ)
	}
	return w.each(e, typ)
}
