package sketch

// keyed returns the offset of the colon of the key that begins at an offset; -1 if there is none.
func (r *reader) keyed(i int) int {
	switch c := r.src[i]; c {
	case '"', '\'':
		i = quoted(r.src, i)
		if i < 0 {
			return -1
		}
		for i < len(r.src) && blank(r.src[i]) {
			i++
		}
		if colon(r.src, i, false) {
			return i
		}
		return -1
	case '[', ']', '{', '}', '|', '>', '#', ',', '`', '@':
		return -1
	}
	for i < len(r.src) && !newline(r.src[i]) {
		switch {
		case r.src[i] == '$' && i+1 < len(r.src) && r.src[i+1] == '{':
			i = braced(r.src, i+1)
			continue
		case r.src[i] == '#' && blank(r.src[i-1]):
			return -1
		case colon(r.src, i, false):
			return i
		}
		i++
	}
	return -1
}

// colon reports whether there is a colon at an offset that ends a key.
func colon(src []byte, i int, flow bool) bool {
	if i >= len(src) || src[i] != ':' {
		return false
	}
	if i+1 == len(src) {
		return true
	}
	c := src[i+1]
	return blank(c) || newline(c) || flow && (c == ',' || c == '[' || c == ']' || c == '{' || c == '}')
}

// quoted returns the offset after the quote that closes the one at an offset, on its line; -1 if it is not closed there.
func quoted(src []byte, i int) int {
	quote := src[i]
	for i++; i < len(src) && !newline(src[i]); i++ {
		switch {
		case src[i] == '\\' && quote == '"':
			i++
		case src[i] == quote && quote == '\'' && i+1 < len(src) && src[i+1] == quote:
			i++
		case src[i] == quote:
			return i + 1
		}
	}
	return -1
}

// braced returns the offset after the brace that closes the one at an offset, on its line; otherwise the end of the line,
// or of the text before a space and a #.
func braced(src []byte, i int) int {
	depth := 0
	for ; i < len(src) && !newline(src[i]); i++ {
		switch src[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i + 1
			}
		case '#':
			if blank(src[i-1]) {
				return i - 1
			}
		case '"':
			if end := quoted(src, i); end > 0 {
				i = end - 1
			}
		}
	}
	return i
}

// key returns the text before a colon.
func (r *reader) key(colon int) *Node {
	end := colon
	for end > r.i && blank(r.src[end-1]) {
		end--
	}
	return r.named(end)
}

// word returns the text up to the end of the line, or the first blank: a key that is being typed.
func (r *reader) word() *Node {
	end := r.i
	for end < len(r.src) && !newline(r.src[end]) && !blank(r.src[end]) {
		end++
	}
	return r.named(end)
}

func (r *reader) named(end int) *Node {
	n := &Node{Kind: Text, Span: Span{r.i, end}, Inner: Span{r.i, end}}
	if c := r.src[r.i]; (c == '"' || c == '\'') && end > r.i {
		n.Style = Double
		if c == '\'' {
			n.Style = Single
		}
		n.Inner.Start++
		if end > r.i+1 && r.src[end-1] == c {
			n.Inner.End--
		}
	}
	return n
}

// inline reads text, an alias, or what begins with a bracket.
func (r *reader) inline(parent, depth int) *Node {
	switch c := r.src[r.i]; {
	case c == '[' || c == '{':
		return r.flow(parent, depth)
	case c == '"' || c == '\'':
		n := r.quote(parent)
		r.blanks()
		r.line()
		return n
	case c == '|' || c == '>':
		return r.literal(parent)
	}
	n := r.plain(parent)
	if r.src[n.Start] == '*' {
		n.Kind = Alias
	}
	return n
}

// plain reads text without quotes, over all lines that are further to the right than parent.
func (r *reader) plain(parent int) *Node {
	n := &Node{Kind: Text, Span: Span{r.i, r.i}}
	for {
		for !r.end() && !(r.src[r.i] == '#' && r.i > n.Start && blank(r.src[r.i-1])) {
			if r.i++; !blank(r.src[r.i-1]) {
				n.End = r.i
			}
		}
		comments := len(r.file.Comments)
		if r.blanks(); len(r.file.Comments) > comments {
			break
		}
		i, start := r.i, r.start
		r.skip()
		if r.i >= len(r.src) || r.column() <= parent || len(r.file.Comments) > comments || r.keyed(r.i) >= 0 {
			r.i, r.start, r.file.Comments = i, start, r.file.Comments[:comments]
			break
		}
	}
	n.Inner = n.Span
	return n
}

// quote reads text in quotes. If it is not closed before a line that is not further to the right than parent, it ends with
// its first line.
func (r *reader) quote(parent int) *Node {
	n := &Node{Kind: Text, Style: Double, Span: Span{r.i, r.i}}
	quote := r.src[r.i]
	if quote == '\'' {
		n.Style = Single
	}
	n.Inner = Span{r.i + 1, r.i + 1}
	first := -1 // the end of the first line
	for i := r.i + 1; i < len(r.src); i++ {
		switch c := r.src[i]; {
		case newline(c):
			if first < 0 {
				first = i
			}
			start, at := nextLine(r.src, i)
			if i = at - 1; at < len(r.src) && at-start <= parent {
				i = len(r.src)
			}
		case c == '\\' && quote == '"':
			i++
		case c == quote && quote == '\'' && i+1 < len(r.src) && r.src[i+1] == quote:
			i++
		case c == quote:
			r.to(i + 1)
			n.End, n.Inner.End = i+1, i
			return n
		}
	}
	if first < 0 {
		first = len(r.src)
	}
	r.to(first)
	n.End, n.Inner.End = first, first
	return n
}

// nextLine returns the start of the next line that is not blank, and the offset of its text.
func nextLine(src []byte, i int) (start, at int) {
	for start = i; i < len(src); i++ {
		switch {
		case newline(src[i]):
			start = i + 1
		case !blank(src[i]):
			return start, i
		}
	}
	return start, i
}

// literal reads a block of text.
func (r *reader) literal(parent int) *Node {
	n := &Node{Kind: Text, Style: Block, Span: Span{r.i, r.i}}
	indent := -1
	for !r.end() {
		if c := r.src[r.i]; c >= '1' && c <= '9' && indent < 0 {
			indent = max(parent, 0) + int(c-'0')
		} else if c == ' ' {
			break
		}
		r.i++
	}
	r.blanks()
	r.line()
	n.End = r.i
	n.Inner = Span{r.i, r.i}
	for r.i < len(r.src) {
		start := r.i
		if start += 1; r.src[r.i] == '\r' && start < len(r.src) && r.src[start] == '\n' {
			start++
		}
		at := start
		for at < len(r.src) && r.src[at] == ' ' {
			at++
		}
		if at < len(r.src) && !newline(r.src[at]) {
			if indent < 0 && at-start > parent {
				indent = at - start
			}
			if indent < 0 || at-start < indent {
				break
			}
			if n.Inner.Start == n.Inner.End {
				n.Inner.Start = start
			}
		}
		i := at
		for i < len(r.src) && !newline(r.src[i]) {
			i++
		}
		r.i, r.start = i, start
		if i > at {
			n.End, n.Inner.End = i, i
		}
	}
	if n.Inner.Start > n.Inner.End {
		n.Inner.Start = n.Inner.End
	}
	return n
}
