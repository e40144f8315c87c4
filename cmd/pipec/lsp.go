package main

import (
	"github.com/spf13/cobra"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/lint"
	"pipec.dev/pipec/compiler/lsp"
)

const lspLong = `Speaks the Language Server Protocol on stdin and stdout: an editor starts it. docs/editors.md says how to set up
VS Code, Neovim, Helix and Emacs.

While a project is written it shows what lint would tell, unsaved changes included, or with --no-lint what validate would,
and offers documentation, completion, definitions, references, an outline, formatting, renaming and quick fixes. It needs
no network. The stack and the variables are those that the flags and the environment give, as for validate. What it has to
say about itself goes to stderr.

Exit status 0 where the editor asked for shutdown first, else 1.`

func lspCommand(c *cli) *cobra.Command {
	noLint := false
	cmd := &cobra.Command{
		Use:   "lsp",
		Short: "Serve an editor: diagnostics, completion, navigation",
		Long:  lspLong,
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o := lsp.Options{Compile: c.compileUnsaved, Lint: c.lintUnsaved, Log: c.stderr, Version: pipecVersion()}
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
	cmd.Flags().BoolVar(&noLint, "no-lint", false, "tell what is wrong, and not what the linter's rules find")
	cmd.Flags().Bool("stdio", false, "what some editors add; there is no other way to speak")
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
