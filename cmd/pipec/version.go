package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/schema/language"
	"pipec.dev/pipec/schema/program"
)

// version is set when a release is built: -ldflags "-X main.version=v1.2.3".
var version = ""

type versionInfo struct {
	Version  string `json:"version"`
	Language string `json:"language"` // version of the language
	Program  int    `json:"program"`  // version of the program's JSON
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func versionCommand(c *cli) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Show the version",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			v := versionInfo{pipecVersion(), language.Version, program.Version, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
			switch output {
			case "text":
				_, err := fmt.Fprintf(c.stdout, "pipec %s (language %s, %s, %s)\n", v.Version, v.Language, v.Go, v.Platform)
				return fault.Env(err)
			case "json":
				return fault.Env(json.NewEncoder(c.stdout).Encode(v))
			}
			return usage("there is no output %q: text or json", output)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	return cmd
}

func pipecVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "development"
}
