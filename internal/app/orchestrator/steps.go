package orchestrator

import (
	"errors"
	"fmt"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/runtime/rerun"
	"pipec.dev/pipec/schema/program"
)

// CheckSteps reports an address that a program doesn't have, with the one that was probably meant.
func CheckSteps(p *program.Program, addresses []string) error {
	if len(addresses) == 0 {
		return nil
	}
	_, err := rerun.Closure(p, addresses)
	return StepFault(err)
}

// StepFault makes an error about the address of a step a fault with a suggestion. It returns other errors as they are.
func StepFault(err error) error {
	var unknown *rerun.UnknownStepError
	if !errors.As(err, &unknown) {
		return err
	}
	near := diag.Suggest(unknown.Step, unknown.Have)
	if near == "" && len(unknown.Have) == 1 {
		near = unknown.Have[0]
	}
	out := fault.Usagef("%w", unknown)
	if near != "" {
		return out.WithHint("%s", fmt.Sprintf("Did you mean %q?", near))
	}
	return out
}
