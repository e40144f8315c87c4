package groups

// Of sets the project whose groups are used. It is called before the first request.
func (g *Groups) Of(project string) { g.o.Project = project }
