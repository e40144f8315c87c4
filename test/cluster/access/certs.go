// Package access writes the credentials of the cluster: certificates, the service accounts' key, the users' tokens and the
// kubeconfig. They are new for each cluster, and only root can read them.
package access

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"pipec.dev/pipec/test/cluster/place"
)

// File returns the path of one of the files that Make writes.
func File(name string) string { return filepath.Join(place.Access, name) }

// Make writes ca.crt, apiserver.{crt,key} (the API's serving certificate), kubelet-client.{crt,key} (what the API
// server shows the kubelet), kubelet.{crt,key} (the kubelet's serving certificate), accounts.key (signs service
// accounts' tokens), tokens.csv, a kubeconfig for each user, and place.Admin.
func Make() error {
	ca, err := newAuthority()
	if err != nil {
		return err
	}
	for _, c := range []certificate{
		{name: "apiserver", subject: pkix.Name{CommonName: "kube-apiserver"}, usage: x509.ExtKeyUsageServerAuth,
			ips: []string{place.Node, place.APIInPods, "127.0.0.1"}, names: []string{"kubernetes", "kubernetes.default",
				"kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "localhost"}},
		{name: "kubelet", subject: pkix.Name{CommonName: place.NodeName}, usage: x509.ExtKeyUsageServerAuth,
			ips: []string{place.Node}, names: []string{place.NodeName}},
		{name: "kubelet-client", usage: x509.ExtKeyUsageClientAuth,
			subject: pkix.Name{CommonName: "kube-apiserver-kubelet-client", Organization: []string{"system:masters"}}},
	} {
		if err := ca.issue(c); err != nil {
			return err
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	if err := writeKey("accounts.key", key); err != nil {
		return err
	}
	return makeUsers(ca.pem)
}

// An authority signs certificates; its key is never written.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

// A certificate is one to be issued.
type certificate struct {
	name    string // of its files
	subject pkix.Name
	usage   x509.ExtKeyUsage
	ips     []string
	names   []string
}

func newAuthority() (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := lasting(pkix.Name{CommonName: "pipec test cluster"})
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	out := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return &authority{cert, key, out}, os.WriteFile(File("ca.crt"), out, 0o600)
}

func (a *authority) issue(c certificate) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := lasting(c.subject)
	template.KeyUsage, template.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{c.usage}
	template.DNSNames = c.names
	for _, ip := range c.ips {
		template.IPAddresses = append(template.IPAddresses, net.ParseIP(ip))
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return err
	}
	if err := writeKey(c.name+".key", key); err != nil {
		return err
	}
	return os.WriteFile(File(c.name+".crt"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600)
}

// lasting returns a certificate's template that is valid from a while ago for ten years.
func lasting(subject pkix.Name) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		panic(err) // rand.Reader never fails
	}
	now := time.Now()
	return &x509.Certificate{Subject: subject, SerialNumber: serial, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0)}
}

func writeKey(name string, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return os.WriteFile(File(name), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), 0o600)
}
