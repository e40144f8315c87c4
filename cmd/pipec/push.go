package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/internal/app/definitions"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/notice"
	"pipec.dev/pipec/runtime/image"
	"pipec.dev/pipec/schema/program"
)

const pushLong = `Pushes what the stack's pipelines refer to, and writes the digests to pipec.lock.json, a file to commit: code is uploaded
to the artifact store, images are pinned to digests, and the image of pipec-agent is pushed to the registry. Items that the registry
or the store already has are not pushed again. apply and run push first, too; emit and plan --offline only read the lock. The cluster is
queried for its version if it can be reached, so that emit writes what apply would apply.

An image stays pinned to its first digest even if its tag moves; --upgrade resolves tags again. An image block with Python packages, packages
of its distribution or a dockerfile is built as ` + "`pipec build`" + ` does, unless others have pushed an image to its place: a tag that changes with
the content of the block. --list prints that tag, and queries nothing.

A push of all pipelines removes what the stack no longer uses from the lock. The exit status is 1 for an error in the
project's files, and 3 for an error of a registry or the store.`

// pusher pushes images and code.
type pusher struct {
	*cli
	out           outputFlag
	upgrade, list bool
	secrets       []string
}

func pushCommand(c *cli) *cobra.Command {
	p := pusher{cli: c}
	cmd := &cobra.Command{
		Use:   "push [PIPELINE]...",
		Short: "Upload code, pin images, push the agent",
		Long:  pushLong,
		Example: `  pipec push --stack prod
  pipec push --list`,
		ValidArgsFunction: c.completePipelines,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := p.out.check(); err != nil {
				return err
			}
			if p.list {
				return p.listPush(args)
			}
			return p.push(cmd.Context(), args)
		},
	}
	p.out.add(cmd, "the names of the items")
	cmd.Flags().BoolVar(&p.upgrade, "upgrade", false, "resolve tags again")
	cmd.Flags().BoolVar(&p.list, "list", false, "list what is needed, and query nothing")
	addSecrets(cmd, &p.secrets)
	return cmd
}

func (p *pusher) push(ctx context.Context, pipelines []string) error {
	ctx, stop := interruptible(ctx)
	defer stop()
	result, err := p.open().Definitions().Push(ctx, definitions.PushRequest{Pipelines: pipelines, Upgrade: p.upgrade, Secrets: p.secrets})
	if result != nil { // also beside an error
		if err := p.print(result); err != nil {
			return fault.Env(err)
		}
	}
	return err
}

// print prints what was pushed.
func (p *pusher) print(r *image.Result) error {
	items, names := []image.Item{}, []string{}
	for _, item := range r.Items {
		items, names = append(items, item), append(names, item.Name)
	}
	if done, err := p.out.document(p.stdout, items); done {
		return err
	}
	if done, err := p.out.names(p.stdout, names); done {
		return err
	}
	w := table(p.stdout)
	for _, item := range r.Items {
		row := []string{item.Kind, item.Name, notice.Describe(item)}
		if p.out.wide() {
			row = append(row, item.Ref, item.Digest)
		}
		tableRow(w, row...)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if r.Changed {
		fmt.Fprintf(p.stderr, "%s has changed: commit it.\n", program.LockFile)
	}
	return nil
}

// listPush prints what a push would need.
func (p *pusher) listPush(pipelines []string) error {
	wants, err := p.open().Definitions().ListPush(pipelines)
	if err != nil {
		return err
	}
	names := []string{}
	for i := range wants {
		names = append(names, wants[i].Name)
	}
	if wants == nil {
		wants = []image.Want{}
	}
	if done, err := p.out.document(p.stdout, wants); done {
		return err
	}
	if done, err := p.out.names(p.stdout, names); done {
		return err
	}
	w := table(p.stdout)
	for _, want := range wants {
		text := want.Ref + want.Dir
		switch {
		case want.Built:
			text += " (pipec builds it)"
		}
		tableRow(w, want.Kind, want.Name, text)
	}
	return fault.Env(w.Flush())
}
