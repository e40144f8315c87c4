// Package restricted finds the steps that violate Pod Security `restricted`, with the same checks as an API server with a namespace
// that enforces it. Plans and lint rules report them. The package enforces nothing: a security block may allow a step to leave
// `restricted`.
package restricted

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"

	"pipec.dev/pipec/schema/program"
)

// Leave is a step whose pods are rejected in a namespace that enforces `restricted`.
type Leave struct {
	Step    string   `json:"step"`
	Reasons []string `json:"reasons"` // `privileged (container "main" must not set securityContext.privileged=true)`
}

var evaluator = sync.OnceValues(func() (policy.Evaluator, error) {
	return policy.NewEvaluator(policy.DefaultChecks(), nil)
})

// Leaving returns the steps of a bound program that violate `restricted`, in the order of the program. It only checks steps that
// Could violate it.
func Leaving(p *program.Program) ([]Leave, error) {
	var out []Leave
	for _, s := range p.Every() {
		l, err := Leaves(s)
		if err != nil {
			return nil, err
		}
		if l != nil {
			out = append(out, *l)
		}
	}
	return out, nil
}

// Leaves checks one step. If its instances have several pods, it returns the first violation. nil means that there is none.
func Leaves(s *program.Step) (*Leave, error) {
	for _, one := range s.Bodies() {
		if l, err := leaves(one); l != nil || err != nil {
			return l, err
		}
	}
	return nil, nil
}

// Could reports whether a step sets something by which its pod could violate `restricted`: a security block, a part of the pod's
// spec, or an annotation of AppArmor.
func Could(s *program.Step) bool { return s.Security != nil || len(s.PodPatch) > 0 || appArmor(s) }

func appArmor(s *program.Step) bool {
	for name := range s.Annotations {
		if strings.HasPrefix(name, corev1.DeprecatedAppArmorBetaContainerAnnotationKeyPrefix) {
			return true
		}
	}
	return false
}

func leaves(s *program.Step) (*Leave, error) {
	if !Could(s) || !s.Process() || s.Idle() {
		return nil, nil
	}
	var t corev1.PodTemplateSpec
	if err := json.Unmarshal(s.Pod, &t); err != nil {
		return nil, fmt.Errorf("the pod of step %q: %w", s.Name, err)
	}
	reasons, err := Reasons(&t)
	if err != nil || len(reasons) == 0 {
		return nil, err
	}
	return &Leave{Step: s.Name, Reasons: reasons}, nil
}

// Reasons returns why a pod violates the newest version of `restricted`. It is empty if the pod does not.
func Reasons(t *corev1.PodTemplateSpec) ([]string, error) {
	e, err := evaluator()
	if err != nil {
		return nil, err
	}
	var out []string
	for _, r := range e.EvaluatePod(api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}, &t.ObjectMeta, &t.Spec) {
		if r.Allowed {
			continue
		}
		text := r.ForbiddenReason
		if r.ForbiddenDetail != "" {
			text += " (" + r.ForbiddenDetail + ")"
		}
		out = append(out, text)
	}
	return out, nil
}
