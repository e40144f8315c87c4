package registry

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// answer explains an error response of a registry.
func (f *Fault) answer(parsed name.Reference, host string, terr *transport.Error) {
	repository := parsed.Context().Name()
	if host == "docker.io" {
		repository = "docker.io/" + parsed.Context().RepositoryStr()
	}
	switch code := terr.StatusCode; {
	case terr.StatusCode == http.StatusTooManyRequests || has(terr, transport.TooManyRequestsErrorCode):
		f.Reason, f.Text, f.Hint = RateLimit, host+" received too many requests from this machine (429)", "wait, or log in with docker login: registries allow more requests from users who are logged in"
		if host == "docker.io" {
			f.Hint += "; or copy the image to a registry of your own"
		}
	case code == http.StatusUnauthorized:
		f.unauthorized(host, repository)
	case code == http.StatusForbidden || has(terr, transport.DeniedErrorCode):
		f.Reason, f.Text = Forbidden, fmt.Sprintf("%s denied access (403)%s", host, saying(terr))
		f.Hint = "the user who is logged in needs access to " + repository
		if verb(terr) == "write" {
			f.Hint = "the user who is logged in needs write access to " + repository
		}
	case code == http.StatusNotFound && (has(terr, transport.NameUnknownErrorCode) || verb(terr) == "write"):
		f.Reason, f.Text = NoRepository, fmt.Sprintf("there is no repository %s", repository)
		if isECR(host) {
			f.Hint = "ECR doesn't create repositories on push: aws ecr create-repository --repository-name " + parsed.Context().RepositoryStr()
		}
	case code == http.StatusNotFound:
		f.Reason, f.Text = NoImage, fmt.Sprintf("%s has no %s", repository, identifier(parsed))
	case code >= 500:
		f.Reason, f.Text, f.Hint = Broken, fmt.Sprintf("%s failed: %d %s%s", host, code, http.StatusText(code), saying(terr)), "try again"
	default:
		f.Reason, f.Text = Broken, fmt.Sprintf("%s rejected the request: %d %s%s", host, code, http.StatusText(code), saying(terr))
	}
}

func (f *Fault) unauthorized(host, repository string) {
	f.Reason = Unauthorized
	switch {
	case host == "docker.io":
		f.Text = "docker.io denied access to " + repository + " (401): it doesn't exist, or it is private"
		f.Hint = "check the name, or use docker login for a private repository"
	case isECR(host):
		f.Text = host + " rejected the credentials (401)"
		f.Hint = "aws sts get-caller-identity shows which user they are for"
	default:
		f.Text = host + " requires valid credentials (401)"
		f.Hint = "docker login " + host + " sets them"
	}
}

// verb returns what the failed request was for: read or write.
func verb(terr *transport.Error) string {
	if terr.Request != nil && terr.Request.Method != http.MethodGet && terr.Request.Method != http.MethodHead {
		return "write"
	}
	return "read"
}

func has(terr *transport.Error, code transport.ErrorCode) bool {
	for _, d := range terr.Errors {
		if d.Code == code {
			return true
		}
	}
	return false
}

// saying returns the registry's own messages for a fault, or "".
func saying(terr *transport.Error) string {
	var said []string
	for _, d := range terr.Errors {
		if d.Message != "" {
			said = append(said, d.Message)
		}
	}
	if len(said) == 0 {
		return ""
	}
	return ": " + printable(strings.Join(said, "; "))
}

func identifier(parsed name.Reference) string {
	if _, ok := parsed.(name.Digest); ok {
		return "image " + parsed.Identifier()
	}
	return "tag " + parsed.Identifier()
}
