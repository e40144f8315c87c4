package pages

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/format"
)

// A page executes the blocks of a page, or checks those that it can't execute.
type page struct {
	name    string // relative to the repository
	work    string // the directory in which it starts
	env     []string
	cluster bool // blocks with the mark "cluster" are executed
	shell   *shell
}

// execute executes the blocks of the page, after those of the page that it continues.
func (p *page) execute(ctx context.Context) error {
	blocks, err := p.blocks()
	if err != nil {
		return err
	}
	for _, b := range blocks {
		if err := p.block(ctx, b); err != nil {
			return fmt.Errorf("%s:%d: %w", p.name, b.line, err)
		}
	}
	if p.shell.background != nil {
		if err := p.shell.wait(ctx, []string{"…"}); err != nil {
			return err
		}
	}
	return p.valid()
}

// blocks reads the page.
func (p *page) blocks() ([]*block, error) {
	source, err := os.ReadFile(filepath.Join(repository, p.name))
	if err != nil {
		return nil, err
	}
	blocks, err := read(source)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.name, err)
	}
	return blocks, nil
}

// block executes or checks a block.
func (p *page) block(ctx context.Context, b *block) error {
	switch {
	case b.is("continues"):
		before := *p
		before.name = filepath.Join(filepath.Dir(p.name), b.marks["continues"])
		return before.execute(ctx)
	case b.is("title"), b.is("append"):
		return p.write(b)
	case b.is("from"):
		return checkFrom(b.text, b.marks["from"])
	case b.is("source"):
		return checkSource(b.text, b.marks["source"])
	case b.is("in"):
		return checkHCL(b.text, b.marks["in"])
	case b.is("cluster") && !p.cluster && b.hidden:
		return nil
	case b.is("check"), b.is("cluster") && !p.cluster:
		return p.check(b)
	}
	return p.commands(ctx, b)
}

// write writes or extends the file of a block, and checks its content if nothing else does.
func (p *page) write(b *block) error {
	name, flags := b.marks["title"], os.O_TRUNC
	if b.is("append") {
		name, flags = b.marks["append"], os.O_APPEND
	}
	path := filepath.Join(p.shell.dir(), filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|flags, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(b.text)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if b.is("title") && (b.lang == "python" || b.lang == "json" || b.lang == "yaml" && !strings.Contains(name, ".pipec")) {
		return p.check(b)
	}
	return nil
}

// commands runs the commands of a block.
func (p *page) commands(ctx context.Context, b *block) error {
	if b.is("continued") {
		return p.shell.wait(ctx, strings.Split(strings.TrimSuffix(b.text, "\n"), "\n"))
	}
	commands, err := b.commands()
	if err != nil {
		return err
	}
	for i, c := range commands {
		if b.is("background") {
			if err := p.shell.start(ctx, c); err != nil {
				return err
			}
			continue
		}
		want := 0
		if i == len(commands)-1 && b.is("exit") {
			if want, err = strconv.Atoi(b.marks["exit"]); err != nil {
				return err
			}
		}
		out, status, err := p.shell.run(ctx, c.text)
		if err != nil {
			return fmt.Errorf("%s: %w\n%s", c.text, err, out)
		}
		if status != want {
			return fmt.Errorf("%s: exit status %d, and not %d\n%s", c.text, status, want, out)
		}
		if err := compare(c.want, out, b.is("any-order")); err != nil {
			return fmt.Errorf("%s: %w", c.text, err)
		}
	}
	return nil
}

// valid checks the projects that the page has written: they have no errors and the layout of pipec fmt.
func (p *page) valid() error {
	dirs := map[string]bool{}
	err := filepath.WalkDir(p.work, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() != filepath.Base(p.work) && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case strings.HasSuffix(path, ".pipec.hcl"):
			dirs[filepath.Dir(path)] = true
			return formatted(path)
		case strings.HasSuffix(path, ".pipec.yaml"):
			dirs[filepath.Dir(path)] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	for dir := range dirs {
		r, err := compiler.Compile(compiler.Options{Dir: dir})
		if err != nil {
			return err
		}
		if err := faults(r); err != nil {
			return fmt.Errorf("at the end of %s: %w", p.name, err)
		}
	}
	return nil
}

func formatted(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var diags diag.List
	want, ok := format.Source(path, text, &diags)
	if !ok || string(want) != string(text) {
		return fmt.Errorf("%s: expected the layout of pipec fmt:\n%s", filepath.Base(path), want)
	}
	return nil
}
