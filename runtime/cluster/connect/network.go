package connect

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
)

// network explains why there was no response; "" if err is not a network error.
func network(err error) string {
	var (
		dns       *net.DNSError
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
		alert     tls.AlertError
		verify    *tls.CertificateVerificationError
		op        *net.OpError
		u         *url.Error
		timeout   interface{ Timeout() bool }
	)
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return "the host name " + quote(dns.Name) + " does not exist (DNS)"
	case errors.As(err, &dns):
		return "the host name " + quote(dns.Name) + " can't be resolved (DNS): " + dns.Err
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused: nothing listens there"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "there is no route to it"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "the connection was interrupted"
	case errors.As(err, &authority):
		return "TLS: its certificate is not signed by the authority in the kubeconfig"
	case errors.As(err, &host):
		return "TLS: its certificate is for another name: " + oneLine(host.Error())
	case errors.As(err, &invalid):
		return "TLS: its certificate is not valid: " + oneLine(invalid.Error())
	case errors.As(err, &verify), errors.As(err, &record), errors.As(err, &alert):
		return "TLS: " + oneLine(innermost(err))
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return "it speaks http, but the kubeconfig says https"
	case strings.Contains(err.Error(), "tls: "), strings.Contains(err.Error(), "x509: "):
		return "TLS: " + oneLine(innermost(err))
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "no response in time"
	case errors.As(err, &op), errors.As(err, &u):
		return oneLine(innermost(err))
	}
	return ""
}

// innermost returns an error's text without the prefixes of packages url and net.
func innermost(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		return op.Err.Error()
	}
	return err.Error()
}

func hintOfNetwork(err error) string {
	if text := network(err); strings.HasPrefix(text, "TLS") || strings.Contains(text, "speaks http") {
		return "The kubeconfig is outdated, or belongs to another cluster."
	}
	return "Check that the cluster is running, and whether you need a VPN or a proxy to reach it."
}
