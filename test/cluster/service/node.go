package service

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"pipec.dev/pipec/test/cluster/access"
	"pipec.dev/pipec/test/cluster/image"
	"pipec.dev/pipec/test/cluster/place"
	"pipec.dev/pipec/test/cluster/process"
)

//go:embed *.tmpl
var templates embed.FS

// settings fill the templates.
var settings = map[string]string{
	"State": place.State, "Run": place.Run, "Config": place.Config, "Logs": place.Logs,
	"Access": place.Access, "Node": place.Node, "Pods": place.Pods, "Registry": place.Registry, "Pause": image.Pause,
	"ContainerdSocket": containerdSocket,
}

const containerdSocket = place.Run + "/containerd/containerd.sock"

// filled returns a template of this folder, filled in. It panics on a mistake in one, which the first start shows.
func filled(name string) string {
	var b strings.Builder
	if err := template.Must(template.New(name).Option("missingkey=error").ParseFS(templates, name)).Execute(&b, settings); err != nil {
		panic(err)
	}
	return b.String()
}

// containerd finds its shim on its path.
func containerd(program string) Service {
	config := place.Config + "/containerd.toml"
	return Service{
		Program: process.Program{Name: "containerd", Argv: []string{program, "--config", config},
			Env: []string{"PATH=" + filepath.Dir(program) + ":" + os.Getenv("PATH")}},
		Files: map[string]string{
			config:                               filled("containerd.toml.tmpl"),
			place.Config + "/cni/pipec.conflist": filled("cni.json.tmpl"),
			place.Config + "/registries/" + place.Registry + "/hosts.toml": filled("hosts.toml.tmpl"),
		},
		Ready: func(context.Context) error {
			c, err := net.Dial("unix", containerdSocket)
			if err != nil {
				return err
			}
			return c.Close()
		},
		Patience: 60 * time.Second, Stage: 1,
	}
}

func kubelet(program string) Service {
	config := place.Config + "/kubelet.yaml"
	return Service{
		Program: process.Program{Name: "kubelet", Argv: []string{program,
			"--config=" + config, "--kubeconfig=" + access.File("kubelet.kubeconfig"),
			"--hostname-override=" + place.NodeName, "--node-ip=" + place.Node,
			"--root-dir=" + place.State + "/kubelet", "--cert-dir=" + place.Run,
		}},
		Files: map[string]string{
			config: filled("kubelet.yaml.tmpl"),
			// Pods find no name server: what they talk to has an address.
			place.Config + "/resolv.conf": "# no name server: services of the test cluster are reached by address\n",
		},
		Ready: nodeReady, Patience: 90 * time.Second, Stage: 3,
	}
}

// nodeReady reports whether pods can run on the node.
func nodeReady(ctx context.Context) error {
	// The API has the node's word from before, where the kubelet was started again; so the kubelet itself is asked too.
	if err := has("/api/v1/nodes/" + place.NodeName + "/proxy/healthz")(ctx); err != nil {
		return err
	}
	resp, err := Get(ctx, "/api/v1/nodes/"+place.NodeName)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var node struct {
		Spec   struct{ Taints []struct{ Key string } }
		Status struct {
			Conditions []struct{ Type, Status, Message string }
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&node); err != nil {
		return err
	}
	for _, taint := range node.Spec.Taints {
		if strings.HasPrefix(taint.Key, "node.kubernetes.io/") {
			return fmt.Errorf("the node is tainted %s", taint.Key)
		}
	}
	for _, c := range node.Status.Conditions {
		if c.Type == "Ready" {
			if c.Status == "True" {
				return nil
			}
			return errors.New(c.Message)
		}
	}
	return errors.New("the node has not reported its state")
}

// listens returns a readiness test: something takes connections at the address.
func listens(address string) func(context.Context) error {
	return func(ctx context.Context) error {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		return c.Close()
	}
}
