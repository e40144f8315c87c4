package expr_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/types"
)

func evaluate(text string, values map[string]cty.Value) (cty.Value, error) {
	e := expr.Expr{Text: text, Type: "any"}
	for name := range values {
		e.Refs = append(e.Refs, name)
	}
	return e.Eval(func(ref string) (cty.Value, error) { return values[ref], nil })
}

// The results of functions and operators with nulls, with values of several types, and with values of type any.
func TestResults(t *testing.T) {
	values := map[string]cty.Value{}
	for name, json := range map[string]string{"step.a.o": `{"n":null,"i":5,"s":"5","l":["a",1]}`} {
		v, err := types.FromJSON([]byte(json), cty.DynamicPseudoType)
		if err != nil {
			t.Fatal(err)
		}
		values[name] = v
	}
	values["step.a.skipped"] = cty.NullVal(cty.String)
	for text, want := range map[string]string{
		`jsonencode(contains(["a"], step.a.o.n))`:                          `false`,
		`jsonencode(contains(["a", null], step.a.o.n))`:                    `true`,
		`jsonencode(contains(step.a.o.l, "1"))`:                            `false`,
		`jsonencode(contains([[1]], tolist([1])))`:                         `true`,
		`jsonencode(setunion([], []))`:                                     `[]`,
		`jsonencode(setunion(["b"], ["a", "b"], []))`:                      `["a","b"]`,
		`jsonencode(setintersection([2, 1], [2], [2, 3]))`:                 `[2]`,
		`jsonencode(setsubtract(["a", "b"], [step.a.o.n, "b"]))`:           `["a"]`,
		`jsonencode(setsubtract([], ["b"]))`:                               `[]`,
		`setunion(["a"], [1])`:                                             `error: expected one type`,
		`toset(step.a.o.l)`:                                                `error: found a string and a number`,
		`tolist(step.a.o.l)`:                                               `error: found a string and a number`,
		`tomap({ a = 1, b = "x" })`:                                        `error: found a number and a string`,
		`jsonencode(tolist([[1], [1, 2]]))`:                                `[[1],[1,2]]`,
		`jsonencode(distinct(concat(step.a.o.l, step.a.o.l)))`:             `["a",1]`,
		`jsonencode(distinct([1, 1, 2]))`:                                  `[1,2]`,
		`jsonencode(distinct([null, 1, null]))`:                            `[null,1]`,
		`jsonencode(chunklist(step.a.o.l, 1))`:                             `[["a"],[1]]`,
		`jsonencode(chunklist([1, 2, 3], 2))`:                              `[[1,2],[3]]`,
		`jsonencode(chunklist([1, 2, 3], 0))`:                              `[[1,2,3]]`,
		`jsonencode(concat(tolist(["a"]), tolist([1])))`:                   `["a",1]`,
		`jsonencode(lookup(tomap({ a = "x" }), "b", 1))`:                   `1`,
		`jsonencode(lookup(tomap({ a = "x" }), "a", 1))`:                   `"x"`,
		`jsonencode(coalesce(step.a.o.n, step.a.o.i))`:                     `5`,
		`jsonencode(true ? step.a.o.i : step.a.o.s)`:                       `5`,
		`jsonencode(step.a.o.i == 5 ? step.a.o.s : step.a.o.i)`:            `"5"`,
		`jsonencode([for v in [1, 2] : v == 1 ? step.a.o.l : step.a.o.n])`: `[["a",1],null]`,
		`jsonencode(true ? (false ? 1 : step.a.o.s) : step.a.o.i)`:         `"5"`,
		`jsonencode(merge(step.a.o.n, { a = 1 }))`:                         `{"a":1}`,
		`jsonencode(flatten([step.a.o.l, [[2]]]))`:                         `["a",1,2]`,
		`jsonencode(setproduct(["a", "b"], [1]))`:                          `[["a",1],["b",1]]`,
		`setproduct(step.a.o.l, [1])`:                                      `error: found a string and a number`,
		`jsonencode(step.a.o.n == 5)`:                                      `false`,
		`jsonencode(step.a.o.n == null)`:                                   `true`,
		`step.a.o.n > 5`:                                                   `error: step.a.o.n > 5: argument must not be null, but step.a.o.n is null`,
		`step.a.o.n + 1`:                                                   `error: argument must not be null, but step.a.o.n is null`,
		`step.a.o.n && true`:                                               `error: argument must not be null, but step.a.o.n is null`,
		`step.a.o.i == 5 && step.a.o.n`:                                    `error: argument must not be null, but step.a.o.n is null`,
		`step.a.o.n && step.a.o.n`:                                         `error: argument must not be null, but step.a.o.n is null`,
		`step.a.o.n || step.a.o.n`:                                         `error: argument must not be null, but step.a.o.n is null`,
		`step.a.o.n || false`:                                              `error: argument must not be null, but step.a.o.n is null`,
		`jsonencode(step.a.o.n && false)`:                                  `false`,
		`jsonencode(step.a.o.i == 5 || step.a.o.n)`:                        `true`,
		`upper(step.a.o.n)`:                                                `error: argument must not be null, but step.a.o.n is null`,
		`step.a.o.n ? 1 : 2`:                                               `error: The condition value is null.`,
		`"x${step.a.o.n}"`:                                                 `error: but step.a.o.n is null`,
		`step.a.o.i / 0`:                                                   `error: division by zero`,
		`try(step.a.o.i / 0, "none")`:                                      `none`,
		`jsonencode([try(step.a.o.zz.y, null), try(null, null)])`:          `[null,null]`,
		`jsonencode([try(null, 2, null), try(1 / 0, null)])`:               `[2,null]`,
		`try(null, 1 / 0)`:                                                 `error: division by zero`,
		`try(1 / 0, step.a.skipped)`:                                       `error: division by zero`,
		`try(null, step.a.skipped)`:                                        `error: every argument is null`,
		`coalesce(null, null)`:                                             `error: every argument is null`,
		`pow(10, 999) * pow(10, 999)`:                                      `error: pow`,
		`1e999 * 1e999 * 1e999 * 1e999 * 1e999 * 1e999`:                    `error: infinite, or takes too many digits`,
		`"${-"1e99999999"}"`:                                               `error: infinite, or takes too many digits`,
		`log(0, 10)`:                                                       `error: expected a number greater than 0`,
		`log(10, 1)`:                                                       `error: expected a base other than 1`,
		`pow(0, -1)`:                                                       `error: 0 can't be raised to a negative power`,
		`indent(1.5, "a")`:                                                 `error: expected a whole number`,
		`zipmap(["a", step.a.o.n], [1, 2])`:                                `error: null`,
		`replace("aaaa", "a", indent(16000000, "\n"))`:                     `error: more than 16777216 bytes`,
		`join(indent(16000000, "\n"), ["a", "b", "c"])`:                    `error: more than 16777216 bytes`,
		`format("%[1]s%[1]s%[1]s", indent(16000000, "\n"))`:                `error: more than 16777216 bytes`,
		`length(setproduct(range(1000), range(1000)))`:                     `error: more than 100000 elements`,
		`parseint(indent(5000, "\n"), 10)`:                                 `error: more than 4096 characters`,
		`range(0, 1, 0)`:                                                   `error: the step must not be 0`,
		`csvdecode("\ufeffname\nann")[0].name`:                             `ann`,
		`csvdecode("é,é\n1,2")`:                                            `error: two columns have`,
		`csvdecode("")`:                                                    `error: the text is empty`,
		`csvdecode("a,b\n1")`:                                              `error: not valid CSV: line 2: wrong number of fields`,
		`jsonencode(csvdecode("a,b\n1,2\n"))`:                              `[{"a":"1","b":"2"}]`,
		`jsonencode(csvdecode("a,b\n"))`:                                   `[]`,
		`jsondecode("\ufeff[1, \"x\"]")[1]`:                                `x`,
		`jsondecode("{\"e\u0301\": 1, \"\u00e9\": 2}")`:                    `error: an object has`,
		`jsondecode("\"\\ud800\"")`:                                        `error: half of a surrogate pair`,
		`contains("abc", "a")`:                                             `error: expected a list or a set, found a string`,
	} {
		v, err := evaluate(text, values)
		switch got := ""; {
		case strings.HasPrefix(want, "error: "):
			want = strings.Replace(strings.TrimPrefix(want, "error: "), "expected one type", "the elements must have one type", 1)
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "internal") {
				t.Errorf("%s: %.300v, want the error %s", text, err, want)
			}
		case err != nil:
			t.Errorf("%s: %v, want %s", text, err, want)
		default:
			if got = v.AsString(); got != want {
				t.Errorf("%s: %s, want %s", text, got, want)
			}
		}
	}
}

// A panic of a lookup or of the evaluation is an error with the text of the expression, and without a value.
func TestPanicInEval(t *testing.T) {
	e := expr.Expr{Text: "step.a.x + 1", Refs: []string{"step.a.x"}, Type: "number"}
	_, err := e.Eval(func(string) (cty.Value, error) { panic("secret") })
	var internal *expr.PanicError
	if !errors.As(err, &internal) || !strings.HasPrefix(err.Error(), "step.a.x + 1: ") || strings.Contains(err.Error(), "secret") ||
		!strings.Contains(err.Error(), "expr_test.TestPanicInEval") {
		t.Errorf("%v", err)
	}
	_, err = e.Eval(func(string) (cty.Value, error) { return cty.UnknownVal(cty.Number), nil })
	if err == nil || !strings.Contains(err.Error(), "the result is not known") {
		t.Errorf("an unknown value: %v", err)
	}
	values := map[string]cty.Value{"step.a.x": cty.ObjectVal(map[string]cty.Value{"k": cty.ListVal([]cty.Value{cty.NullVal(cty.String)}), "u": cty.UnknownVal(cty.String)})}
	if _, err = evaluate(`step.a.x`, values); err == nil || !strings.HasSuffix(err.Error(), "the result is not known, because step.a.x.k[0] is null") {
		t.Errorf("a value with a null: %v", err)
	}
}
