package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"pipec.dev/pipec/internal/app/orchestrator"
	"pipec.dev/pipec/runtime/cluster"
	"pipec.dev/pipec/runtime/cluster/connect"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/store/stores"
	"pipec.dev/pipec/schema/kube"
)

// checkSteps tries what the identity of the steps may write to the artifact store, if the steps have one of their own.
func checkSteps(ctx context.Context, s *orchestrator.Stack, conn *connect.Connection) []store.Finding {
	place := s.Stack.ArtifactStore
	if !place.Separate() {
		return nil
	}
	if place.StepsSecret == "" {
		return []store.Finding{{Part: store.CheckPart, OK: true, Text: "the role of the steps can't be tried on this machine: " +
			"`aws iam simulate-principal-policy` shows whether it can write to runs/ (docs/security.md)"}}
	}
	f := store.Finding{Part: store.CheckPart}
	keys, err := cluster.Secret(ctx, conn, place.StepsSecret)
	if err != nil {
		var e *connect.Error
		f.OK = errors.As(err, &e) && e.Reason == connect.Forbidden // runs don't need this right of the user
		f.Text = fmt.Sprintf("what the steps may write isn't checked, because the Secret %q can't be read: %s", place.StepsSecret, err)
		return []store.Finding{f}
	}
	used := false
	st, err := s.Tables().Stores.Open(ctx, place.ForSteps(), stores.Options{Environ: func(name string) (string, bool) {
		key, ok := strings.CutPrefix(name, kube.EnvStorePrefix)
		value, found := keys[key]
		used = used || ok && strings.TrimSpace(value) != ""
		return value, ok && found
	}})
	if err != nil {
		f.Text = err.Error()
		return []store.Finding{f}
	}
	defer st.Close()
	if !used { // the store would write with the credentials of this machine
		f.Text = fmt.Sprintf("the Secret %q of the steps contains no credentials of the store", place.StepsSecret)
		return []store.Finding{f}
	}
	return []store.Finding{store.CheckSteps(ctx, st, conn.Namespace)}
}
