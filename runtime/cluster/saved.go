package cluster

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// savedVersion is the version of the file's format. Other versions are rejected.
const savedVersion = 1

// Saved is a plan that was written to a file: the desired objects and the state of the live ones. It contains no
// secrets, because the objects of a definition contain none.
type Saved struct {
	Version int    `json:"version"`
	Pipec   string `json:"pipec"` // the version of pipec that wrote the file; other versions may create other objects from the same source
	Stack   string `json:"stack"`
	Context string `json:"context"`
	Host    string `json:"host"`
	// The fields from Namespace to Force are those of Options.
	Namespace       string                      `json:"namespace"`
	Project         string                      `json:"project,omitempty"`
	Prune           bool                        `json:"prune,omitempty"`
	CreateNamespace bool                        `json:"create_namespace,omitempty"`
	Force           bool                        `json:"force_conflicts,omitempty"`
	Pipelines       []string                    `json:"pipelines"`
	Objects         []unstructured.Unstructured `json:"objects"`
	Changes         []Change                    `json:"changes"` // without their fields
	Digest          string                      `json:"digest"`  // of all other fields
}

// Save writes a plan made with these options to a file that only its owner can read. s provides the header: Pipec,
// Stack, Pipelines.
func Save(path string, s Saved, o Options, plan *Changes) error {
	s.Version = savedVersion
	s.Context, s.Host, s.Namespace = o.Cluster.Context, o.Cluster.Host, o.Cluster.Namespace
	s.Project, s.Prune, s.CreateNamespace, s.Force, s.Objects = o.Project, o.Prune, o.CreateNamespace, o.Force, o.Objects
	for _, ch := range plan.List {
		s.Changes = append(s.Changes, Change{Action: ch.Action, Kind: ch.Kind, Name: ch.Name, Pipeline: ch.Pipeline, Live: ch.Live})
	}
	digest, err := s.digest()
	if err != nil {
		return err
	}
	s.Digest = digest
	data, err := json.MarshalIndent(&s, "", "  ")
	if err != nil {
		return err
	}
	return replaceFile(path, append(data, '\n'))
}

// replaceFile replaces a file atomically. Other users can't read the temporary file.
func replaceFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func (s Saved) digest() (string, error) {
	s.Digest = ""
	data, err := json.Marshal(&s)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

// PlanFileError reports that a file is not a plan, or not a plan for this stack and cluster.
type PlanFileError struct{ Path, Text string }

func (e *PlanFileError) Error() string { return "plan " + e.Path + " " + e.Text }

// maxPlan limits the size of the file.
const maxPlan = 256 << 20

// LoadSaved reads a file that Save wrote. It returns a *PlanFileError if the file has other content or was changed.
func LoadSaved(path string) (*Saved, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxPlan {
		return nil, &PlanFileError{path, "is not a plan that pipec saved"}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s, err := parseSaved(data)
	var fault *PlanFileError
	if errors.As(err, &fault) {
		fault.Path = path
	}
	return s, err
}

func parseSaved(data []byte) (*Saved, error) {
	var s Saved
	if err := json.NewDecoder(bytes.NewReader(data)).Decode(&s); err != nil {
		return nil, &PlanFileError{"", "is not a plan that pipec saved"}
	}
	if s.Version != savedVersion {
		return nil, &PlanFileError{"", fmt.Sprintf("has version %d, but this pipec reads version %d: plan again", s.Version, savedVersion)}
	}
	digest, err := s.digest()
	if err != nil || digest != s.Digest {
		return nil, &PlanFileError{"", "has been changed since it was saved: plan again"}
	}
	return &s, nil
}

// Options returns the options that the plan was made with. It rejects a plan for another stack, cluster, namespace or
// version of pipec.
func (s *Saved) Options(path, pipec, stack string, o Options) (Options, error) {
	for _, p := range []struct{ what, saved, now string }{
		{"pipec", s.Pipec, pipec},
		{"stack", s.Stack, stack},
		{"context", s.Context, o.Cluster.Context},
		{"API server", s.Host, o.Cluster.Host},
		{"namespace", s.Namespace, o.Cluster.Namespace},
	} {
		if p.saved != p.now {
			return o, &PlanFileError{path, fmt.Sprintf("was made for %s %q, but this is %q", p.what, p.saved, p.now)}
		}
	}
	o.Project, o.Prune, o.CreateNamespace, o.Force, o.Objects = s.Project, s.Prune, s.CreateNamespace, s.Force, s.Objects
	return o, nil
}

// StaleError reports that the cluster has changed since a plan was saved.
type StaleError struct{ Kind, Name, What string }

func (e *StaleError) Error() string {
	return fmt.Sprintf("the plan is outdated: %s %q %s after it was made\nPlan again.", e.Kind, e.Name, e.What)
}

// Replan makes the plan again. It returns a *StaleError if the live objects differ from those that the saved plan saw.
func (s *Saved) Replan(ctx context.Context, o Options) (*Changes, error) {
	now, err := Plan(ctx, o)
	if err != nil {
		return nil, err
	}
	return now, s.fresh(now)
}

func (s *Saved) fresh(now *Changes) error {
	type id struct{ kind, name string }
	then := map[id]*Change{}
	for i := range s.Changes {
		then[id{s.Changes[i].Kind, s.Changes[i].Name}] = &s.Changes[i]
	}
	for i := range now.List {
		ch := &now.List[i]
		old := then[id{ch.Kind, ch.Name}]
		delete(then, id{ch.Kind, ch.Name})
		stale := func(what string) error { return &StaleError{ch.Kind, ch.Name, what} }
		switch {
		case old == nil && ch.Kind == "Namespace":
			return stale("was deleted")
		case old == nil:
			return stale("was created")
		case old.Live == nil && ch.Live != nil:
			return stale("was created")
		case old.Live != nil && ch.Live == nil:
			return stale("was deleted")
		case old.Live == nil:
		case old.Live.UID != ch.Live.UID:
			return stale("was recreated")
		case old.Live.Digest != ch.Live.Digest:
			return stale("was changed")
		}
		if old.Action == Keep || old.Action == Delete {
			if old.Action == Keep {
				ch.Action, ch.Why = Keep, old.Why // its run has ended since: the next plan removes it
			}
		} else if old.Action != ch.Action {
			return stale("would be handled differently (" + string(ch.Action) + ", and not " + string(old.Action) + ")")
		}
	}
	for i := range s.Changes {
		if ch := &s.Changes[i]; then[id{ch.Kind, ch.Name}] != nil {
			if ch.Kind == "Namespace" {
				return &StaleError{ch.Kind, ch.Name, "was created"}
			}
			return &StaleError{ch.Kind, ch.Name, "was deleted"}
		}
	}
	return nil
}
