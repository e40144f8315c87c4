package connect_test

import (
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"pipec.dev/pipec/runtime/cluster/connect"
	"pipec.dev/pipec/schema/program"
)

// aws sets the variables that the SDK's chain reads, so that the machine's own settings have no effect.
func aws(t *testing.T, endpoint string) []string {
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "", "AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "",
		"AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent", "AWS_PROFILE": "", "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL": "",
	} {
		t.Setenv(name, value)
	}
	return []string{"AWS_ENDPOINT_URL_EKS=" + endpoint}
}

// TestEKS simulates EKS: DescribeCluster returns the cluster's endpoint and authority, and an API server gets a token.
func TestEKS(t *testing.T) {
	var token string
	api := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		token = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	}))
	defer api.Close()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: api.Certificate().Raw})
	var asked *http.Request
	busy := 0
	eks := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r
		switch r.URL.Path {
		case "/clusters/prod":
			_, _ = w.Write([]byte(`{"cluster": {"status": "ACTIVE", "endpoint": "` + api.URL + `", "certificateAuthority": {"data": "` + base64.StdEncoding.EncodeToString(ca) + `"}}}`))
		case "/clusters/new":
			_, _ = w.Write([]byte(`{"cluster": {"status": "CREATING"}}`))
		case "/clusters/secret":
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"message": "User: jane is not authorized to perform: eks:DescribeCluster"}`))
		case "/clusters/expired":
			w.Header().Set("X-Amzn-Errortype", "ExpiredTokenException:http://internal.amazon.com/coral/")
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"message": "The security token included in the request is expired"}`))
		case "/clusters/clock":
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"__type": "com.amazon#InvalidSignatureException", "message": "Signature expired: 20200101T000000Z is now earlier than 20200101T010000Z"}`))
		case "/clusters/broken":
			_, _ = w.Write([]byte(`{"cluster": {"status": "FAILED", "endpoint": "https://x"}}`))
		case "/clusters/other":
			_, _ = w.Write([]byte(`{"cluster": {"status": "ACTIVE", "endpoint": "https://x", "arn": "arn:aws:eks:us-west-2:999999999999:cluster/other"}}`))
		case "/clusters/busy":
			if busy++; busy < 3 {
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			w.WriteHeader(http.StatusNotFound)
		case "/clusters":
			_, _ = w.Write([]byte(`{"clusters": ["prod", "staging"]}`))
		case "/clusters/junk":
			_, _ = w.Write([]byte(`<html>`))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer eks.Close()
	environ := append(aws(t, eks.URL), "AWS_PROFILE=team")
	for _, name := range []string{"prod", "arn:aws:eks:us-west-2:123456789012:cluster/prod"} {
		c, err := connect.Open(t.Context(), program.Orchestrator{EKSCluster: name, Namespace: "ml"}, environ)
		if err != nil {
			t.Fatal(err)
		}
		region := "eu-central-1"
		if name != "prod" {
			region = "us-west-2"
		}
		if auth := asked.Header.Get("Authorization"); !strings.HasPrefix(auth, "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/") || !strings.Contains(auth, "/"+region+"/eks/aws4_request") {
			t.Errorf("DescribeCluster is signed as %q", auth)
		}
		if c.Context != "eks:prod" || c.Host != api.URL || c.Namespace != "ml" {
			t.Errorf("%+v", c)
		}
		if err := ask(t, c); err != nil {
			t.Fatal(err)
		}
		text, ok := strings.CutPrefix(token, "k8s-aws-v1.")
		raw, err := base64.RawURLEncoding.DecodeString(text)
		if !ok || err != nil {
			t.Fatalf("token %q: %v", token, err)
		}
		u, err := url.Parse(string(raw))
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		if u.Host != "sts."+region+".amazonaws.com" || q.Get("Action") != "GetCallerIdentity" || q.Get("X-Amz-Expires") != "60" ||
			!strings.Contains(q.Get("X-Amz-SignedHeaders"), "x-k8s-aws-id") || q.Get("X-Amz-Signature") == "" {
			t.Errorf("the token is %s", u)
		}
		if strings.Contains(token+u.String(), "secret") {
			t.Errorf("the token shows the key")
		}
	}
	c, err := connect.Open(t.Context(), program.Orchestrator{EKSCluster: "prod", Namespace: "ml"}, environ)
	if err != nil {
		t.Fatal(err)
	}
	refused := apierrors.NewUnauthorized("Unauthorized")
	if err := c.Explain(refused); !strings.Contains(err.Error(), "aws eks create-access-entry --cluster-name prod --region eu-central-1") || strings.Contains(err.Error(), "kubeconfig") {
		t.Errorf("%v", err)
	}
	if err := c.Explain(errors.New("getting credentials: AWS: the SSO session has expired")); !strings.Contains(err.Error(), "the SSO session has expired\nIf they have expired, log in") {
		t.Errorf("%v", err)
	}
	for _, c := range []struct {
		name   string
		reason connect.Reason
		want   string
	}{
		{"missing", connect.NoContext, "eks_cluster \"missing\" in eu-central-1: there is no such cluster in this region and account\nThe clusters are: prod, staging"},
		{"prdo", connect.NoContext, `Did you mean "prod"? The clusters are: prod, staging`},
		{"busy", connect.NoContext, "there is no such cluster"},
		{"expired", connect.NoPlugin, "AWS does not accept the credentials: The security token included in the request is expired\nLog in (for example with `aws sso login --profile team`)"},
		{"clock", connect.NoPlugin, "If the clock of this machine is wrong, correct it."},
		{"broken", connect.Unreachable, "its status is failed"},
		{"arn:aws:eks:us-west-2:123456789012:cluster/other", connect.NoContext, "the credentials are for the account 999999999999, and the ARN of the cluster names 123456789012"},
		{"secret", connect.Forbidden, "not authorized to perform: eks:DescribeCluster"},
		{"new", connect.Unreachable, "its status is creating\nWait until it is active: aws eks wait cluster-active --name new"},
		{"junk", connect.Unreachable, "can't be parsed"},
	} {
		_, err := connect.Open(t.Context(), program.Orchestrator{EKSCluster: c.name}, environ)
		var e *connect.Error
		if !errors.As(err, &e) || e.Reason != c.reason || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestEKSRefuses(t *testing.T) {
	environ := aws(t, closed(t))
	for _, c := range []struct {
		set    map[string]string
		reason connect.Reason
		want   string
	}{
		{nil, connect.Unreachable, "EKS does not respond: connection refused"},
		{map[string]string{"AWS_REGION": ""}, connect.NoConfig, "no AWS region"},
		{map[string]string{"AWS_ACCESS_KEY_ID": ""}, connect.NoPlugin, "no AWS credentials"},
	} {
		for name, value := range c.set {
			t.Setenv(name, value)
		}
		_, err := connect.Open(t.Context(), program.Orchestrator{EKSCluster: "prod"}, environ)
		var e *connect.Error
		if !errors.As(err, &e) || e.Reason != c.reason || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v", c.set, err)
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("the key is shown: %v", err)
		}
		t.Setenv("AWS_REGION", "eu-central-1")
	}
}
