package access

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"pipec.dev/pipec/test/cluster/place"
)

// A user is one that the API server knows by a token.
type user struct {
	name   string
	groups []string
	file   string // of its own kubeconfig; "" has none
}

var users = []user{
	{"admin", []string{"system:masters"}, ""},
	{"nobody", nil, ""}, // may do nothing but what everyone may
	{"system:node:" + place.NodeName, []string{"system:nodes"}, "kubelet.kubeconfig"},
	{"system:kube-controller-manager", nil, "controllers.kubeconfig"},
	{"system:kube-scheduler", nil, "scheduler.kubeconfig"},
}

// makeUsers writes tokens.csv, the users' kubeconfigs and the one for people and tests.
func makeUsers(ca []byte) error {
	var csv strings.Builder
	tokens := map[string]string{}
	for _, u := range users {
		tokens[u.name] = rand.Text()
		fmt.Fprintf(&csv, "%s,%s,%s,%q\n", tokens[u.name], u.name, u.name, strings.Join(u.groups, ","))
		if u.file != "" {
			err := writeKubeconfig(File(u.file), ca, []entry{{context: "default", token: tokens[u.name]}})
			if err != nil {
				return err
			}
		}
	}
	if err := os.WriteFile(File("tokens.csv"), []byte(csv.String()), 0o600); err != nil {
		return err
	}
	return writeKubeconfig(place.Admin, ca, []entry{
		{"admin", tokens["admin"]},
		{"nobody", tokens["nobody"]},
		{"unknown-token", rand.Text()},
	})
}

// Token returns the admin's token.
func Token() (string, error) {
	data, err := os.ReadFile(File("tokens.csv"))
	if err != nil {
		return "", err
	}
	token, _, _ := strings.Cut(string(data), ",")
	return token, nil
}

// An entry is a context of a kubeconfig with the user of the same name.
type entry struct{ context, token string }

// writeKubeconfig writes a kubeconfig, as JSON, which is YAML too. Its first entry is the current context.
func writeKubeconfig(path string, ca []byte, entries []entry) error {
	type object = map[string]any
	var contexts, users []object
	for _, e := range entries {
		contexts = append(contexts, object{"name": e.context, "context": object{"cluster": "pipec-test", "user": e.context}})
		users = append(users, object{"name": e.context, "user": object{"token": e.token}})
	}
	data, err := json.MarshalIndent(object{
		"apiVersion": "v1", "kind": "Config", "current-context": entries[0].context,
		"clusters": []object{{"name": "pipec-test", "cluster": object{
			"server": "https://" + place.API, "certificate-authority-data": base64.StdEncoding.EncodeToString(ca),
		}}},
		"contexts": contexts, "users": users,
	}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o600)
}
