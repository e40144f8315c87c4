package main

import (
	"github.com/spf13/cobra"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/lint"
	"pipec.dev/pipec/compiler/lsp"
	"pipec.dev/pipec/schema/language"
)

const lspLong = `Serves the Language Server Protocol on stdin and stdout, for an editor that starts it. docs/editors.md describes the
setup of VS Code, Neovim, Helix and Emacs.

While you edit a project, the server reports what lint would report (with --no-lint what validate would report), unsaved
changes included. It offers documentation, completion, definitions, references, an outline, formatting, renaming and
quick fixes. It needs no network. The stack and the variables come from the flags and the environment, as for validate.
The server's own log is written to stderr.

The exit status is 0 if the editor asked for shutdown first, and otherwise 1.`

func lspCommand(c *cli) *cobra.Command {
	noLint := false
	cmd := &cobra.Command{
		Use:     "lsp",
		Short:   "Serve an editor: diagnostics, completion, navigation",
		Long:    lspLong,
		Example: `  pipec lsp`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o := lsp.Options{
				Compile: c.compileUnsaved, Lint: c.lintUnsaved, Contexts: c.contexts, Root: language.RootWith(c.tables.Kinds),
				Log: c.stderr, Version: pipecVersion(),
			}
			if noLint {
				o.Lint = nil
			}
			status := lsp.Serve(cmd.Context(), c.stdin, c.stdout, o)
			if status != exitOK {
				return silent(status)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&noLint, "no-lint", false, "report errors only, and no findings of the linter")
	cmd.Flags().Bool("stdio", false, "accepted because some editors pass it; stdio is always used")
	return cmd
}

// compileUnsaved compiles a project with the texts of an editor in the place of files.
func (c *cli) compileUnsaved(dir string, unsaved map[string][]byte) (*compiler.Result, error) {
	r, err := c.project(dir).Compile(unsaved)
	if err != nil {
		return nil, err
	}
	return r.Result, nil
}

// lintUnsaved lints a project that an editor has open.
func (c *cli) lintUnsaved(dir string, r *compiler.Result) ([]diag.Diagnostic, error) {
	lock, err := c.project(dir).Lock()
	if err != nil {
		return nil, err
	}
	return r.Lint(lint.Options{Lock: lock}).Diags, nil
}
