package service

import (
	"time"

	"pipec.dev/pipec/test/cluster/place"
	"pipec.dev/pipec/test/cluster/process"
)

// registry is Debian's docker-registry: plain http, anyone may push.
func registry() Service {
	config := place.Config + "/registry.yaml"
	return Service{
		Program: process.Program{Name: "docker-registry", Argv: []string{"docker-registry", "serve", config},
			Env: []string{"OTEL_TRACES_EXPORTER=none"}},
		Files: map[string]string{config: filled("registry.yaml.tmpl")},
		Ready: answers("http://" + place.Registry + "/v2/"), Patience: 60 * time.Second, Stage: 1,
	}
}

// s3 keeps buckets as directories. Bucket names are paths, never hosts' names.
func s3(program string) Service {
	return Service{
		Program: process.Program{Name: "versitygw", Argv: []string{program,
			"--port", place.S3, "--region", place.S3Region, "--health", "/health", "--quiet", "--keep-alive",
			"posix", place.State + "/s3"},
			Env: []string{"ROOT_ACCESS_KEY=" + place.S3Access, "ROOT_SECRET_KEY=" + place.S3Secret}},
		Ready: answers("http://" + place.S3 + "/health"), Patience: 60 * time.Second, Stage: 1,
	}
}
