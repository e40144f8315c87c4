package diag

import (
	"encoding/json"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
)

const (
	sarifVersion = "2.1.0"
	sarifSchema  = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)

// The parts of SARIF 2.1.0 that are written. Its levels have the same names as the severities.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID      string     `json:"id"`
		Short   *sarifText `json:"shortDescription,omitempty"`
		Default sarifLevel `json:"defaultConfiguration"`
	}
	sarifLevel struct {
		Level Severity `json:"level"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     Severity        `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations,omitempty"`
		Related   []sarifLocation `json:"relatedLocations,omitempty"`
		Fixes     []sarifFix      `json:"fixes,omitempty"`
	}
	sarifLocation struct {
		Physical *sarifPhysical `json:"physicalLocation,omitempty"`
		Message  *sarifText     `json:"message,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
		EndLine     int `json:"endLine"`
		EndColumn   int `json:"endColumn"`
	}
	sarifFix struct {
		Description sarifText     `json:"description"`
		Changes     []sarifChange `json:"artifactChanges"`
	}
	sarifChange struct {
		Artifact     sarifArtifact      `json:"artifactLocation"`
		Replacements []sarifReplacement `json:"replacements"`
	}
	sarifReplacement struct {
		Deleted  sarifRegion `json:"deletedRegion"`
		Inserted *sarifText  `json:"insertedContent,omitempty"`
	}
)

// SARIF writes the view in the format that code scanning of GitHub, GitLab and editors reads.
func SARIF(w io.Writer, v *View, o Options) error {
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "pipec", Version: o.Version, Rules: sarifRules(v, o)}
	index := map[string]int{}
	for i, r := range run.Tool.Driver.Rules {
		index[r.ID] = i
	}
	for _, d := range v.Diagnostics {
		r := sarifResult{RuleID: d.Code, RuleIndex: index[d.Code], Level: d.Severity, Message: sarifText{message(d)}}
		if p := sarifPlace(d.Range); p != nil {
			r.Locations = []sarifLocation{{Physical: p}}
		}
		for _, other := range d.Related {
			r.Related = append(r.Related, sarifLocation{Physical: sarifPlace(other.Range), Message: &sarifText{other.Message}})
		}
		if d.Fix != nil {
			r.Fixes = []sarifFix{sarifFixOf(d)}
		}
		run.Results = append(run.Results, r)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(sarifLog{Schema: sarifSchema, Version: sarifVersion, Runs: []sarifRun{run}})
}

// sarifRules returns the codes in the view, sorted.
func sarifRules(v *View, o Options) []sarifRule {
	seen, out := map[string]bool{}, []sarifRule{}
	for _, d := range v.Diagnostics {
		if seen[d.Code] {
			continue
		}
		seen[d.Code] = true
		rule := sarifRule{ID: d.Code, Default: sarifLevel{d.Severity}}
		if c, ok := o.code(d.Code); ok {
			rule.Short = &sarifText{c.Doc}
			if c.Severity != "" {
				rule.Default.Level = c.Severity
			}
		}
		out = append(out, rule)
	}
	slices.SortFunc(out, func(a, b sarifRule) int { return strings.Compare(a.ID, b.ID) })
	return out
}

func sarifPlace(r *RangeView) *sarifPhysical {
	if r == nil {
		return nil
	}
	p := &sarifPhysical{Artifact: sarifArtifact{sarifURI(r.Filename)}}
	if r.Start.Line > 0 {
		region := sarifRegionOf(*r)
		p.Region = &region
	}
	return p
}

func sarifRegionOf(r RangeView) sarifRegion {
	return sarifRegion{max(1, r.Start.Line), max(1, r.Start.Column), max(1, r.Start.Line, r.End.Line), max(1, r.End.Column)}
}

// sarifURI returns a file's name as a URI. It is relative if the name is.
func sarifURI(name string) string {
	name = filepath.ToSlash(name)
	if filepath.IsAbs(name) {
		return (&url.URL{Scheme: "file", Path: name}).String()
	}
	return (&url.URL{Path: name}).String()
}

func sarifFixOf(d DiagnosticView) sarifFix {
	replace := sarifReplacement{Deleted: sarifRegionOf(d.Fix.Range)}
	if d.Fix.Text != "" {
		replace.Inserted = &sarifText{d.Fix.Text}
	}
	return sarifFix{
		Description: sarifText{fixText(*d.Fix)},
		Changes:     []sarifChange{{Artifact: sarifArtifact{sarifURI(d.Fix.Range.Filename)}, Replacements: []sarifReplacement{replace}}},
	}
}
