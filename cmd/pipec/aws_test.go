package main

import (
	"fmt"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"pipec.dev/pipec/runtime/aws/awstest"
)

// fakes are the fakes of AWS of the scripts, by their work directories.
type fakes struct {
	sync.Mutex
	byDir map[string]*awstest.Server
}

// start starts a fake of AWS for a script, to which the variables of its environment refer.
func (f *fakes) start(env *testscript.Env) {
	s := &awstest.Server{}
	server := httptest.NewServer(s)
	env.Defer(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
	} {
		env.Setenv(name, value)
	}
	f.Lock()
	defer f.Unlock()
	f.byDir[env.WorkDir] = s
}

// command changes or shows the fake of a script:
//
//	aws fail RESOURCE REASON    a resource fails; without a reason, it doesn't any more
//	aws stuck RESOURCE REASON   a resource can't be deleted
//	aws expire                  the credentials expire; once more, they are valid again
//	aws fill                    all buckets and repositories get content
//	aws show                    prints the buckets and repositories
func (f *fakes) command(ts *testscript.TestScript, neg bool, args []string) {
	f.Lock()
	s := f.byDir[ts.Getenv("WORK")]
	f.Unlock()
	if neg || s == nil || len(args) == 0 {
		ts.Fatalf("usage: aws COMMAND ARG...")
	}
	s.Lock()
	defer s.Unlock()
	set := func(m *map[string]string) {
		*m = nil
		if len(args) == 3 {
			*m = map[string]string{args[1]: args[2]}
		}
	}
	switch args[0] {
	case "fail":
		set(&s.Fail)
	case "stuck":
		set(&s.Stuck)
	case "expire":
		s.Expired = !s.Expired
	case "fill":
		for _, objects := range s.Buckets {
			objects["pipec/blobs/x"] = true
		}
		for name := range s.Repositories {
			s.Repositories[name]++
		}
	case "show":
		names := append(slices.Collect(maps.Keys(s.Buckets)), slices.Collect(maps.Keys(s.Repositories))...)
		slices.Sort(names)
		fmt.Fprintln(ts.Stdout(), strings.Join(names, "\n"))
	default:
		ts.Fatalf("aws: there is no command %s", args[0])
	}
}
