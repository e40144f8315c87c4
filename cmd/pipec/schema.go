package main

import (
	"github.com/spf13/cobra"

	"pipec.dev/pipec/schema/language"
)

func (a *app) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the language, for editors",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			data, err := language.JSONSchema()
			if err != nil {
				return world(err)
			}
			_, err = a.stdout.Write(data)
			return world(err)
		},
	}
}
