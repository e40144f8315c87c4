package lsp_test

import (
	"slices"
	"strings"
	"testing"
)

// TestRecipe: the outputs of a recipe are known in the other blocks of its stack, and only there.
func TestRecipe(t *testing.T) {
	const name, source = "main.pipec.hcl", `stack "up" {
  recipe "aws" {
    region = reci
  }
  orchestrator "kubernetes" {
    eks_cluster = recipe.cluster
    namespace   = reci
  }
  artifact_store "s3" {
    path = recipe.b
  }
}
stack "plain" {
  orchestrator "kubernetes" {
    namespace = reci
  }
}
`
	c := start(t, map[string]string{name: source})
	c.open(name, source)
	for mark, want := range map[string]string{
		"recipe.clus|ter": "recipe.cluster: string", "rec|ipe.cluster": "pipec stack up", `recipe "a|ws"`: "CloudFormation",
	} {
		if got := c.hover(name, mark); !strings.Contains(got, want) {
			t.Errorf("%s: %q is not in\n%s", mark, want, got)
		}
	}
	for mark, want := range map[string]string{"namespace   = reci|": "recipe", "path = recipe.b|": "bucket"} {
		if got := labels(c.complete(name, mark)); !slices.Contains(got, want) {
			t.Errorf("%s: %s is not in %v", mark, want, got)
		}
	}
	for _, mark := range []string{"region = reci|", "namespace = reci|"} {
		if got := labels(c.complete(name, mark)); slices.Contains(got, "recipe") {
			t.Errorf("%s: recipe is in %v", mark, got)
		}
	}
	c.end()
}
