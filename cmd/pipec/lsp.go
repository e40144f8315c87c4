package main

import (
	"github.com/spf13/cobra"

	"pipec.dev/pipec/compiler/lsp"
)

const lspLong = `Speaks the Language Server Protocol on stdin and stdout: an editor starts it. docs/editors.md says how to set up
VS Code, Neovim, Helix and Emacs.

While a project is written it shows what validate would tell, unsaved changes included, and offers documentation,
completion, definitions, references, an outline, formatting, renaming and quick fixes. It needs no network. The stack and the
variables are those that the flags and the environment give, as for validate. What it has to say about itself goes to
stderr.

Exit status 0 where the editor asked for shutdown first, else 1.`

func (a *app) lspCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lsp",
		Short: "Serve an editor: diagnostics, completion, navigation",
		Long:  lspLong,
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			status := lsp.Serve(cmd.Context(), a.stdin, a.stdout, lsp.Options{Compile: a.compileUnsaved, Log: a.stderr, Version: pipecVersion()})
			if status != exitOK {
				return said(status)
			}
			return nil
		},
	}
	cmd.Flags().Bool("stdio", false, "what some editors add; there is no other way to speak")
	return cmd
}
