package lint

import "slices"

var unusedIgnore = &Rule{
	Code: "unused-ignore", Level: Warning,
	Summary: "A comment ignores a finding that no rule reports there.",
	Doc: "The code that the comment was written for is gone or has moved: a comment applies to its own line or, if it is alone on its line, to " +
		"the attribute or block that begins on the next line. A leftover comment would hide the next fault. Rules that are off, or that " +
		"`--only` leaves out, don't count. Nor do rules about clusters in a directory without stacks, because it may be a library.\n\n`--fix` removes the comment.",
	Check: func(p *Pass) {
		for _, g := range p.comments().all {
			if !slices.Contains(p.codes, g.code) || g.used || !p.asked(g.code) {
				continue
			}
			if len(p.Stacks) == 0 && p.clustered[g.code] {
				continue // an importer of this library may have a cluster
			}
			d := p.New(g.comment.Range, "%s has no finding here", g.code)
			if len(g.siblings) == 1 {
				d = p.Remove(d, g.comment.Range)
			}
			p.Report(d)
		}
	},
}
