package pages

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2/hclwrite"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/compiler/diag"
)

// check checks a block as far as that is possible without running it.
func (p *page) check(b *block) error {
	switch b.lang {
	case "sh", "console":
		return p.checkCommands(b)
	case "hcl":
		return checkHCL(b.text, "file")
	case "yaml":
		return checkYAML(p, b.marks["as"], b.text)
	case "json":
		if !json.Valid([]byte(b.text)) {
			return fmt.Errorf("this is not JSON")
		}
		return nil
	case "python":
		out, err := output("python3", "-c", "import ast, sys; ast.parse(sys.argv[1])", b.text)
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	}
	return fmt.Errorf("the test doesn't know how to check %q", b.lang)
}

func output(name string, args ...string) (string, error) {
	out, err := exec.Command(name, args...).CombinedOutput()
	return string(out), err
}

// checkCommands checks the syntax of the commands of a block, and of those that it knows.
func (p *page) checkCommands(b *block) error {
	if b.is("continued") {
		return nil
	}
	commands, err := b.commands()
	if err != nil {
		return err
	}
	for _, c := range commands {
		if err := p.checkScript(c.text); err != nil {
			return err
		}
	}
	return nil
}

var (
	// simple is the start of a line up to the first operator of the shell.
	simple = regexp.MustCompile(`^[^|<>&;]*`)
	target = regexp.MustCompile(`(?m)^([a-z-]+):`)
)

// checkScript checks the syntax of a script, the flags of its calls of pipec, and the targets of its calls of make.
func (p *page) checkScript(script string) error {
	if out, err := output("sh", "-n", "-c", script); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	for line := range strings.Lines(strings.ReplaceAll(script, "\\\n", " ")) {
		line, _, _ = strings.Cut(line, " #")
		line = simple.FindString(strings.TrimSpace(line))
		switch {
		case strings.HasPrefix(line, "pipec "):
			cmd := exec.Command("sh", "-c", line+" --help")
			cmd.Env = p.env
			if out, err := cmd.CombinedOutput(); err != nil {
				return fmt.Errorf("%s: %w\n%s", line, err, out)
			}
		case strings.HasPrefix(line, "make "):
			if err := checkMake(strings.Fields(line)[1:]); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkMake checks that the Makefile of the repository has the targets of a call.
func checkMake(args []string) error {
	makefile, err := os.ReadFile(filepath.Join(repository, "Makefile"))
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, m := range target.FindAllSubmatch(makefile, -1) {
		known[string(m[1])] = true
	}
	for i, arg := range args {
		if i > 0 && args[i-1] == "-C" {
			continue
		}
		if !strings.HasPrefix(arg, "-") && !strings.Contains(arg, "=") && !known[arg] {
			return fmt.Errorf("the Makefile has no target %q", arg)
		}
	}
	return nil
}

// around is a source in which a part of HCL is valid, by the block that contains it.
var around = map[string][2]string{
	"file":       {"", ""},
	"pipeline":   {"pipeline \"p\" {\n", "}\n"},
	"step":       {"pipeline \"p\" {\nimage = \"i\"\nstep \"s\" {\n", "}\n}\n"},
	"stack":      {"stack \"s\" {\n", "}\n"},
	"aws":        {"pipec { project = \"p\" }\nstack \"s\" {\norchestrator \"kubernetes\" { eks_cluster = recipe.cluster }\n", "}\n"},
	"kubernetes": {"stack \"s\" {\norchestrator \"kubernetes\" {\n", "}\nartifact_store \"s3\" { path = \"s3://b/p\" }\n}\n"},
}

var (
	hasStore    = regexp.MustCompile(`(?m)^artifact_store `)
	hasCommand  = regexp.MustCompile(`(?m)^(command|python|script|pipeline|approval) `)
	hasStep     = regexp.MustCompile(`(?m)^step `)
	hasPipeline = regexp.MustCompile(`(?m)^pipeline `)
)

// checkHCL compiles a part of a project, and compares its layout with that of pipec fmt.
func checkHCL(text, in string) error {
	part, ok := around[in]
	if !ok {
		return fmt.Errorf("in=%s: the test doesn't know this block", in)
	}
	if formatted := hclwrite.Format([]byte(text)); !bytes.Equal(formatted, []byte(text)) {
		return fmt.Errorf("expected the layout of pipec fmt:\n%s", formatted)
	}
	switch {
	case in == "step" && !hasCommand.MatchString(text):
		text += "command = [\"true\"]\n"
	case in == "aws" && !hasStore.MatchString(text):
		text += "artifact_store \"s3\" { path = \"s3://${recipe.bucket}/pipec\" }\n"
	case in == "pipeline" && !hasStep.MatchString(text):
		text += "step \"s\" { command = [\"true\"] }\n"
	}
	source := part[0] + text + part[1]
	if !hasPipeline.MatchString(source) {
		source += "pipeline \"other\" {\nimage = \"i\"\nstep \"s\" { command = [\"true\"] }\n}\n"
	}
	dir, err := os.MkdirTemp("", "pipec-page-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.Mkdir(filepath.Join(dir, "src"), 0o755); err != nil {
		return err
	}
	r, err := compiler.Compile(compiler.Options{Dir: dir, Unsaved: map[string][]byte{"page.pipec.hcl": []byte(source)}})
	if err != nil {
		return err
	}
	return faults(r)
}

// faults returns the errors of a project.
func faults(r *compiler.Result) error {
	if !r.Diags.HasErrors() {
		return nil
	}
	var b bytes.Buffer
	if err := diag.Human(&b, diag.NewView(r.Diags.Sorted(), r.Sources), diag.Options{}); err != nil {
		return err
	}
	return fmt.Errorf("%s", b.Bytes())
}

// checkFrom checks that a block is a part of a file of the repository, apart from its indentation.
func checkFrom(text, file string) error {
	whole, err := os.ReadFile(filepath.Join(repository, file))
	if err != nil {
		return err
	}
	if !strings.Contains(unindented(string(whole)), unindented(text)) {
		return fmt.Errorf("%s doesn't contain this text", file)
	}
	return nil
}

func unindented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimSpace(line) + "\n")
	}
	return b.String()
}

// checkSource checks that a folder contains the messages of a block: in its source or in its expected output.
func checkSource(text, dir string) error {
	var source strings.Builder
	err := filepath.WalkDir(filepath.Join(repository, dir), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(".go .txtar .txt .md", filepath.Ext(path)) {
			return err
		}
		content, err := os.ReadFile(path)
		source.Write(content)
		return err
	})
	if err != nil {
		return err
	}
	all := strings.ReplaceAll(source.String(), `\"`, `"`)
	for line := range strings.Lines(text) {
		for part := range strings.SplitSeq(strings.TrimSpace(line), "…") {
			if !strings.Contains(all, strings.TrimSpace(part)) {
				return fmt.Errorf("nothing in %s contains %q", dir, part)
			}
		}
	}
	return nil
}
