package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/store/s3"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// noted is the key of the artifact that was put.
const noted = "artifact.json"

// transfer is a file that one process moves.
type transfer struct {
	bucket, prefix, file string
	got                  string // where a file is read to
	client               *sdk.Client
	store                *s3.Store
}

// child does one of the tasks, and prints how long that took.
func child(ctx context.Context, task string, args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("%q is not BUCKET PREFIX FILE", args)
	}
	if task == "touch" {
		return touch(args[0])
	}
	t := &transfer{bucket: args[0], prefix: args[1], file: args[2], got: filepath.Join(filepath.Dir(args[2]), "got"), client: newClient()}
	defer os.Remove(t.got)
	var err error
	if t.store, err = s3.Open(ctx, program.Store{
		Kind: "s3", Path: "s3://" + t.bucket + "/" + t.prefix, Endpoint: endpoint(), PathStyle: true,
	}, s3.Options{Environ: environ}); err != nil {
		return err
	}
	defer t.store.Close()
	act, ok := map[string]func(context.Context) error{
		"put": t.put, "get": t.get, "sdk-put": t.sdkPut, "sdk-get": t.sdkGet, "sdk-hashed": t.sdkHashed, "hash": t.hash,
	}[task]
	if !ok {
		return fmt.Errorf("there is no %q to measure", task)
	}
	if profile := os.Getenv("BENCH_PROFILE"); profile != "" {
		f, err := os.Create(profile + "." + task)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	began := time.Now()
	if err := act(ctx); err != nil {
		return err
	}
	fmt.Print(time.Since(began))
	return nil
}

// put stores the file as an artifact. A record of it lets get find it.
func (t *transfer) put(ctx context.Context) error {
	a, err := store.Save(ctx, t.store, t.file, false)
	if err != nil {
		return err
	}
	return store.WriteJSON(ctx, t.store, noted, a, store.Replace)
}

// get reads the artifact into a file, and verifies its digest.
func (t *transfer) get(ctx context.Context) error {
	a, err := store.ReadJSON[record.Artifact](ctx, t.store, noted)
	if err != nil {
		return err
	}
	return store.Fetch(ctx, t.store, a, t.got)
}

func (t *transfer) manager() *transfermanager.Client {
	return transfermanager.New(t.client, func(o *transfermanager.Options) {
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired // as servers that are not AWS need it
	})
}

func (t *transfer) sdkKey() *string { return aws.String(t.prefix + "/sdk") }

func (t *transfer) sdkPut(ctx context.Context) error {
	f, err := os.Open(t.file)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = t.manager().UploadObject(ctx, &transfermanager.UploadObjectInput{Bucket: &t.bucket, Key: t.sdkKey(), Body: f})
	return err
}

func (t *transfer) sdkGet(ctx context.Context) error {
	f, err := os.Create(t.got)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = t.manager().DownloadObject(ctx, &transfermanager.DownloadObjectInput{Bucket: &t.bucket, Key: t.sdkKey(), WriterAt: f})
	return err
}

// sdkHashed is sdkGet and the digest of the file: the least that a user of the transfer manager does to know what was read.
func (t *transfer) sdkHashed(ctx context.Context) error {
	if err := t.sdkGet(ctx); err != nil {
		return err
	}
	return digest(t.got)
}

// hash computes the digest of the file that is put, and nothing else.
func (t *transfer) hash(context.Context) error { return digest(t.file) }

func digest(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.CopyBuffer(h, f, make([]byte, 256<<10))
	h.Sum(nil)
	return err
}

// touch uses so many bytes of memory, and releases them.
func touch(size string) error {
	n, err := strconv.Atoi(size)
	if err != nil {
		return err
	}
	memory, err := syscall.Mmap(-1, 0, n, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON|syscall.MAP_POPULATE)
	if err != nil {
		return err
	}
	fmt.Print(time.Duration(0))
	return syscall.Munmap(memory)
}
