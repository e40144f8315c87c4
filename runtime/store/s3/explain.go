package s3

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"pipec.dev/pipec/runtime/store"
)

// operation is what a request does, in words for the user, and the permission that it needs.
type operation struct{ did, right string }

var (
	read  = operation{"read", "s3:GetObject"}
	write = operation{"write", "s3:PutObject"}
	list  = operation{"list", "s3:ListBucket"}
	abort = operation{"write in parts", "s3:PutObject and s3:AbortMultipartUpload"}
)

// Faults of servers.
var (
	errOrder   = errors.New("its lists are not in byte order, so runs would be missed: use a bucket or a server of another kind")
	errRange   = errors.New("it doesn't return parts of objects (Range)")
	errLength  = errors.New("its response has no length of the object")
	errChanged = errors.New("the object was replaced while it was read")
)

// cutError is returned if a connection ends too early several times.
type cutError struct{ err error }

func (e *cutError) Error() string { return "the connection is interrupted repeatedly: " + plain(e.err) }
func (e *cutError) Unwrap() error { return e.err }

// code returns the error code that the server sent, or "" if the error isn't the server's.
func code(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}

// status returns the HTTP status of the error, or 0 if there was no answer.
func status(err error) int {
	if r, ok := errors.AsType[*awshttp.ResponseError](err); ok && err != nil {
		return r.HTTPStatusCode()
	}
	return 0
}

// fault turns an error into one of package store: store.ErrNotExist, store.ErrExists, the cause of the context's end, or a
// *store.Fault.
func (s *Store) fault(ctx context.Context, op operation, key string, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	switch c := code(err); {
	case c == "NoSuchKey", status(err) == http.StatusNotFound && (c == "NotFound" || c == ""):
		return fmt.Errorf("%s: %w", key, store.ErrNotExist)
	case op == write && status(err) == http.StatusPreconditionFailed:
		return s.exists(key)
	}
	class, why := s.explain(op, err)
	if key == "" {
		key = "it"
	}
	return &store.Fault{Class: class, Text: fmt.Sprintf("can't %s %s in the store %s: %s", op.did, key, s.where, why), Err: err}
}

func (s *Store) exists(key string) error { return fmt.Errorf("%s: %w", key, store.ErrExists) }

// explain returns the class of an error, and a sentence with the cause and the fix.
func (s *Store) explain(op operation, err error) (store.Class, string) {
	if f, ok := errors.AsType[*store.Fault](err); ok { // of the credentials
		return f.Class, f.Text
	}
	for _, own := range []error{errOrder, errRange, errLength, errChanged} {
		if errors.Is(err, own) {
			return store.Permanent, own.Error()
		}
	}
	if _, ok := errors.AsType[*cutError](err); ok {
		return store.Transient, err.Error()
	}
	switch c := code(err); c {
	case "NoSuchBucket":
		return store.Permanent, fmt.Sprintf("there is no bucket %q: create it, or correct `path` of the artifact_store", s.bucket)
	case "InvalidBucketName":
		return store.Permanent, fmt.Sprintf("%q can't be the name of a bucket: correct `path` of the artifact_store", s.bucket)
	case "InvalidAccessKeyId", "InvalidClientTokenId", "UnrecognizedClientException", "XAdminUserNotFound":
		return store.Denied, "the server does not know the access key" + s.from()
	case "SignatureDoesNotMatch":
		return store.Denied, "the secret key doesn't belong to the access key" + s.from()
	case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired":
		return store.Denied, "the credentials have expired: get new ones" + s.from()
	case "InvalidToken":
		return store.Denied, "the session token is not valid" + s.from()
	case "AccessDenied", "Forbidden", "AccessDeniedException", "AllAccessDisabled", "AccountProblem":
		return store.Denied, s.denied(op)
	case "RequestTimeTooSkewed":
		return store.Permanent, "the clock of this machine is wrong: the server rejects requests of that time"
	case "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "MovedPermanently":
		return store.Permanent, s.elsewhere(err)
	case "NotImplemented":
		return store.Permanent, "the server does not support this: " + message(err)
	case "PreconditionFailed":
		return store.Permanent, errChanged.Error()
	case "XAmzContentSHA256Mismatch", "BadDigest":
		return store.Transient, "the content was damaged in transit"
	case "SlowDown", "Throttling", "ThrottlingException", "TooManyRequests", "RequestLimitExceeded", "ServiceUnavailable":
		return store.Transient, "the server is overloaded, or not ready: " + message(err)
	case "InternalError", "RequestTimeout", "ConditionalRequestConflict", "OperationAborted", "NoSuchUpload":
		return store.Transient, message(err)
	}
	switch n := status(err); {
	case n == http.StatusForbidden, n == http.StatusUnauthorized:
		return store.Denied, s.denied(op)
	case n == http.StatusPreconditionFailed:
		return store.Permanent, errChanged.Error()
	case n >= 300 && n < 400:
		return store.Permanent, s.elsewhere(err)
	case n == http.StatusTooManyRequests, n == http.StatusRequestTimeout, n >= 500 && n != http.StatusNotImplemented:
		return store.Transient, fmt.Sprintf("the server is not ready (%d): %s", n, message(err))
	case n == http.StatusOK:
		return store.Transient, "its response can't be read: " + message(err)
	case n >= 400:
		return store.Permanent, fmt.Sprintf("%s (%d %s)", message(err), n, code(err))
	}
	return s.unreached(err)
}

func (s *Store) denied(op operation) string {
	text := fmt.Sprintf("access is denied: %s on arn:aws:s3:::%s/%s* is required", op.right, s.bucket, s.prefix)
	switch op {
	case list:
		text = fmt.Sprintf("access is denied: s3:ListBucket on arn:aws:s3:::%s for the prefix %q is required", s.bucket, s.prefix)
	case read:
		text += ", and s3:ListBucket on the bucket, without which a missing object looks like a forbidden one"
	}
	return text + s.from()
}

// from returns whose credentials were used, for a message.
func (s *Store) from() string {
	if source := s.creds.Source(); source != "" {
		return " (credentials: " + source + ")"
	}
	return ""
}

func (s *Store) elsewhere(err error) string {
	region := ""
	if r, ok := errors.AsType[*awshttp.ResponseError](err); ok && r.Response != nil {
		region = r.Response.Header.Get("X-Amz-Bucket-Region")
	}
	if region != "" && region != s.region {
		return fmt.Sprintf("the bucket is in %s, not in %s: set `region` of the artifact_store", region, s.region)
	}
	return fmt.Sprintf("the bucket can't be reached this way (region %s): correct `region` or `endpoint` of the artifact_store: %s", s.region, message(err))
}

// unreached explains a request without an answer.
func (s *Store) unreached(err error) (store.Class, string) {
	at := s.endpoint
	if at == "" {
		at = "S3 in " + s.region
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		text := fmt.Sprintf("%s can't be reached: there is no host %s", at, dns.Name)
		if s.endpoint != "" && !s.style && strings.HasPrefix(dns.Name, s.bucket+".") {
			text += ": set `path_style = true` in the artifact_store if the server has no host names for buckets"
		}
		return store.Transient, text
	}
	var (
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
		record   tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &unknown), errors.As(err, &invalid), errors.As(err, &hostname):
		return store.Permanent, fmt.Sprintf("%s can't be trusted: %s; AWS_CA_BUNDLE names a file with additional authorities", at, plain(err))
	case errors.As(err, &record), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return store.Permanent, fmt.Sprintf("%s doesn't speak TLS: its URL begins with http://", at)
	}
	_, network := errors.AsType[net.Error](err)
	if network || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
		return store.Transient, fmt.Sprintf("%s can't be reached: %s", at, plain(err))
	}
	if _, sent := errors.AsType[interface {
		error
		ConnectionError() bool
	}](err); sent {
		return store.Transient, fmt.Sprintf("%s can't be reached: %s", at, plain(err))
	}
	return store.Permanent, plain(err)
}

// message returns the text that the server sent with its error.
func message(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		if m := strings.TrimSpace(api.ErrorMessage()); m != "" {
			return m
		}
		return api.ErrorCode()
	}
	return plain(err)
}

// plain returns the innermost error: the SDK wraps it in the names of requests and attempts.
func plain(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Err != nil {
		return op.Err.Error()
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err.Error()
	}
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}
