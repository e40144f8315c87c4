package python

// body reads the body of a function: the tokens behind its colon, and its lines.
func body(f *Function, indent int, first []token, lines []line) {
	statements(f, first)
	f.Exits = f.Exits || raises(first, lines)
	skip := -1 // the indentation of the nested function or class whose body is skipped
	for _, l := range lines {
		if skip >= 0 && l.indent > skip {
			continue
		}
		skip = -1
		words := l.tokens
		if words[0].text == "async" && len(words) > 1 {
			words = words[1:]
		}
		if words[0].text == "def" || words[0].text == "class" {
			skip = l.indent
			continue
		}
		statements(f, words)
	}
}

// raises reports whether the last statement of a body is `raise`.
func raises(first []token, lines []line) bool {
	last := first
	for _, l := range lines {
		if l.indent <= lines[0].indent {
			last = l.tokens
		}
	}
	return len(last) > 0 && last[0].text == "raise"
}

// statements reads the statements of a logical line.
func statements(f *Function, words []token) {
	from, lambdas := 0, 0
	for i, w := range words {
		switch {
		case w.depth != words[0].depth:
		case w.text == "lambda":
			lambdas++
		case w.text == ":" && lambdas > 0:
			lambdas-- // what follows is the value of the lambda
		case w.text == ":", w.text == ";":
			statement(f, words[from:i])
			from = i + 1
		}
	}
	statement(f, words[from:])
}

func statement(f *Function, words []token) {
	lambda := false
	for _, w := range words {
		switch w.text {
		case "lambda":
			lambda = true
		case "yield":
			f.Generator = f.Generator || !lambda // a yield in a lambda is its own
		case "exit", "_exit", "quit", "execv", "execve", "execvp", "abort":
			f.Exits = true
		}
	}
	if len(words) == 2 && words[0].text == "while" && (words[1].text == "True" || words[1].text == "1") {
		f.Exits = true
	}
	if len(words) < 2 || words[0].text != "return" || len(words) == 2 && words[1].text == "None" {
		return
	}
	value := words[1:]
	f.Returns = append(f.Returns, Return{Start: value[0].start, End: value[len(value)-1].end, Count: count(value)})
}

// count returns the length of a tuple that is written out; 0 if the value is something else.
func count(value []token) int {
	if value[0].text == "(" && closing(value, 0) == len(value)-1 && len(value) > 2 {
		value = value[1 : len(value)-1]
	}
	parts := split(value)
	if len(parts) > 1 && len(parts[len(parts)-1]) == 0 {
		parts = parts[:len(parts)-1] // a comma at the end
		if len(parts) == 1 {
			return 1
		}
	}
	if len(parts) < 2 {
		return 0
	}
	for _, part := range parts {
		if len(part) == 0 || part[0].text == "*" {
			return 0
		}
	}
	return len(parts)
}
