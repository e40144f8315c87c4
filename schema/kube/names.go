package kube

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
)

// The maximum lengths of names: of the label of a pod or a Job, and of a CronJob, whose Jobs have a suffix of 11 characters.
const (
	MaxName    = 63
	MaxCronJob = 52
)

// digestChars is the length of the digest in a changed name.
const digestChars = 8

// Name returns s as a DNS label of at most max characters: in lower case, with - for characters that are not allowed. If s is changed
// or cut, a digest of s is added, so that different names stay different.
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

// LabelValue returns s as the value of a label: s itself if it is valid, as almost every name of the language is.
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

// CronJobName returns the name of the definition's CronJob, which is also the prefix of the names of its runs' Jobs.
func CronJobName(pipeline string) string { return Name(pipeline, MaxCronJob) }

// ScheduleName returns the name of the CronJob of a schedule. The one without a name starts the runs of the definition's own CronJob.
// The digest in other names keeps them apart from those of other pipelines.
func ScheduleName(pipeline, schedule string) string {
	if schedule == "" {
		return CronJobName(pipeline)
	}
	full := pipeline + "." + schedule // a dot is in no name of the language
	return Name(full, MaxCronJob)
}

// CoordinatorName returns the name of the coordinators' service account, Role and RoleBinding.
func CoordinatorName(pipeline string) string { return CronJobName(pipeline) + "-run" }

// StepsName returns the name of the service account of the steps.
func StepsName(pipeline string) string { return CronJobName(pipeline) + "-steps" }

// programDigits is the length of the digest in the name of a ConfigMap.
const programDigits = 12

// ProgramName returns the name of the ConfigMap that holds part n of the program with a digest ("sha256:…").
func ProgramName(pipeline, digest string, n int) string {
	name := Name(pipeline, MaxCronJob-14) + "-" + strings.TrimPrefix(digest, "sha256:")[:programDigits]
	if n > 0 {
		name += "-" + strconv.Itoa(n)
	}
	return name
}

// InDefinition reports whether an object of a kind has a name that pipec gives it in the definition of a pipeline. schedule is the name of
// the schedule in its annotation, if it is a CronJob.
func InDefinition(kind, name, pipeline, schedule string) bool {
	switch kind {
	case "CronJob":
		return name == ScheduleName(pipeline, schedule)
	case "ServiceAccount":
		return name == CoordinatorName(pipeline) || name == StepsName(pipeline)
	case "Role", "RoleBinding":
		return name == CoordinatorName(pipeline)
	case "ConfigMap":
		rest, ok := strings.CutPrefix(name, Name(pipeline, MaxCronJob-14)+"-")
		digest, part, parts := strings.Cut(rest, "-")
		_, err := strconv.ParseUint(digest, 16, 64)
		if !ok || len(digest) != programDigits || err != nil || !parts {
			return ok && len(digest) == programDigits && err == nil
		}
		n, err := strconv.Atoi(part)
		return err == nil && n > 0 && strconv.Itoa(n) == part
	}
	return true
}

// PodName returns the name of the pod of an attempt. Every coordinator of the run computes the same name.
func PodName(jobUID, step string, attempt int) string {
	return Name(step, 40) + "-" + short(jobUID, step, strconv.Itoa(attempt)) + short(step, jobUID)[:4]
}

// GroupDigest returns the suffix of names that belong to a concurrency group of a project. Groups of other projects have other digests.
func GroupDigest(project, group string) string {
	return short("group", project, group) + short(group, project)
}

// GroupLease returns the name of the Lease that holds the holders of a group.
func GroupLease(project, group string) string {
	return "pipec-group-" + Name(group, 30) + "-" + GroupDigest(project, group)
}
