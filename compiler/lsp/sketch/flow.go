package sketch

// flow reads a list or a map between brackets. An unclosed one ends before a line that is not further to the right than
// parent.
func (r *reader) flow(parent, depth int) *Node {
	n := &Node{Kind: List, Flow: true, Span: Span{r.i, r.i}}
	if r.src[r.i] == '{' {
		n.Kind = Map
	}
	r.i++
	n.End = r.i
	if depth > maxDepth {
		return n
	}
	for from := r.i; ; from = r.i {
		if !r.within(parent) {
			n.Items = append(n.Items, r.nothing(n, from)...)
			n.End = max(n.End, min(r.i, len(r.src)))
			return n
		}
		switch c := r.src[r.i]; {
		case c == ']' || c == '}':
			n.Items = append(n.Items, r.nothing(n, from)...)
			r.i++ // the wrong one closes too
			n.End = r.i
			return n
		case c == ',':
			r.i++
			n.End = r.i
		case n.Kind == Map:
			e := r.flowEntry(parent, depth)
			n.Entries = append(n.Entries, e)
			n.End = max(n.End, e.End)
		default:
			item := &Item{Start: from, Value: r.flowValue(parent, depth)}
			if r.i < len(r.src) && colon(r.src, r.i, true) { // [key: value], a map of one key
				r.i++
				if r.within(parent) && r.src[r.i] != ',' && r.src[r.i] != ']' {
					item.Value = r.flowValue(parent, depth)
				}
			}
			item.End = r.i
			n.Items = append(n.Items, item)
			n.End = max(n.End, item.Value.End)
		}
	}
}

// nothing returns the item that may be typed between the last comma, or the bracket, and here.
func (r *reader) nothing(n *Node, from int) []*Item {
	if n.Kind != List || len(n.Items) > 0 && n.Items[len(n.Items)-1].End >= from && (from == 0 || r.src[from-1] != ',') {
		return nil
	}
	return []*Item{{Start: from, Value: &Node{Span: Span{from, from}}, End: min(r.i, len(r.src))}}
}

// within advances to the next token. It returns false if the brackets end here, unclosed.
func (r *reader) within(parent int) bool {
	i, start, comments := r.i, r.start, len(r.file.Comments)
	r.skip()
	if r.i >= len(r.src) {
		return false
	}
	if r.start == start || r.column() > parent || r.src[r.i] == ']' || r.src[r.i] == '}' {
		return true
	}
	r.i, r.start, r.file.Comments = i, start, r.file.Comments[:comments]
	return false
}

func (r *reader) flowEntry(parent, depth int) *Entry {
	e := &Entry{Column: r.column(), Colon: -1}
	e.Key = r.flowText(parent)
	e.End = max(r.i, e.Key.End)
	e.Value = &Node{Span: Span{e.End, e.End}}
	i := r.i
	for i < len(r.src) && blank(r.src[i]) {
		i++
	}
	if !colon(r.src, i, true) && !(e.Key.Style != Plain && i < len(r.src) && r.src[i] == ':') {
		return e
	}
	e.Colon = i
	r.i = i + 1
	e.Value.Span = Span{r.i, r.i}
	e.End = r.i
	if r.within(parent) && r.src[r.i] != ',' && r.src[r.i] != '}' && r.src[r.i] != ']' {
		e.Value = r.flowValue(parent, depth)
	}
	e.End = r.i
	return e
}

// flowValue reads one value between brackets.
func (r *reader) flowValue(parent, depth int) *Node {
	for r.i < len(r.src) && (r.src[r.i] == '&' || r.src[r.i] == '!') {
		at := r.i
		r.properties()
		if !r.within(parent) || r.i == at {
			return &Node{Span: Span{r.i, r.i}}
		}
	}
	if c := r.src[r.i]; c == '[' || c == '{' {
		return r.flow(parent, depth+1)
	}
	return r.flowText(parent)
}

// flowText reads text between brackets.
func (r *reader) flowText(parent int) *Node {
	if c := r.src[r.i]; c == '"' || c == '\'' {
		return r.quote(parent)
	}
	n := &Node{Kind: Text, Span: Span{r.i, r.i}}
	for !r.end() {
		c := r.src[r.i]
		if c == '$' && r.i+1 < len(r.src) && r.src[r.i+1] == '{' {
			r.i = braced(r.src, r.i+1)
			n.End = r.i
			continue
		}
		if c == ',' || c == '[' || c == ']' || c == '{' || c == '}' || colon(r.src, r.i, true) || c == '#' && r.i > n.Start && blank(r.src[r.i-1]) {
			break
		}
		if r.i++; !blank(c) {
			n.End = r.i
		}
	}
	if r.i == n.Start { // what can't begin a text
		r.i++
		n.End = r.i
	}
	if r.src[n.Start] == '*' {
		n.Kind = Alias
	}
	n.Inner = n.Span
	return n
}
