package expr_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/types"
)

// texts returns the JSON of n strings.
func texts(n int) []byte {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("s3://bucket/part-%06d.parquet", i)
	}
	data, _ := json.Marshal(list)
	return data
}

// BenchmarkLargeList evaluates an expression that reads one element of a list, as each instance of a fan-out does.
func BenchmarkLargeList(b *testing.B) {
	e := expr.Expr{Text: `"${step.a.list[step.a.i]}!"`, Refs: []string{"step.a.i", "step.a.list"}, Type: "string"}
	for _, n := range []int{100, 10_000} {
		list, err := types.FromJSON(texts(n), cty.List(cty.String))
		if err != nil {
			b.Fatal(err)
		}
		for name, v := range map[string]cty.Value{"plain": list, "large": types.Large(list)} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					_, err := e.Eval(func(ref string) (cty.Value, error) {
						if strings.HasSuffix(ref, "list") {
							return v, nil
						}
						return cty.NumberIntVal(7), nil
					})
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// TestLargeIsReadOnce: an expression that reads a large value does not look at all of it.
func TestLargeIsReadOnce(t *testing.T) {
	e := expr.Expr{Text: `"${step.a.list[0]}!"`, Refs: []string{"step.a.i", "step.a.list"}, Type: "string"}
	allocated := func(n int) float64 {
		list, err := types.FromJSON(texts(n), cty.List(cty.String))
		if err != nil {
			t.Fatal(err)
		}
		list = types.Large(list)
		return testing.AllocsPerRun(10, func() {
			v, err := e.Eval(func(ref string) (cty.Value, error) {
				if strings.HasSuffix(ref, "list") {
					return list, nil
				}
				return cty.NumberIntVal(7), nil
			})
			if err != nil || v.IsMarked() {
				t.Fatal(v, err)
			}
		})
	}
	if few, many := allocated(100), allocated(10_000); many > 2*few {
		t.Errorf("%.0f allocations with a list of 100, and %.0f with a list of 10,000", few, many)
	}
}

// TestLargeTexts: the texts of strings stay apart also if one of the values is large.
func TestLargeTexts(t *testing.T) {
	large := `["` + nfc + `"` + strings.Repeat(`,"x"`, 20) + `]`
	got, err := evalLarge(`[step.a.x[0], step.a.y, element([step.a.y, step.a.x[0]], 1), step.a.z[0], step.a.z]`, map[string]string{"step.a.x": large, "step.a.y": `"` + nfd + `"`, "step.a.z": `[1.0` + strings.Repeat(`,1`, 20) + `]`})
	want := `["` + nfc + `","` + nfd + `","` + nfc + `",1.0,[1.0` + strings.Repeat(`,1`, 20) + `]]`
	if err != nil || got != want {
		t.Errorf("got %+q, want %+q (%v)", got, want, err)
	}
}

func evalLarge(text string, refs map[string]string) (string, error) {
	e := expr.Expr{Text: text, Type: "any"}
	for ref := range refs {
		e.Refs = append(e.Refs, ref)
	}
	v, err := e.Eval(func(ref string) (cty.Value, error) {
		v, err := types.FromJSON([]byte(refs[ref]), cty.DynamicPseudoType)
		return types.Large(v), err
	})
	if err != nil {
		return "", err
	}
	out, err := types.ToJSON(v)
	return string(out), err
}
