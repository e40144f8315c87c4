package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// status returns the HTTP status of an error, or 0.
func status(err error) int {
	var terr *transport.Error
	if errors.As(err, &terr) {
		return terr.StatusCode
	}
	return 0
}

// answered reports whether a HEAD failed in a way in which a GET would return more information.
func answered(err error) bool {
	s := status(err)
	return s >= 400 && s < 500 && s != http.StatusTooManyRequests ||
		s == 0 && strings.Contains(err.Error(), "response did not include")
}

// explain converts an error of go-containerregistry to a Fault. If ctx has ended, it returns the context's error.
func explain(ctx context.Context, ref string, parsed name.Reference, err error) error {
	var fault *Fault
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &fault):
		return err
	}
	f := &Fault{Ref: ref, Err: err}
	host := hostOf(parsed)
	var terr *transport.Error
	var cerr *credentialsError
	switch {
	case errors.As(err, &cerr):
		f.Reason, f.Text = Credentials, fmt.Sprintf("can't get the credentials for %s: %s", host, printable(cerr.Error()))
		f.Hint = cerr.hint
	case errors.As(err, &terr):
		f.answer(parsed, host, terr)
	default:
		f.connection(host, err)
	}
	return f
}

// hostOf returns the registry's name as users know it.
func hostOf(parsed name.Reference) string {
	if host := parsed.Context().RegistryStr(); host != name.DefaultRegistry {
		return host
	}
	return "docker.io"
}

// connection explains why a registry did not respond.
func (f *Fault) connection(host string, err error) {
	var dns *net.DNSError
	var operation *net.OpError
	var unknown x509.UnknownAuthorityError
	var wrongName x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	const hint = "check the address and the network"
	switch {
	case errors.Is(err, errSilent):
		f.Reason, f.Text, f.Hint = Silent, host+" accepted the connection, but did not respond in time", "try again"
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &record):
		f.Reason, f.Text = PlainHTTP, host+" speaks plain HTTP, without TLS"
		f.Hint = "plain HTTP is allowed for localhost and private addresses only (10/8, 172.16/12, 192.168/16): enable TLS, or use its address"
	case errors.As(err, &unknown):
		f.Reason, f.Text = TLS, host+" has a certificate that is not signed by a trusted authority"
		f.Hint = "add its authority to the system's certificates, or set SSL_CERT_FILE to it; the cluster's nodes need it too"
	case errors.As(err, &wrongName), errors.As(err, &invalid):
		f.Reason, f.Text = TLS, fmt.Sprintf("%s has an invalid certificate: %s", host, printable(rootCause(err)))
	case errors.As(err, &dns) && dns.IsNotFound:
		f.Reason, f.Text, f.Hint = Unreachable, fmt.Sprintf("%s can't be reached: the host name doesn't exist", host), hint
	case errors.As(err, &dns):
		f.Reason, f.Text, f.Hint = Unreachable, fmt.Sprintf("%s can't be reached: the host name can't be resolved", host), hint
	case errors.Is(err, syscall.ECONNREFUSED):
		f.Reason, f.Text, f.Hint = Unreachable, fmt.Sprintf("%s can't be reached: the connection was refused", host), "check that the registry is running, and its port"
	case errors.Is(err, os.ErrDeadlineExceeded), isTimeout(err):
		f.Reason, f.Text, f.Hint = Unreachable, fmt.Sprintf("%s can't be reached: it did not respond in time", host), hint
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		f.Reason, f.Text, f.Hint = Cut, "the connection to "+host+" was interrupted", "try again"
	case errors.As(err, &operation):
		f.Reason, f.Text, f.Hint = Unreachable, fmt.Sprintf("%s can't be reached: %s", host, printable(rootCause(err))), hint
	default:
		f.Reason, f.Text = Broken, fmt.Sprintf("%s sent an unexpected response: %s", host, printable(err.Error()))
	}
}

// rootCause returns the text of the innermost error.
func rootCause(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}
