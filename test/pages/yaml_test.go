package pages

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v4"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"

	"pipec.dev/pipec/compiler"
)

// strict reads objects of Kubernetes, and rejects fields that their types don't have.
var strict = serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()

// checkYAML checks the documents of a block.
func checkYAML(p *page, kind, text string) error {
	documents := 0
	for dec := yaml.NewDecoder(bytes.NewReader([]byte(text))); ; documents++ {
		var node yaml.Node
		if err := dec.Decode(&node); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		one, err := yaml.Marshal(&node)
		if err != nil {
			return err
		}
		if err := checkDocument(p, kind, one); err != nil {
			return err
		}
	}
	if documents == 0 {
		return errors.New("no YAML document")
	}
	return nil
}

func checkDocument(p *page, kind string, document []byte) error {
	switch kind {
	case "", "kubernetes":
		_, _, err := strict.Decode(document, nil, nil)
		return err
	case "custom":
		return checkCustom(document)
	case "github":
		return checkWorkflow(p, document)
	case "gitlab":
		return checkGitLab(p, document)
	case "pipec":
		return checkProject(map[string]string{"page.pipec.yaml": string(document)})
	}
	return fmt.Errorf("as=%s: the test doesn't know this kind of YAML", kind)
}

// checkCustom checks what all objects of a cluster have.
func checkCustom(document []byte) error {
	var object struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Metadata   struct{ Name string }
		Spec       map[string]any
	}
	if err := yaml.Unmarshal(document, &object); err != nil {
		return err
	}
	if object.APIVersion == "" || object.Kind == "" || object.Metadata.Name == "" || object.Spec == nil {
		return errors.New("expected an object with apiVersion, kind, metadata.name and spec")
	}
	return nil
}

// checkWorkflow checks a workflow of GitHub Actions, and the scripts in it.
func checkWorkflow(p *page, document []byte) error {
	var workflow struct {
		Name        string
		On          any
		Permissions map[string]string
		Env         map[string]string
		Jobs        map[string]struct {
			RunsOn string            `yaml:"runs-on"`
			Needs  any               `yaml:"needs"`
			If     string            `yaml:"if"`
			Env    map[string]string `yaml:"env"`
			Steps  []struct {
				Name, ID, Uses, Run, If string
				With                    map[string]any
				Env                     map[string]string
			}
		}
	}
	dec := yaml.NewDecoder(bytes.NewReader(document))
	dec.KnownFields(true)
	if err := dec.Decode(&workflow); err != nil {
		return err
	}
	if workflow.On == nil || len(workflow.Jobs) == 0 {
		return errors.New("expected a workflow with on and jobs")
	}
	for name, job := range workflow.Jobs {
		if job.RunsOn == "" || len(job.Steps) == 0 {
			return fmt.Errorf("job %s: expected runs-on and steps", name)
		}
		for i, step := range job.Steps {
			if (step.Uses == "") == (step.Run == "") {
				return fmt.Errorf("job %s, step %d: expected either uses or run", name, i+1)
			}
			if err := p.checkScript(step.Run); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkGitLab checks the jobs of a GitLab pipeline, and the scripts in them.
func checkGitLab(p *page, document []byte) error {
	var file map[string]any
	if err := yaml.Unmarshal(document, &file); err != nil {
		return err
	}
	jobs := 0
	for name, value := range file {
		job, ok := value.(map[string]any)
		if !ok || name == "default" || name == "variables" || name == "workflow" {
			continue
		}
		script, ok := job["script"].([]any)
		if !ok {
			return fmt.Errorf("job %s: expected a list in script", name)
		}
		for _, line := range script {
			if err := p.checkScript(fmt.Sprint(line)); err != nil {
				return err
			}
		}
		jobs++
	}
	if jobs == 0 {
		return errors.New("expected at least one job")
	}
	return nil
}

// checkProject compiles a project of the files.
func checkProject(files map[string]string) error {
	dir, err := os.MkdirTemp("", "pipec-page-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	r, err := compiler.Compile(compiler.Options{Dir: dir})
	if err != nil {
		return err
	}
	return faults(r)
}
