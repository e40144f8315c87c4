package python

// reader goes through the logical lines of a module.
type reader struct {
	src    []byte
	lines  []line
	module *Module
}

// read reads the statements of the module. Those in if, try, with and for belong to it too; the bodies of functions and
// classes don't.
func (r *reader) read() {
	decorated, record := false, false
	for i := 0; i < len(r.lines); {
		l := &r.lines[i]
		words := l.tokens
		async := len(words) > 1 && words[0].text == "async" && words[1].text == "def"
		if async {
			words = words[1:]
		}
		switch {
		case words[0].text == "@":
			decorated = true
			record = record || isDataclass(words)
			i++
			continue
		case words[0].text == "def" && len(words) > 1:
			end := r.body(i)
			r.globals(r.lines[i:end])
			if f := r.header(words); f != nil {
				f.Async, f.Decorated = async, decorated
				rest := tokensAfter(words)
				body(f, l.indent, rest, r.lines[i+1:end])
				r.module.functions[f.Text] = append(r.module.functions[f.Text], f)
			} else {
				r.module.bound[words[1].text] = true
			}
			if words[1].text == "__getattr__" {
				r.module.open = true
			}
			i = end
		case words[0].text == "class" && len(words) > 1:
			end := r.body(i)
			r.class(words, record, r.lines[i+1:end])
			i = end
		default:
			r.mention(words)
			i++
		}
		decorated, record = false, false
	}
}

// body returns the index of the first line behind the body of the statement in a line.
func (r *reader) body(i int) int {
	indent := r.lines[i].indent
	for i++; i < len(r.lines) && r.lines[i].indent > indent; i++ {
	}
	return i
}

// globals notes the names that a function may bind in its module.
func (r *reader) globals(lines []line) {
	for _, l := range lines {
		global := false
		for _, w := range l.tokens {
			switch {
			case w.text == "globals":
				r.module.open = true
			case w.text == "global":
				global = true
			case global:
				r.module.bound[w.text] = true
			}
		}
	}
}

// mention notes the names in a statement of the module, and those that it may bind.
func (r *reader) mention(words []token) {
	assigned := -1 // the last = outside of brackets
	for i, w := range words {
		if w.text == "=" && w.depth == words[0].depth {
			assigned = i
		}
	}
	importing := words[0].text == "import" || words[0].text == "from"
	for i, w := range words {
		before := ""
		if i > 0 {
			before = words[i-1].text
		}
		next := ""
		if i+1 < len(words) {
			next = words[i+1].text
		}
		switch w.text {
		case "exec", "globals", "vars", "setattr", "locals", "modules": // sys.modules can replace the module
			r.module.open = true
		case "*":
			r.module.open = r.module.open || before == "import"
		}
		r.module.mentioned[w.text] = true
		r.module.imported[w.text] = r.module.imported[w.text] || importing
		if importing || i < assigned || next == ":=" || before == "as" || before == "for" || before == "del" || words[0].text == "for" {
			r.module.bound[w.text] = true
		}
	}
}

// header reads the header of a function: def NAME[…](…) -> RESULT:. It returns nil if it is not complete.
func (r *reader) header(words []token) *Function {
	f := &Function{Name: nameOf(words[1])}
	i := 2
	if i < len(words) && words[i].text == "[" { // parameters of types
		i = closing(words, i) + 1
	}
	if i == 0 || i >= len(words) || words[i].text != "(" {
		return nil
	}
	end := closing(words, i)
	if end < 0 {
		return nil
	}
	r.params(f, words[i+1:end])
	if end+1 < len(words) && words[end+1].text == "->" {
		result := words[end+2:]
		for i, w := range result {
			if w.text == ":" && w.depth == words[end].depth {
				result = result[:i]
				break
			}
		}
		f.Result = r.annotation(result)
		f.Exits = f.Result.last() == "NoReturn" || f.Result.last() == "Never"
	}
	return f
}

// tokensAfter returns the tokens behind the colon of a header: the body of a function on one line.
func tokensAfter(words []token) []token {
	for i, w := range words {
		if w.text == ":" && w.depth == words[0].depth {
			return words[i+1:]
		}
	}
	return nil
}

// closing returns the index of the bracket that closes the one at i; -1 if there is none.
func closing(words []token, i int) int {
	depth := words[i].depth
	for j := i + 1; j < len(words); j++ {
		if words[j].depth == depth {
			return j
		}
	}
	return -1
}

func nameOf(t token) Name { return Name{Text: t.text, Start: t.start, End: t.end} }

// params reads the parameters of a function.
func (r *reader) params(f *Function, words []token) {
	kind := Normal
	for _, part := range split(words) {
		switch {
		case len(part) == 0:
		case part[0].text == "/":
			for i := range f.Params {
				f.Params[i].Kind = PositionalOnly
			}
		case part[0].text == "*":
			kind = KeywordOnly // what follows * or *args
		case part[0].text == "**":
			if len(part) > 1 {
				f.Params = append(f.Params, Param{Name: nameOf(part[1]), Kind: Rest})
			}
		default:
			p := Param{Name: nameOf(part[0]), Kind: kind}
			p.Annotation, p.Default = r.annotated(part)
			f.Params = append(f.Params, p)
		}
	}
}

// split splits tokens at the commas that are in no bracket and in no lambda.
func split(words []token) [][]token {
	if len(words) == 0 {
		return nil
	}
	var out [][]token
	depth, from, lambdas := words[0].depth, 0, 0
	for _, w := range words {
		depth = min(depth, w.depth)
	}
	for i, w := range words {
		switch {
		case w.depth != depth:
		case w.text == "lambda":
			lambdas++
		case w.text == ":" && lambdas > 0:
			lambdas--
		case w.text == "," && lambdas == 0:
			out = append(out, words[from:i])
			from = i + 1
		}
	}
	return append(out, words[from:])
}
