package kube

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
)

// The longest names: of a pod's or Job's label, and of a CronJob, whose Jobs get a suffix of 11.
const (
	MaxName    = 63
	MaxCronJob = 52
)

// digestChars is how much of a digest stands in a name that was changed.
const digestChars = 8

// Name makes a DNS label of at most max characters of s: lower case, with - for what can't stand there. Where that
// changes or cuts s, a digest of s follows, so that different names stay different.
func Name(s string, max int) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '-'
	}, s)
	name = strings.Trim(name, "-")
	if name == s && len(s) <= max && s != "" {
		return s
	}
	if room := max - digestChars - 1; len(name) > room {
		name = strings.TrimRight(name[:room], "-")
	}
	if name == "" {
		name = "x"
	}
	return name + "-" + short(s)
}

// LabelValue makes a label's value of s: s itself where it can be one, which a name of the language nearly always can.
func LabelValue(s string) string {
	if s == "" || len(s) <= MaxName && alphanumeric(s[0]) && alphanumeric(s[len(s)-1]) && !strings.ContainsFunc(s, func(r rune) bool {
		return r > 0x7f || !alphanumeric(byte(r)) && r != '-' && r != '_' && r != '.'
	}) {
		return s
	}
	return Name(s, MaxName)
}

func alphanumeric(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9'
}

func short(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])[:digestChars]
}

// The objects of a pipeline's definition.

// CronJobName is the definition's CronJob, and what the names of its runs' Jobs begin with.
func CronJobName(pipeline string) string { return Name(pipeline, MaxCronJob) }

// CoordinatorName is the service account, the Role and the RoleBinding of the coordinators.
func CoordinatorName(pipeline string) string { return CronJobName(pipeline) + "-run" }

// StepsName is the service account of the steps.
func StepsName(pipeline string) string { return CronJobName(pipeline) + "-steps" }

// ProgramName is the ConfigMap that holds part n of the program with this digest ("sha256:…").
func ProgramName(pipeline, digest string, n int) string {
	name := Name(pipeline, MaxCronJob-14) + "-" + strings.TrimPrefix(digest, "sha256:")[:12]
	if n > 0 {
		name += "-" + strconv.Itoa(n)
	}
	return name
}

// PodName is the pod of an attempt: the same for every coordinator of the run.
func PodName(jobUID, step string, attempt int) string {
	return Name(step, 40) + "-" + short(jobUID, step, strconv.Itoa(attempt)) + short(step, jobUID)[:4]
}

// GroupDigest is what names of a concurrency group of a project end in: groups of other projects are others.
func GroupDigest(project, group string) string {
	return short("group", project, group) + short(group, project)
}

// GroupLease is the Lease that says who is in a group.
func GroupLease(project, group string) string {
	return "pipec-group-" + Name(group, 30) + "-" + GroupDigest(project, group)
}
