package pages

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"pipec.dev/pipec/internal/testcluster"
)

// repository is the root of the repository, relative to this package.
const repository = "../.."

// bucket contains the stores of the pages on the test cluster.
const bucket = "pages"

// patterns are the pages that are tested.
var patterns = []string{
	"README.md", "examples/*/README.md", "docs/install.md", "docs/concepts.md", "docs/troubleshooting.md", "docs/tutorial/*.md", "docs/how-to/*.md",
}

// TestMain removes what was built.
func TestMain(m *testing.M) { testcluster.Main(m) }

// names returns the tested pages.
func names(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, pattern := range patterns {
		found, err := filepath.Glob(filepath.Join(repository, pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("no page is %s: %v", pattern, err)
		}
		for _, name := range found {
			rel, err := filepath.Rel(repository, name)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, rel)
		}
	}
	return out
}

// TestMarks checks that all blocks have marks that the test understands.
func TestMarks(t *testing.T) {
	for _, name := range names(t) {
		if _, err := (&page{name: name}).blocks(); err != nil {
			t.Error(err)
		}
	}
}

// TestPages executes the pages on this machine. Commands that require a cluster are only checked.
func TestPages(t *testing.T) {
	if testing.Short() {
		t.Skip("they run pipec")
	}
	bin := testcluster.Binaries(t)
	for _, name := range names(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPage(t, name, bin)
			p.test(t)
		})
	}
}

// TestPagesOnCluster executes the pages with commands that require a cluster on the test cluster.
func TestPagesOnCluster(t *testing.T) {
	c := testcluster.Env(t)
	if err := c.MakeBucket(t.Context(), bucket); err != nil {
		t.Fatal(err)
	}
	bin := testcluster.Binaries(t)
	image := c.Registry + "/pages/python:1"
	if out, err := output(repository+"/scripts/digits-image.sh", image); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ran := 0
	for _, name := range names(t) {
		p := newPage(t, name, bin)
		blocks, err := p.blocks()
		if err != nil {
			t.Fatal(err)
		}
		if !anyOnCluster(blocks) {
			continue
		}
		ran++
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p.cluster = true
			p.shell.env = append(p.shell.env, clusterEnv(t, c, image)...)
			p.test(t)
		})
	}
	if ran == 0 {
		t.Error("no page has a command that requires a cluster")
	}
}

func anyOnCluster(blocks []*block) bool {
	for _, b := range blocks {
		if b.is("cluster") {
			return true
		}
	}
	return false
}

// clusterEnv returns the addresses of the test cluster, for the commands of the test, and the credentials of a user.
func clusterEnv(t *testing.T, c testcluster.Cluster, image string) []string {
	t.Helper()
	namespace := c.Namespace(t)
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "pipec-store"},
		StringData: map[string]string{"AWS_ACCESS_KEY_ID": c.S3AccessKey, "AWS_SECRET_ACCESS_KEY": c.S3SecretKey},
	}
	if _, err := c.Client(t).CoreV1().Secrets(namespace).Create(t.Context(), secret, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	return []string{
		"KUBECONFIG=" + c.Kubeconfig, "AWS_ACCESS_KEY_ID=" + c.S3AccessKey, "AWS_SECRET_ACCESS_KEY=" + c.S3SecretKey, "AWS_REGION=" + c.S3Region,
		"NAMESPACE=" + namespace, "BUCKET=" + bucket, "S3=" + c.S3, "REGISTRY=" + c.Registry, "IMAGE=" + image,
	}
}

// newPage returns a page with directories of its own.
func newPage(t *testing.T, name, bin string) *page {
	t.Helper()
	root := t.TempDir()
	home, state := filepath.Join(root, "home"), filepath.Join(root, "state")
	for _, dir := range []string{home, state} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	absolute, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	env := []string{
		"PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + home, "USER=you", "NO_COLOR=1", "LANG=C.UTF-8", "REPOSITORY=" + absolute,
	}
	if python := interpreter(t, name); python != "" {
		env = append(env, "PIPEC_PYTHON="+python)
	}
	s, err := newShell(state, home, env)
	if err != nil {
		t.Fatal(err)
	}
	return &page{name: name, work: home, env: env, shell: s}
}

// test executes the page.
func (p *page) test(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	if err := p.execute(ctx); err != nil {
		t.Error(err)
	}
}

// interpreter returns a Python with the modules that the page needs, or "" if it needs none. scripts/python-deps.sh installs
// those of the examples.
func interpreter(t *testing.T, name string) string {
	t.Helper()
	blocks, err := (&page{name: name}).blocks()
	if err != nil {
		return "" // execute reports the error
	}
	for _, b := range blocks {
		if !b.is("needs") {
			continue
		}
		venv, err := filepath.Abs(repository + "/examples/digits/.venv/bin/python")
		if err != nil {
			t.Fatal(err)
		}
		for _, python := range []string{os.Getenv("PIPEC_PYTHON"), venv, "python3", "/usr/bin/python3"} {
			if python != "" && exec.Command(python, "-c", "import "+b.marks["needs"]).Run() == nil {
				return python
			}
		}
		t.Fatalf("no python3 has %s: make test installs them (scripts/python-deps.sh --tests examples/digits)", b.marks["needs"])
	}
	return ""
}

// TestBadPages checks that each kind of mistake in a page is found.
func TestBadPages(t *testing.T) {
	for _, c := range []struct{ name, page, want string }{
		{"a block without marks", "```hcl\nlocals {}\n```\n", "needs one of the marks"},
		{"a block without a language", "```\nx\n```\n", "needs one of the marks"},
		{"an indented block", "text\n\n    pipec run\n", "use a fence"},
		{"an unknown mark", "```sh run=x\ntrue\n```\n", `can't have the mark "run"`},
		{"a script that fails", "```sh\ntrue\nfalse\n```\n", "exit status 1"},
		{"another exit status", "```console exit=2\n$ exit 1\n```\n", "exit status 1, and not 2"},
		{"another output", "```console\n$ echo a\nb\n```\n", `expected the line "b"`},
		{"a console without a command", "```console\necho a\n```\n", "begins with a command"},
		{"shell syntax", "```sh check=\"reason\"\nif\n```\n", "yntax error"},
		{"an unknown target of make", "```sh check=\"reason\"\nmake nothing-of-this\n```\n", "no target"},
		{"HCL that has another layout", "```hcl in=step\nenv={}\n```\n", "layout"},
		{"HCL that doesn't compile", "```hcl in=step\nenvironment = {}\n```\n", "unknown-attribute"},
		{"a project that doesn't compile", "```hcl title=a.pipec.hcl\npipeline \"p\" {\n  steps = 1\n}\n```\n", "unknown-attribute"},
		{"YAML of Kubernetes", "```yaml check=\"reason\"\napiVersion: v1\nkind: Secret\nmetadata: {name: a}\nspec: {}\n```\n", `unknown field "spec"`},
		{"a workflow", "```yaml as=github check=\"reason\"\non: push\njobs: {a: {runs-on: x, steps: [{user: x}]}}\n```\n", "user"},
		{"a script of GitLab", "```yaml as=gitlab check=\"reason\"\na: {script: [\"if\"]}\n```\n", "yntax error"},
		{"Python", "```python title=a.py\ndef\n```\n", "SyntaxError"},
		{"JSON", "```json check=\"reason\"\n{\n```\n", "not JSON"},
		{"text that isn't in a file", "```hcl from=README.md\nno such text\n```\n", "doesn't contain"},
		{"a message that doesn't exist", "```text source=runtime/shell\nno such message\n```\n", "nothing in"},
		{"a command in the background", "```console background\n$ false\nstarted\n```\n", "has ended"},
		{"nothing in the background", "```console continued\nended\n```\n", "no command is in the background"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := executeText(t, c.page)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("expected an error with %q, found %v", c.want, err)
			}
		})
	}
}

// TestGoodPage executes a page that uses the marks.
func TestGoodPage(t *testing.T) {
	err := executeText(t, "Do this:\n\n1. First\n\n   ```sh\n   mkdir project\n   cd project\n   export NAME=value\n   ```\n\n"+
		"```text title=a.txt\none\n```\n\n```text append=a.txt\ntwo\n```\n\n<!-- test\ntest -f a.txt\n-->\n\n"+
		"```console exit=3\n$ echo $NAME\nvalue\n$ cat a.txt; \\\n  exit 3\none\n…\n```\n\n"+
		"```console background\n$ sh -c 'echo one; until test -f go; do :; done; echo two'\none\n```\n\n```sh\ntouch go\n```\n\n```console continued\ntwo\n```\n")
	if err != nil {
		t.Error(err)
	}
}

// executeText executes the text of a page that is not in the repository.
func executeText(t *testing.T, text string) error {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "page.md"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	absolute, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	name, err := filepath.Rel(absolute, filepath.Join(dir, "page.md"))
	if err != nil {
		t.Fatal(err)
	}
	p := newPage(t, name, "/nowhere")
	return p.execute(t.Context())
}
