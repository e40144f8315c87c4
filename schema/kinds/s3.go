package kinds

import (
	"fmt"
	"net/url"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"pipec.dev/pipec/schema/program"
)

// s3 is the store in a bucket of S3, or of a server that speaks its protocol.
func s3() *Store {
	return &Store{
		Kind: "s3", Scheme: "s3", PathDoc: "`s3://bucket/prefix`", Example: "s3://BUCKET/PREFIX",
		RoleAnnotation: "eks.amazonaws.com/role-arn",
		Attributes: []Attribute{
			{Name: "region", Type: "string", Since: cluster, Doc: "The bucket's region. Default: the region of AWS's own settings."},
			{Name: "endpoint", Type: "string", Since: cluster, Doc: "The address of an S3 server that is not AWS: `https://HOST:PORT`."},
			{Name: "path_style", Type: "bool", Default: "false", Since: cluster, Doc: "The bucket is part of the path, not of the host name."},
			{Name: "secret", Type: "string", Since: cluster, Doc: "The Secret of the namespace that holds `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` for pods. Without it, pods have the credentials of their service account or node."},
			{Name: "role", Type: "string", Since: cluster, Doc: "The ARN of the IAM role that pods assume by their service account."},
			{Name: "steps_secret", Type: "string", Since: cluster, Doc: "The Secret for the pods of steps, instead of `secret`. Its keys need fewer rights than those of the coordinator: see docs/security.md."},
			{Name: "steps_role", Type: "string", Since: cluster, Doc: "The IAM role for the pods of steps, instead of `role`."},
		},
		Path: func(path string) (string, *Fault) {
			rest, isS3 := strings.CutPrefix(path, "s3://")
			if bucket, _, _ := strings.Cut(rest, "/"); !isS3 || bucket == "" {
				return path, &Fault{Text: fmt.Sprintf("%q is not a valid S3 URI", path), Suggestion: "write s3://BUCKET/PREFIX"}
			}
			return path, nil
		},
		Read: readS3,
	}
}

// readS3 takes "" as if an attribute was left out, so that variables can fill them in.
func readS3(v Values, s *program.Store) (faults []Fault) {
	s.Region, s.PathStyle = v.String("region"), v.Bool("path_style")
	if v.String("secret") != "" {
		s.Secret, faults = objectName(v, "secret", validation.IsDNS1123Subdomain)
	}
	if text := v.String("endpoint"); text != "" {
		if f := checkEndpoint(text); f != nil {
			faults = append(faults, *f)
		} else {
			s.Endpoint = strings.TrimRight(text, "/")
		}
	}
	if v.String("steps_secret") != "" {
		var wrong []Fault
		s.StepsSecret, wrong = objectName(v, "steps_secret", validation.IsDNS1123Subdomain)
		faults = append(faults, wrong...)
	}
	faults = append(faults, readRole(v, "role", &s.Role)...)
	faults = append(faults, readRole(v, "steps_role", &s.StepsRole)...)
	for _, same := range [][2]string{{"secret", "steps_secret"}, {"role", "steps_role"}} {
		if name := v.String(same[0]); name != "" && name == v.String(same[1]) {
			faults = append(faults, Fault{
				Attribute: same[1], Text: fmt.Sprintf("the steps have the %s of the coordinator: %q", same[0], name),
				Suggestion: fmt.Sprintf("remove %s, or name another one with fewer rights", same[1]), See: same[0], SeeText: "the coordinator's is set here",
			})
		}
	}
	return faults
}

// readRole reads the ARN of a role.
func readRole(v Values, attribute string, to *string) []Fault {
	role := v.String(attribute)
	if role != "" && (!strings.HasPrefix(role, "arn:") || !strings.Contains(role, ":role/")) {
		return []Fault{{
			Attribute: attribute, Text: fmt.Sprintf("%q is not the ARN of a role", role),
			Detail: "It is written as arn:aws:iam::ACCOUNT:role/NAME.",
		}}
	}
	*to = role
	return nil
}

func checkEndpoint(text string) *Fault {
	u, err := url.Parse(text)
	if err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil && u.RawQuery == "" {
		return nil
	}
	f := &Fault{
		Attribute: "endpoint", Text: "this is not the address of an S3 server",
		Detail: "It is a URL without user and query: https://HOST:PORT.",
	}
	if u, err := url.Parse("https://" + text); err == nil && !strings.Contains(text, "://") && u.Host == text {
		f.Suggestion = fmt.Sprintf("did you mean %q?", "https://"+text)
	}
	return f
}
