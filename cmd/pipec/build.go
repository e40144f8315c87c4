package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/internal/app/definitions"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/notice"
	"pipec.dev/pipec/runtime/image"
)

const buildLong = `Builds the images of image blocks, and pushes them to the stack's registry. For a base with Python packages, as requirements or lock, it
needs no Docker daemon, no root, and runs no container: packages are wheels, which become layers on the base. push, apply and run
build images first, too.

An image with a dockerfile, or with packages of its distribution, is built and pushed by a program of this machine: buildctl if
BUILDKIT_HOST is set, or else the first that works of docker with buildx, podman and buildah. It is built again when the Dockerfile, or
a file that it can copy, has changed. Python packages of such an image become layers on what the program has built.

The packages are resolved for the Python and the platform of the base: a lock of yours is taken as it is, and otherwise uv or pip
resolves requirements. pipec.lock.json then has each wheel's version, address and digest, and the same lock gives the same image
digest on every machine. --upgrade resolves everything again, --upgrade=NAME only that package.

--dry-run prints the layers with their sizes, and which of them the registry has already. --explain prints an equivalent Dockerfile.
Both download the packages, upload nothing, and don't change the lock. The layers that a Dockerfile makes are not known before.

The exit status is 1 for an error in the project's files, such as requirements that conflict, and 3 for an error of a registry or an
index.`

// builder builds images.
type builder struct {
	*cli
	out             outputFlag
	dryRun, explain bool
	upgrade         []string
	secrets         []string
}

// everything is the value of --upgrade without a name. It is not the name of a package.
const everything = "*"

func buildCommand(c *cli) *cobra.Command {
	b := builder{cli: c}
	cmd := &cobra.Command{
		Use:   "build [IMAGE]...",
		Short: "Build images from packages and Dockerfiles",
		Long:  buildLong,
		Example: `  pipec build --stack prod
  pipec build train --dry-run
  pipec build --upgrade=scikit-learn`,
		ValidArgsFunction: c.completeImages,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := b.out.check(); err != nil {
				return err
			}
			if b.dryRun && b.explain {
				return fault.Usagef("--dry-run and --explain exclude each other")
			}
			return b.build(cmd.Context(), args)
		},
	}
	b.out.add(cmd, "the names of the images")
	f := cmd.Flags()
	f.BoolVar(&b.dryRun, "dry-run", false, "print layers and sizes, and push nothing")
	f.BoolVar(&b.explain, "explain", false, "print an equivalent Dockerfile, and push nothing")
	f.StringSliceVar(&b.upgrade, "upgrade", nil, "resolve `NAME` again, or everything without a name")
	f.Lookup("upgrade").NoOptDefVal = everything
	addSecrets(cmd, &b.secrets)
	return cmd
}

// addSecrets adds the flag for the secrets of Dockerfiles. A file's name may contain a comma.
func addSecrets(cmd *cobra.Command, to *[]string) {
	cmd.Flags().StringArrayVar(to, "secret", nil, "a secret for Dockerfiles, as docker has it: `id=NAME,src=FILE` or id=NAME,env=VARIABLE")
}

func (b *builder) build(ctx context.Context, images []string) error {
	ctx, stop := interruptible(ctx)
	defer stop()
	r := definitions.BuildRequest{Images: images, Secrets: b.secrets}
	for _, name := range b.upgrade {
		if name == everything {
			r.Upgrade = true
		} else {
			r.Packages = append(r.Packages, name)
		}
	}
	d := b.open().Definitions()
	if b.dryRun || b.explain {
		previews, err := d.PreviewBuild(ctx, r)
		if err := b.previews(previews); err != nil {
			return fault.Env(err)
		}
		return err
	}
	result, err := d.Build(ctx, r)
	if result != nil { // also beside an error
		p := pusher{cli: b.cli, out: b.out}
		if err := p.print(result); err != nil {
			return fault.Env(err)
		}
	}
	return err
}

// previews prints images that are not pushed.
func (b *builder) previews(all []image.Preview) error {
	all = append([]image.Preview{}, all...) // an empty list is [] in JSON
	if done, err := b.out.document(b.stdout, all); done {
		return err
	}
	names := []string{}
	for i := range all {
		names = append(names, all[i].Name)
	}
	if done, err := b.out.names(b.stdout, names); done {
		return err
	}
	for i := range all {
		if err := b.preview(&all[i]); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) preview(p *image.Preview) error {
	if b.explain {
		_, err := fmt.Fprintf(b.stdout, "# image %q: %s\n%s", p.Name, p.Ref, p.Dockerfile)
		return err
	}
	fmt.Fprintf(b.stdout, "image %s: %s\n", p.Name, strings.TrimSuffix(p.Ref+"@"+p.Digest, "@"))
	for _, change := range p.Changes {
		fmt.Fprintf(b.stdout, "  %s\n", change)
	}
	for _, warning := range p.Warnings {
		fmt.Fprintf(b.stdout, "  warning: %s\n", warning)
	}
	if len(p.Platforms) == 0 {
		return nil
	}
	var upload int64
	w := table(b.stdout)
	for _, platform := range p.Platforms {
		fmt.Fprintf(w, "  %s\n", platform.Platform)
		for _, l := range platform.Layers {
			state := "there"
			if !l.There {
				state = "to be uploaded"
				upload += l.Size
			}
			fmt.Fprintf(w, "    %s\t%s\t%s\n", l.Content, notice.Bytes(l.Size), state)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(b.stdout, "  %s to upload\n", notice.Bytes(upload))
	return err
}
