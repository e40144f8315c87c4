package aws

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pipec.dev/pipec/schema/kinds"
	"pipec.dev/pipec/schema/program"
)

var update = flag.Bool("update", false, "write the golden files")

// An option is one way to write a part of a recipe.
type option struct {
	name string
	set  func(kinds.Values)
}

func set(name string, pairs ...any) option {
	return option{name, func(v kinds.Values) {
		for i := 0; i < len(pairs); i += 2 {
			v[pairs[i].(string)] = pairs[i+1]
		}
	}}
}

// shapes are the options that decide which resources there are: their combinations have a golden file each.
var shapes = [][]option{
	{set("bucket"), set("existing-bucket", "bucket", "data-of-mine"), set("no-bucket", "-", "bucket")},
	{set("repositories"), set("no-repositories", "-", "repositories")},
	{
		set("cluster"),
		set("cluster-in-subnets", "subnets", []string{"subnet-0123456789abcdef0", "subnet-0123456789abcdef1"}),
		set("existing-cluster", "cluster", "shared"),
		set("irsa", "cluster", "shared", "identity", "irsa", "oidc_provider", "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/ABC"),
		set("no-cluster", "-", "cluster"),
	},
}

// details are the options that change properties of these resources, or their number.
var details = [][]option{
	{set(""), set("boundary", "permissions_boundary", "arn:aws:iam::123456789012:policy/limits")},
	{set(""), set("protected", "deletion_protection", true)},
	{set(""), set("tags", "tags", map[string]string{"team": "ml", "cost center": "42"})},
	{set(""), set("namespaces", "namespaces", []string{"ml", "ml-2", "batch"})},
	{set(""), set("whole-bucket", "prefix", "")},
	{set(""), set("use1", "region", "us-east-1")},
	{set(""), set("no-accounts", "accounts", 0), set("many-accounts", "accounts", 13)},
}

// product returns all combinations of the options.
func product(groups [][]option) [][]option {
	out := [][]option{nil}
	for _, group := range groups {
		var next [][]option
		for _, before := range out {
			for _, o := range group {
				next = append(next, append(slices.Clone(before), o))
			}
		}
		out = next
	}
	return out
}

// read returns the recipe of a combination, as the compiler reads it, or nil if the combination makes nothing.
func read(t *testing.T, options []option) (string, *Recipe) {
	t.Helper()
	v := kinds.Values{"region": "eu-central-1"}
	var names, without []string
	accounts := 2
	for _, o := range options {
		if o.name != "" {
			names = append(names, o.name)
		}
		o.set(v)
		if part, ok := v["-"].(string); ok {
			without = append(without, part)
			delete(v, "-")
		}
		if n, ok := v["accounts"].(int); ok {
			accounts = n
			delete(v, "accounts")
		}
	}
	row := kinds.Builtin().Recipe("aws")
	if len(without) > 0 {
		all := &program.Recipe{}
		row.Read(v, all)
		if slices.Contains(without, "cluster") {
			without = append(without, "network")
		}
		v["create"] = slices.DeleteFunc(all.Create, func(part string) bool { return slices.Contains(without, part) })
	}
	stack := &program.Stack{
		Name: "prod", Orchestrator: program.Orchestrator{Namespace: "ml"},
		ArtifactStore: program.Store{Path: "s3://x/" + strings.TrimPrefix(fmt.Sprint(v["prefix"]), "<nil>"), Role: "arn:aws:iam::1:role/x"}, Recipe: &program.Recipe{Kind: "aws"},
	}
	faults := row.Read(v, stack.Recipe)
	name := strings.Join(names, "_")
	if len(stack.Recipe.Create) == 0 && stack.Recipe.Cluster == "" {
		return name, nil
	}
	if faults = append(faults, row.Complete("digits", stack, func(string, string) bool { return false })...); len(faults) > 0 {
		t.Fatalf("%s: %+v", name, faults)
	}
	r := &Recipe{Recipe: stack.Recipe, Project: "digits", Stack: "prod", Namespace: "ml"}
	for i := range accounts {
		r.Accounts.Coordinators = append(r.Accounts.Coordinators, fmt.Sprintf("train-%d-run", i))
		r.Accounts.Steps = append(r.Accounts.Steps, fmt.Sprintf("train-%d-steps", i))
	}
	if accounts > 0 {
		r.Accounts.Images = []string{"digits/train"}
	}
	return name, r
}

func template(t testing.TB, r *Recipe) []byte {
	t.Helper()
	out, err := r.Template()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestTemplates compares the templates of all shapes, and of the whole shape with each detail, with the golden files.
func TestTemplates(t *testing.T) {
	cases := product(shapes)
	for _, group := range details {
		for _, o := range group[1:] {
			cases = append(cases, []option{shapes[0][0], shapes[1][0], shapes[2][0], o}, []option{shapes[0][0], shapes[1][0], shapes[2][3], o})
		}
	}
	var made []string
	for _, options := range cases {
		name, r := read(t, options)
		if r == nil {
			continue
		}
		module, err := r.Module()
		if err != nil {
			t.Fatal(err)
		}
		for file, got := range map[string][]byte{name + ".json": template(t, r), name + ".tf": module} {
			made = append(made, file)
			file = filepath.Join("testdata", file)
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want, err := os.ReadFile(file); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s differs (%v): run the test with -update, and look at the difference", file, err)
			}
		}
	}
	there, err := filepath.Glob("testdata/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range there {
		if !slices.Contains(made, filepath.Base(file)) {
			t.Errorf("%s is of no combination", file)
		}
	}
}

var references = regexp.MustCompile(`\$\{(\w+)\}`)

// TestEveryCombination checks what must hold for the template of every combination of the options.
func TestEveryCombination(t *testing.T) {
	n := 0
	other := option{"other", func(v kinds.Values) { // details that change single values
		for _, i := range []int{2, 4, 5} {
			details[i][1].set(v)
		}
	}}
	groups := append(slices.Clone(shapes), details[0], details[1], details[3], details[6][:2], []option{set(""), other})
	for _, options := range product(groups) {
		name, r := read(t, options)
		if r == nil {
			continue
		}
		n++
		first := template(t, r)
		var doc struct {
			Resources map[string]struct {
				Type           string
				Properties     map[string]any
				DependsOn      []string
				DeletionPolicy string
			}
			Outputs map[string]struct{ Value any }
		}
		if err := json.Unmarshal(first, &doc); err != nil {
			t.Fatal(err)
		}
		known := func(ref string) {
			if _, ok := doc.Resources[ref]; !ok && !strings.HasPrefix(ref, "AWS::") {
				t.Errorf("%s: there is no resource %s", name, ref)
			}
		}
		for _, o := range doc.Outputs {
			walk(o.Value, known)
		}
		for id, one := range doc.Resources {
			for _, v := range one.Properties {
				walk(v, known)
			}
			for _, ref := range one.DependsOn {
				known(ref)
			}
			keeps := strings.HasPrefix(one.Type, "AWS::S3::") || one.Type == "AWS::ECR::Repository"
			if keeps != (one.DeletionPolicy == "RetainExceptOnCreate") {
				t.Errorf("%s: %s has the deletion policy %q", name, id, one.DeletionPolicy)
			}
			if _, bounded := one.Properties["PermissionsBoundary"]; one.Type == "AWS::IAM::Role" && bounded != (r.PermissionsBoundary != "") {
				t.Errorf("%s: the permissions boundary of %s is wrong", name, id)
			}
		}
		row := kinds.Builtin().Recipe("aws")
		for _, o := range row.Outputs {
			has, _ := row.Has(r.Recipe, o.Name)
			if _, ok := doc.Outputs[OutputName(o.Name)]; ok != has {
				t.Errorf("%s: the output %s is there: %t, expected %t", name, o.Name, ok, has)
			}
		}
		associations := 0
		if r.HasRoles() && r.Identity == kinds.PodIdentity {
			associations = len(r.Namespaces) * (len(r.Accounts.Coordinators) + len(r.Accounts.Steps))
		}
		if got := bytes.Count(first, []byte(`"AWS::EKS::PodIdentityAssociation"`)); got != associations {
			t.Errorf("%s: %d Pod Identity associations, expected %d", name, got, associations)
		}
	}
	if n < 800 {
		t.Errorf("only %d combinations", n)
	}
}

// walk calls f with each resource that a value refers to.
func walk(v any, f func(string)) {
	var visit func(any)
	visit = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				visit(e)
			}
		case map[string]any:
			if s, ok := v["Ref"].(string); ok {
				f(s)
			}
			if a, ok := v["Fn::GetAtt"].([]any); ok {
				f(a[0].(string))
			}
			if s, ok := v["Fn::Sub"].(string); ok {
				for _, m := range references.FindAllStringSubmatch(s, -1) {
					f(m[1])
				}
			}
			for _, e := range v {
				visit(e)
			}
		}
	}
	visit(v)
}

// TestSeparateRoles: no statement of the steps' role covers what only the coordinator may write, in any combination.
func TestSeparateRoles(t *testing.T) {
	for _, options := range product(shapes) {
		_, r := read(t, options)
		if r == nil || !r.HasRoles() {
			continue
		}
		b := r.build()
		for _, ns := range r.Namespaces {
			text := fmt.Sprint(b.stepsPolicy(ns))
			for _, dir := range []string{"programs/", "runs/", "cache/", "index/"} {
				if strings.Contains(text, dir) {
					t.Errorf("steps may access %s: %s", dir, text)
				}
			}
		}
	}
}

// TestLint runs cfn-lint once over all golden files.
func TestLint(t *testing.T) {
	lint, err := exec.LookPath("cfn-lint")
	if err != nil {
		t.Skip("cfn-lint is not installed")
	}
	if exec.CommandContext(t.Context(), lint, "--version").Run() != nil {
		t.Skip("cfn-lint can't run")
	}
	cmd := exec.CommandContext(t.Context(), lint, "--format", "parseable", "testdata/*.json")
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
}
