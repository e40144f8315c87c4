package answers

import (
	"net/url"
	"strings"
)

// strange is a UID that no object has.
const strange = "00000000-0000-4000-8000-000000000000"

func creating(s *session) {
	s.send("a pod", "POST", s.pods(), podBody("p", "7"))
	s.send("a pod that exists", "POST", s.pods(), podBody("p", "7"))
	s.send("a Job", "POST", s.jobs(), jobBody("j"))
	s.send("a Job that exists", "POST", s.jobs(), jobBody("j"))
	s.send("a Lease", "POST", s.leases(), leaseBody("l", "a", ""))
	s.send("a Lease that exists", "POST", s.leases(), leaseBody("l", "a", ""))
	s.send("a pod with a bad name", "POST", s.pods(), podBody("Bad_Name", ""))
}

func reading(s *session) {
	for _, o := range []struct{ what, url, name string }{{"pod", s.pods(), "/p"}, {"Job", s.jobs(), "/j"}, {"Lease", s.leases(), "/l"}} {
		s.send("a "+o.what+" is read", "GET", o.url+o.name, "")
		s.send("a "+o.what+" that doesn't exist is read", "GET", o.url+"/none", "")
		s.send("a list", "GET", o.url, "")
	}
	s.send("a list by label", "GET", s.pods()+"?labelSelector=app%3Dp", "")
	s.send("a list by a label that no pod has", "GET", s.pods()+"?labelSelector=app%3Dnone", "")
}

func denied(s *session) {
	for _, user := range []struct{ what, token string }{{"a user without rights", s.Nobody}, {"an unknown token", s.Unknown}} {
		s.sendAs(user.token, user.what+" creates a pod", "POST", s.pods(), podBody("q", ""))
		s.sendAs(user.token, user.what+" deletes a pod", "DELETE", s.pods()+"/p", options(strange, ""))
		s.sendAs(user.token, user.what+" reads a Job", "GET", s.jobs()+"/j", "")
		s.sendAs(user.token, user.what+" changes a Lease", "PUT", s.leases()+"/l", leaseBody("l", "b", ""))
		s.sendAs(user.token, user.what+" lists pods", "GET", s.pods(), "")
		s.sendAs(user.token, user.what+" watches pods", "GET", s.pods()+"?watch=1", "")
	}
}

func changing(s *session) {
	s.quiet("GET", s.leases()+"/l", "")
	read := s.last.Metadata.ResourceVersion
	s.send("a Lease is changed", "PUT", s.leases()+"/l", leaseBody("l", "b", read))
	s.send("a Lease that was changed since is changed", "PUT", s.leases()+"/l", leaseBody("l", "c", read))
	s.send("a Lease that doesn't exist is changed", "PUT", s.leases()+"/none", leaseBody("none", "c", read))
	s.send("a Lease that was deleted is changed", "PUT", s.leases()+"/gone", strings.Replace(leaseBody("gone", "c", read), `"name"`, `"uid":"`+strange+`","name"`, 1))
	s.quiet("GET", s.jobs()+"/j", "")
	job := s.last.Metadata
	s.send("a Job is annotated", "PATCH", s.jobs()+"/j", `{"metadata":{"uid":"`+string(job.UID)+`","annotations":{"note":"x"}}}`)
	s.send("a Job with another UID is annotated", "PATCH", s.jobs()+"/j", `{"metadata":{"uid":"`+strange+`","annotations":{"note":"y"}}}`)
	s.send("a Job of another UID and version is annotated", "PATCH", s.jobs()+"/j", `{"metadata":{"uid":"`+strange+`","resourceVersion":"`+job.ResourceVersion+`","annotations":{"note":"y"}}}`)
	s.send("a Job that was changed since is annotated", "PATCH", s.jobs()+"/j", `{"metadata":{"resourceVersion":"`+job.ResourceVersion+`","annotations":{"note":"y"}}}`)
	s.send("a Job that doesn't exist is annotated", "PATCH", s.jobs()+"/none", `{"metadata":{"annotations":{"note":"y"}}}`)
}

func deleting(s *session) {
	s.send("a pod with another UID is deleted", "DELETE", s.pods()+"/p", options(strange, ""))
	s.quiet("GET", s.pods()+"/p", "")
	uid := string(s.last.Metadata.UID)
	if err := s.Run("p"); err != nil {
		s.fail("%w", err)
	}
	s.send("a pod that runs is deleted", "DELETE", s.pods()+"/p", options(uid, ""))
	s.send("a pod that is being deleted is read", "GET", s.pods()+"/p", "")
	s.send("a pod that is being deleted is deleted", "DELETE", s.pods()+"/p", options(uid, ""))
	s.send("a pod that is being deleted is created", "POST", s.pods(), podBody("p", "7"))
	s.send("a pod that doesn't exist is deleted", "DELETE", s.pods()+"/none", options(uid, ""))
	s.quiet("POST", s.pods(), podBody("waits", ""))
	s.send("a pod that was not scheduled is deleted", "DELETE", s.pods()+"/waits", options(string(s.last.Metadata.UID), ""))
	s.send("a pod that was not scheduled is read after its deletion", "GET", s.pods()+"/waits", "")

	s.quiet("GET", s.leases()+"/l", "")
	lease := s.last.Metadata
	s.send("a Lease with another version is deleted", "DELETE", s.leases()+"/l", options(string(lease.UID), "1"))
	s.send("a Lease with another UID is deleted", "DELETE", s.leases()+"/l", options(strange, lease.ResourceVersion))
	s.send("a Lease is deleted", "DELETE", s.leases()+"/l", options(string(lease.UID), lease.ResourceVersion))
	s.send("a Lease that doesn't exist is deleted", "DELETE", s.leases()+"/l", options(string(lease.UID), ""))
}

func watching(s *session) {
	s.quiet("POST", s.pods(), podBody("w1", ""))
	from := s.last.Metadata.ResourceVersion
	s.watch("a watch resumes at a version", s.pods()+"?watch=1&resourceVersion="+from, 2, func() {
		s.quiet("POST", s.pods(), podBody("w2", ""))
		s.quiet("DELETE", s.pods()+"/w2", options(string(s.last.Metadata.UID), ""))
	})
	s.watch("a watch that selects a label", s.pods()+"?watch=1&labelSelector=app%3Dw4&resourceVersion="+from, 1, func() {
		s.quiet("POST", s.pods(), podBody("w3", ""))
		s.quiet("POST", s.pods(), podBody("w4", ""))
	})
	const initial = "?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
	s.watch("a watch with initial events", s.pods()+initial+"&labelSelector=app%3Dw1", 2, nil)
	s.watch("a watch with initial events, of which there are none", s.pods()+initial+"&labelSelector=app%3Dnone", 1, nil)
	s.watch("a watch of one Job with initial events", s.jobs()+initial+"&fieldSelector=metadata.name%3Dj", 2, nil)
	s.watch("a watch that may last for 3 s", s.pods()+"?watch=1&allowWatchBookmarks=true&timeoutSeconds=3&labelSelector=app%3Dnone&resourceVersion="+from, 9, nil)
}

func paging(s *session) {
	for _, name := range []string{"j2", "j3"} {
		s.quiet("POST", s.jobs(), jobBody(name))
	}
	s.send("the first page of a list", "GET", s.jobs()+"?limit=2", "")
	next := url.QueryEscape(s.last.Metadata.Continue)
	s.send("the last page of a list", "GET", s.jobs()+"?limit=2&continue="+next, "")
}

func ending(s *session) {
	if err := s.Terminate(); err != nil {
		s.fail("%w", err)
	}
	s.send("a pod in a namespace that is being deleted", "POST", s.pods(), podBody("late", ""))
	s.send("a Lease in a namespace that is being deleted", "POST", s.leases(), leaseBody("late", "a", ""))
}
