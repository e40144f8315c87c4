package main

import (
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
	var out outputFlag
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Show the version",
		Example: `  pipec version
  pipec version -o json`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := out.check(); err != nil {
				return err
			}
			if done, err := out.document(c.stdout, versions()); done {
				return err
			}
			if done, err := out.names(c.stdout, []string{pipecVersion()}); done {
				return err
			}
			_, err := fmt.Fprintln(c.stdout, versionLine())
			return fault.Env(err)
		},
	}
	out.add(cmd, "only the version")
	return cmd
}

func versions() versionInfo {
	return versionInfo{pipecVersion(), language.Version, program.Version, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
}

// versionLine is what version and --version print.
func versionLine() string {
	v := versions()
	return fmt.Sprintf("pipec %s (language %s, %s, %s)", v.Version, v.Language, v.Go, v.Platform)
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
