package sketch

import "bytes"

// reader reads from the start to the end; i is the current offset.
type reader struct {
	file  *File
	src   []byte
	i     int
	start int // of the line of i
}

// to advances to an offset.
func (r *reader) to(i int) {
	if at := bytes.LastIndexAny(r.src[r.i:i], "\r\n"); at >= 0 {
		r.start = r.i + at + 1
	}
	r.i = i
}

func (r *reader) column() int { return r.i - r.start }

func (r *reader) end() bool { return r.i >= len(r.src) || newline(r.src[r.i]) }

// blanks skips blanks on the line, and a comment at its end.
func (r *reader) blanks() {
	from := r.i
	for r.i < len(r.src) && blank(r.src[r.i]) {
		r.i++
	}
	if r.i < len(r.src) && r.src[r.i] == '#' && (r.i > from || r.i == r.start || blank(r.src[r.i-1])) {
		at := r.i
		r.line()
		r.file.Comments = append(r.file.Comments, Span{at, r.i})
	}
}

// line advances to the end of the line.
func (r *reader) line() {
	for !r.end() {
		r.i++
	}
}

// skip skips blanks, ends of lines, comments, and the marks of documents.
func (r *reader) skip() {
	for {
		r.blanks()
		switch {
		case r.i >= len(r.src):
			return
		case newline(r.src[r.i]):
			r.i++
			r.start = r.i
		case r.column() == 0 && r.mark():
			r.i += 3
		case r.column() == 0 && r.src[r.i] == '%':
			r.line()
		default:
			return
		}
	}
}

func (r *reader) mark() bool {
	rest := r.src[r.i:]
	return len(rest) >= 3 && (string(rest[:3]) == "---" || string(rest[:3]) == "...") && (len(rest) == 3 || blank(rest[3]) || newline(rest[3]))
}

// dash reports whether an item of a list begins here.
func (r *reader) dash() bool {
	return r.src[r.i] == '-' && (r.i+1 >= len(r.src) || blank(r.src[r.i+1]) || newline(r.src[r.i+1]))
}

// block reads the value that begins here, on a line of its own or after a dash, further to the right than parent.
func (r *reader) block(parent, depth int) *Node {
	switch {
	case depth > maxDepth:
		n := &Node{Span: Span{r.i, r.i}}
		r.line()
		return n
	case r.dash():
		return r.list(depth)
	case r.keyed(r.i) >= 0 || r.keysFollow(parent):
		return r.entries(parent, depth)
	}
	return r.inline(parent, depth)
}

// keysFollow reports whether the text here is a key that is being typed: there are keys below it.
func (r *reader) keysFollow(parent int) bool {
	if c := r.src[r.i]; !wordStart(c) {
		return false
	}
	column := r.column()
	for i := r.i; ; {
		for i < len(r.src) && !newline(r.src[i]) {
			i++
		}
		for i < len(r.src) && newline(r.src[i]) {
			i++
		}
		if i >= len(r.src) {
			return false
		}
		start := i
		for i < len(r.src) && blank(r.src[i]) {
			i++
		}
		switch c := i - start; {
		case i >= len(r.src) || newline(r.src[i]) || r.src[i] == '#':
		case c <= parent || c < column:
			return false
		case c == column:
			return r.keyed(i) >= 0
		}
	}
}

func wordStart(c byte) bool {
	return c == '_' || c == '"' || c == '\'' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// list reads the items whose dashes are in one column.
func (r *reader) list(depth int) *Node {
	n := &Node{Kind: List, Span: Span{r.i, r.i}, Column: r.column()}
	for {
		item := &Item{Start: r.i}
		r.i++
		n.End = r.i
		item.Value = r.value(n.Column, false, depth+1)
		item.End = max(r.i, item.Value.End)
		n.Items = append(n.Items, item)
		n.End = max(n.End, item.Value.End)
		r.skip()
		for r.i < len(r.src) && r.column() > n.Column { // too far to the right: it belongs to something that is missing
			r.stray(n.Column, depth)
		}
		if r.i >= len(r.src) || r.column() != n.Column || !r.dash() {
			return n
		}
	}
}

// stray skips text that is not allowed here.
func (r *reader) stray(parent, depth int) {
	before := r.i
	r.block(parent, depth+1)
	r.skip()
	if r.i == before {
		r.line()
		r.skip()
	}
}

// entries reads the keys in one column, further to the right than parent.
func (r *reader) entries(parent, depth int) *Node {
	n := &Node{Kind: Map, Span: Span{r.i, r.i}, Column: r.column()}
	var last *Entry
	for r.i < len(r.src) && r.column() > parent {
		before := r.i
		if (r.column() > n.Column || r.dash()) && last != nil { // perhaps part of the previous key, whose value is not text then
			v := r.block(min(n.Column, r.column()-1), depth+1)
			if v.Kind != Text && v.Kind != Nothing && last.Value.Kind != Map && last.Value.Kind != List {
				last.Value, last.End, n.End = v, v.End, max(n.End, v.End)
			}
		} else {
			last = r.entry(depth)
			n.Entries = append(n.Entries, last)
			n.End = max(n.End, last.End)
		}
		r.skip()
		if r.i == before {
			r.line()
			r.skip()
		}
	}
	return n
}

// entry reads one key and its value.
func (r *reader) entry(depth int) *Entry {
	e := &Entry{Column: r.column(), Colon: -1, Value: &Node{}}
	colon := r.keyed(r.i)
	if colon < 0 {
		e.Key = r.word()
		e.End = e.Key.End
		e.Value.Span = Span{e.Key.End, e.Key.End}
		r.line()
		return e
	}
	e.Key = r.key(colon)
	e.Colon = colon
	r.i = colon + 1
	e.Value = r.value(e.Column, true, depth+1)
	e.End = max(e.Colon+1, e.Value.End)
	return e
}

// value reads the value after a colon or a dash. The items of a list may be right below their key.
func (r *reader) value(parent int, ofKey bool, depth int) *Node {
	at := r.i
	r.blanks()
	r.properties()
	if !r.end() {
		if !ofKey && depth <= maxDepth && (r.dash() || r.keyed(r.i) >= 0) {
			return r.block(parent, depth)
		}
		return r.inline(parent, depth)
	}
	r.skip()
	if r.i < len(r.src) && (r.column() > parent || ofKey && r.column() == parent && r.dash()) {
		r.properties()
		if !r.end() {
			return r.block(parent, depth)
		}
	}
	return &Node{Span: Span{at, at}}
}

// properties skips the anchor and the tag of a node.
func (r *reader) properties() {
	for r.i < len(r.src) && (r.src[r.i] == '&' || r.src[r.i] == '!') {
		for !r.end() && !blank(r.src[r.i]) {
			r.i++
		}
		r.blanks()
	}
}
