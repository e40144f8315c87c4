package service

import (
	"context"
	_ "embed"
	"time"

	"pipec.dev/pipec/test/cluster/access"
	"pipec.dev/pipec/test/cluster/place"
	"pipec.dev/pipec/test/cluster/process"
)

//go:embed audit.yaml
var auditPolicy string

// etcd keeps nothing safe from a power cut: a test cluster has nothing to lose, and waiting for the disk costs most of
// what an object's creation takes.
func etcd(program string) Service {
	return Service{
		Program: process.Program{Name: "etcd", Argv: []string{program,
			"--name=node", "--data-dir=" + place.State + "/etcd", "--unsafe-no-fsync", "--logger=zap", "--log-level=warn",
			"--listen-client-urls=http://" + place.Etcd, "--advertise-client-urls=http://" + place.Etcd,
			"--listen-metrics-urls=http://" + place.Node + ":2381",
			"--listen-peer-urls=http://127.0.0.1:2380", "--initial-advertise-peer-urls=http://127.0.0.1:2380",
			"--initial-cluster=node=http://127.0.0.1:2380",
		}},
		Ready: answers("http://" + place.Node + ":2381/readyz"), Patience: 60 * time.Second, Stage: 1,
	}
}

func apiserver(program string) Service {
	policy := place.Config + "/audit.yaml"
	return Service{
		Program: process.Program{Name: "kube-apiserver", Argv: []string{program,
			"--etcd-servers=http://" + place.Etcd,
			"--bind-address=0.0.0.0", "--secure-port=6443", "--advertise-address=" + place.Node,
			"--service-cluster-ip-range=" + place.Services,
			"--cert-dir=" + place.Run,
			"--tls-cert-file=" + access.File("apiserver.crt"), "--tls-private-key-file=" + access.File("apiserver.key"),
			"--client-ca-file=" + access.File("ca.crt"),
			"--token-auth-file=" + access.File("tokens.csv"), "--authorization-mode=Node,RBAC",
			"--enable-admission-plugins=NodeRestriction",
			"--kubelet-client-certificate=" + access.File("kubelet-client.crt"),
			"--kubelet-client-key=" + access.File("kubelet-client.key"),
			"--kubelet-certificate-authority=" + access.File("ca.crt"),
			"--kubelet-preferred-address-types=InternalIP",
			"--service-account-issuer=https://kubernetes.default.svc",
			"--service-account-key-file=" + access.File("accounts.key"),
			"--service-account-signing-key-file=" + access.File("accounts.key"),
			"--audit-policy-file=" + policy, "--audit-log-path=" + place.Audit,
			"--audit-log-maxsize=10000", // in MB: a log that is rotated lacks requests that tests look for
			"--allow-privileged", "--profiling=false",
		}},
		Files: map[string]string{policy: auditPolicy},
		Ready: has("/readyz"), Patience: 90 * time.Second, Stage: 2,
	}
}

// controllers are all that need no cloud. They act as service accounts of their own, so RBAC is asked for each.
func controllers(program string) Service {
	return Service{
		Program: process.Program{Name: "kube-controller-manager", Argv: []string{program,
			"--kubeconfig=" + access.File("controllers.kubeconfig"), "--leader-elect=false",
			"--cert-dir=" + place.Run, "--bind-address=127.0.0.1",
			"--use-service-account-credentials", "--root-ca-file=" + access.File("ca.crt"),
			"--service-account-private-key-file=" + access.File("accounts.key"),
		}},
		// These two in the default namespace are what every pod needs.
		Ready: func(ctx context.Context) error {
			if err := has("/api/v1/namespaces/default/serviceaccounts/default")(ctx); err != nil {
				return err
			}
			return has("/api/v1/namespaces/default/configmaps/kube-root-ca.crt")(ctx)
		},
		Patience: 60 * time.Second, Stage: 3,
	}
}

func scheduler(program string) Service {
	return Service{
		Program: process.Program{Name: "kube-scheduler", Argv: []string{program,
			"--kubeconfig=" + access.File("scheduler.kubeconfig"), "--leader-elect=false",
			"--authorization-always-allow-paths=/readyz", "--cert-dir=" + place.Run, "--bind-address=" + place.Node,
		}},
		Ready: listens(place.Node + ":10259"), Patience: 60 * time.Second, Stage: 3,
	}
}
