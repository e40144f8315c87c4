package awstest

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// cli returns a function that runs the aws command against a server. The test is skipped if the command can't run.
func cli(t *testing.T, url string) func(args ...string) (string, error) {
	t.Helper()
	path, err := exec.LookPath("aws")
	if err != nil || exec.CommandContext(t.Context(), path, "--version").Run() != nil {
		t.Skip("the command aws is not installed")
	}
	return func(args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), path, args...)
		cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+url, "AWS_ACCESS_KEY_ID=k", "AWS_SECRET_ACCESS_KEY=s", "AWS_DEFAULT_REGION="+region, "AWS_MAX_ATTEMPTS=1",
			"AWS_CONFIG_FILE=/nonexistent", "AWS_SHARED_CREDENTIALS_FILE=/nonexistent", "AWS_PAGER=")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		return string(out) + stderr.String(), err
	}
}

// TestCommandAWS: the command aws, which users have, understands the answers of the fake.
func TestCommandAWS(t *testing.T) {
	s := &Server{}
	server := httptest.NewServer(s)
	defer server.Close()
	aws := cli(t, server.URL)
	run := func(want string, args ...string) string {
		t.Helper()
		out, err := aws(args...)
		if !strings.Contains(out, want) {
			t.Fatalf("aws %s: %v\n%s\nexpected %s", strings.Join(args, " "), err, out, want)
		}
		return out
	}
	const template = `{"Resources": {"B": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain", "Properties": {"BucketName": "data"}}}, "Outputs": {"Bucket": {"Value": {"Ref": "B"}}}}`
	set := []string{"--stack-name", "st", "--change-set-name", "c"}
	cfn := func(want, action string, more ...string) string {
		t.Helper()
		return run(want, append([]string{"cloudformation", action}, more...)...)
	}
	cfn("changeSet/c", "create-change-set", append(set, "--change-set-type", "CREATE", "--template-body", template)...)
	var described struct {
		Status  string
		Changes []struct {
			ResourceChange struct{ Action, LogicalResourceId string }
		}
	}
	if err := json.Unmarshal([]byte(cfn("CREATE_COMPLETE", "describe-change-set", set...)), &described); err != nil || described.Changes[0].ResourceChange.Action != "Add" {
		t.Errorf("%+v, %v", described, err)
	}
	cfn("", "execute-change-set", set...)
	cfn(`"OutputValue": "data"`, "describe-stacks", "--stack-name", "st")
	cfn(`"ResourceStatus": "REVIEW_IN_PROGRESS"`, "describe-stack-events", "--stack-name", "st")
	run("NoSuchBucket", "s3api", "list-objects-v2", "--bucket", "other")
	s.Lock()
	s.Expired = true
	s.Unlock()
	cfn("ExpiredToken", "describe-stacks", "--stack-name", "st")
}
