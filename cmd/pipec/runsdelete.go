package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/internal/app/records"
	"pipec.dev/pipec/schema/record"
)

const deleteLong = `Deletes runs that have ended or are lost: their records, logs and attempts. It refuses runs that are running. The runs are
named, or selected by --older-than and --status. A terminal asks first; elsewhere --yes is required.

The content of outputs stays in the artifact store, because other runs and the cache may use it, and so do programs and
cached results. A bucket must permit s3:DeleteObject. On a cluster, the Job of a run and its pods are deleted as usual, when the time to live of the Job is over.`

const deleteExamples = `  # Two runs by name
  pipec runs delete nightly-7c2a nightly-91f0

  # All failed runs of a pipeline that are older than 30 days
  pipec runs delete --pipeline nightly --status failed --older-than 30d --yes`

func (l *runLister) deleteCommand() *cobra.Command {
	var yes bool
	var older ageFlag
	cmd := &cobra.Command{
		Use:               "delete [RUN]...",
		Short:             "Delete runs that have ended",
		Long:              deleteLong,
		Example:           deleteExamples,
		ValidArgsFunction: l.completeRuns,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := l.selection()
			switch {
			case err != nil:
				return err
			case len(args) == 0 && older == 0 && len(s.Status) == 0:
				return usage("%s takes the names of runs, or --older-than or --status", cmd.CommandPath())
			case len(args) > 0 && (older != 0 || len(s.Status) > 0):
				return usage("--older-than and --status select runs, and can't be used with names")
			case older != 0:
				s.Before = time.Now().Add(-time.Duration(older))
			}
			return l.withRecords(cmd.Context(), func(r *records.Records) error {
				list, err := r.Deletable(cmd.Context(), args, s)
				if err != nil {
					return err
				}
				if len(list) == 0 {
					fmt.Fprintln(l.stderr, "There is no such run to delete.")
					return nil
				}
				if !yes {
					for i := range list {
						fmt.Fprintf(l.stderr, "%s  %s  %s  %s\n", list[i].Run.Name, list[i].Run.Pipeline, list[i].Status, started(list[i].Run))
					}
					if !l.canAsk() {
						return usage("%s would delete %s; --yes confirms that", cmd.CommandPath(), plural(len(list), "run"))
					}
					if err := l.confirm(fmt.Sprintf("Delete %s?", plural(len(list), "run"))); err != nil {
						return err
					}
				}
				for i := range list {
					if err := r.Delete(cmd.Context(), list[i].Run); err != nil {
						return err
					}
					fmt.Fprintf(l.stdout, "run %s deleted\n", list[i].Run.Name)
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "delete without asking")
	cmd.Flags().Var(&older, "older-than", "delete runs that were started longer ago than an `AGE`, such as 30d or 12h")
	l.statusFlag(cmd)
	return cmd
}

// ageFlag is a duration that may be in days.
type ageFlag time.Duration

func (a *ageFlag) String() string { return "" }
func (a *ageFlag) Type() string   { return "duration" }
func (a *ageFlag) Set(text string) error {
	d, err := time.ParseDuration(text)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var n int
		n, err = strconv.Atoi(days)
		d = time.Duration(n) * 24 * time.Hour
	}
	if err != nil || d <= 0 {
		return errors.New("expected a duration such as 30d, 12h, 90m or 30s")
	}
	*a = ageFlag(d)
	return nil
}

// started returns when a run was started, for people.
func started(run *record.Run) string { return run.CreatedAt.Local().Format(time.DateTime) }
