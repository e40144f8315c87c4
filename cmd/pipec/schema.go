package main

import (
	"github.com/spf13/cobra"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/schema/language"
)

func schemaCommand(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:     "schema",
		Short:   "Print the JSON Schema of the language, for editors",
		Example: `  pipec schema > pipec.schema.json`,
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			data, err := language.JSONSchemaWith(c.tables.Kinds)
			if err != nil {
				return fault.Env(err)
			}
			_, err = c.stdout.Write(data)
			return fault.Env(err)
		},
	}
}
