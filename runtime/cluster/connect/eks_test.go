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
		case "/clusters/junk":
			_, _ = w.Write([]byte(`<html>`))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer eks.Close()
	environ := aws(t, eks.URL)
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
	for _, c := range []struct {
		name   string
		reason connect.Reason
		want   string
	}{
		{"missing", connect.NoContext, `eks_cluster "missing" in eu-central-1: there is no such cluster`},
		{"secret", connect.Forbidden, "not authorized to perform: eks:DescribeCluster"},
		{"new", connect.Unreachable, "no endpoint yet; its status is creating"},
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
