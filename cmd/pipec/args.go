package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/internal/app/fault"
)

// noArgs refuses arguments.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return withHelp(cmd, fault.Usagef("%s takes no arguments, found %q", cmd.CommandPath(), args[0]))
	}
	return nil
}

// atMost refuses more arguments than a command takes.
func atMost(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > n {
			return withHelp(cmd, fault.Usagef("%s takes at most %s, found also %q", cmd.CommandPath(), plural(n, "argument"), args[n]))
		}
		return nil
	}
}

// exactly refuses another number of arguments than a command takes.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return withHelp(cmd, fault.Usagef("%s takes %s", cmd.CommandPath(), what))
		}
		return nil
	}
}

// between rejects a number of arguments that a command does not take.
func between(least, most int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return withHelp(cmd, fault.Usagef("%s takes %s", cmd.CommandPath(), what))
		}
		return nil
	}
}

// withHelp names the command that describes a command.
func withHelp(cmd *cobra.Command, f *fault.Fault) error {
	return f.WithHint("`%s --help` describes the command.", cmd.CommandPath())
}

// flagFault is the fault of a flag that is unknown or has a wrong value, with the flag that was probably meant.
func flagFault(cmd *cobra.Command, err error) error {
	f := fault.Usagef("%w", err)
	if name, ok := strings.CutPrefix(err.Error(), "unknown flag: --"); ok {
		var names []string
		for _, set := range []*pflag.FlagSet{cmd.Flags(), cmd.InheritedFlags()} {
			set.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		}
		if near := diag.Suggest(name, names); near != "" {
			f = fault.Usagef("%w; did you mean --%s?", err, near)
		}
	}
	for _, reason := range []struct{ from, to string }{
		{": strconv.ParseBool: ", "expected true or false"},
		{": strconv.", "expected a whole number"},
		{": time: ", "expected a duration such as 30s or 5m"},
	} {
		if text, _, found := strings.Cut(err.Error(), reason.from); found && strings.HasPrefix(text, "invalid argument ") {
			f = fault.Usagef("%s: %s", text, reason.to) // instead of the words of Go's parsers
			break
		}
	}
	return withHelp(cmd, f)
}

// first is the first argument, or "".
func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

// textOrJSON refuses every other --output.
func textOrJSON(output string) error {
	if output != "text" && output != "json" {
		return usage("there is no output %q: text or json", output)
	}
	return nil
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func oneLine(s string) string { return diag.Printable(strings.Join(strings.Fields(s), " ")) }

func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
