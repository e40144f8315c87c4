package cluster

import (
	"context"
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
		return []store.Finding{{Part: store.CheckPart, OK: true, Text: "the role of the steps can't be checked on this machine: " +
			"`aws iam simulate-principal-policy` shows whether it can write to runs/ (docs/security.md)"}}
	}
	f := store.Finding{Part: store.CheckPart}
	keys, err := cluster.Secret(ctx, conn, place.StepsSecret)
	if err == nil && len(keys) == 0 {
		err = fmt.Errorf("it is empty")
	}
	if err != nil {
		f.Text = fmt.Sprintf("can't check what the steps may write, because the Secret %q can't be read: %s", place.StepsSecret, err)
		return []store.Finding{f}
	}
	st, err := s.Tables().Stores.Open(ctx, place.ForSteps(), stores.Options{Environ: func(name string) (string, bool) {
		key, ok := strings.CutPrefix(name, kube.EnvStorePrefix)
		value, found := keys[key]
		return value, ok && found
	}})
	if err != nil {
		f.Text = err.Error()
		return []store.Finding{f}
	}
	defer st.Close()
	return []store.Finding{store.CheckSteps(ctx, st)}
}
