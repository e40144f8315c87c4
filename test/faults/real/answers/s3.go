package answers

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"pipec.dev/pipec/runtime/store"
)

// S3 returns the answers of an S3 server: the status, and the error code or the content. client must have all rights to the
// empty bucket.
func S3(ctx context.Context, client *sdk.Client, bucket string) []Answer {
	s := &objects{ctx: ctx, client: client, bucket: &bucket}
	s.put("an object is written if it doesn't exist", "a", "first", aws.String("*"))
	s.put("an object is written if it doesn't exist, and it does", "a", "second", aws.String("*"))
	s.get("an object is read", "a", nil)
	s.put("an object is replaced", "a", "0123456789", nil)
	s.get("a part of an object is read", "a", aws.String("bytes=2-4"))
	s.get("the part behind the end of an object is read", "a", aws.String("bytes=10-12"))
	s.get("an object that doesn't exist is read", "none", nil)
	_, err := client.HeadObject(ctx, &sdk.HeadObjectInput{Bucket: s.bucket, Key: aws.String("none")})
	s.add("the size of an object that doesn't exist", "HEAD none", 200, nil, err)
	s.put("an object is written with a digest that is wrong", "b", "content", nil, wrongDigest)
	s.get("an object that was written with a wrong digest is read", "b", nil)

	own := *s.bucket
	s.bucket = aws.String(own + "-none")
	s.get("an object in a bucket that doesn't exist is read", "a", nil)
	s.bucket = &own
	for _, user := range []struct{ what, key, secret string }{
		{"an unknown access key", "unknown", "secret"}, {"a wrong secret key", "", "wrong"},
	} {
		o := client.Options()
		if was, err := o.Credentials.Retrieve(ctx); err == nil && user.key == "" {
			user.key = was.AccessKeyID
		}
		s.client = sdk.New(sdk.Options{ // not a copy: its signer remembers the keys that it has derived from secrets
			BaseEndpoint: o.BaseEndpoint, UsePathStyle: o.UsePathStyle, Region: o.Region, RequestChecksumCalculation: o.RequestChecksumCalculation,
			Credentials: credentials.NewStaticCredentialsProvider(user.key, user.secret, ""),
		})
		s.get(user.what+" reads an object", "a", nil)
		s.put(user.what+" writes an object", "c", "content", aws.String("*"))
	}
	return s.answers
}

// objects collects the answers about the objects of a bucket.
type objects struct {
	ctx     context.Context
	client  *sdk.Client
	bucket  *string
	answers []Answer
}

func (s *objects) put(name, key, text string, ifNoneMatch *string, options ...func(*middleware.Stack) error) {
	_, err := s.client.PutObject(s.ctx, &sdk.PutObjectInput{Bucket: s.bucket, Key: &key, Body: strings.NewReader(text), IfNoneMatch: ifNoneMatch},
		func(o *sdk.Options) { o.APIOptions = append(o.APIOptions, options...) })
	request := "PUT " + key
	if ifNoneMatch != nil {
		request += " If-None-Match: " + *ifNoneMatch
	}
	s.add(name, request, 200, nil, err)
}

func (s *objects) get(name, key string, part *string) {
	out, err := s.client.GetObject(s.ctx, &sdk.GetObjectInput{Bucket: s.bucket, Key: &key, Range: part})
	request, code, header := "GET "+key, 200, map[string]string(nil)
	if part != nil {
		request += " Range: " + *part
		code = 206
	}
	var text any
	if err == nil {
		defer out.Body.Close()
		var data []byte
		data, err = io.ReadAll(out.Body)
		text = string(data)
		if out.ContentRange != nil {
			header = map[string]string{"Content-Range": *out.ContentRange}
		}
	}
	s.add(name, request, code, text, err)
	s.answers[len(s.answers)-1].Header = header
}

func (s *objects) add(name, request string, code int, body any, err error) {
	a := Answer{Case: name, Request: request, Code: code, Body: body}
	var status *awshttp.ResponseError
	var api smithy.APIError
	if errors.As(err, &status) {
		a.Code = status.HTTPStatusCode()
	} else if err != nil {
		a.Code = 0
	}
	switch {
	case errors.As(err, &api):
		a.Body = api.ErrorCode()
	case err != nil:
		a.Body = err.Error()
	}
	s.answers = append(s.answers, a)
}

// wrongDigest signs a request with the digest of another content.
func wrongDigest(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("wrongDigest",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			return next.HandleInitialize(v4.SetPayloadHash(ctx, strings.Repeat("0", 64)), in)
		}), middleware.After)
}

// Store returns what a store answers: the real one on an S3 server, and the model of the simulation.
func Store(ctx context.Context, s store.Store) []Answer {
	var out []Answer
	add := func(name, request string, body any, err error) {
		a := Answer{Case: name, Request: request, Body: body}
		switch {
		case errors.Is(err, store.ErrNotExist):
			a.Body = "does not exist"
		case errors.Is(err, store.ErrExists):
			a.Body = "exists"
		case err != nil:
			a.Body = [...]string{"a permanent fault", "a transient fault", "denied"}[store.ClassOf(err)]
		}
		out = append(out, a)
	}
	put := func(name, key, text string, mode store.Mode, nonce string) {
		add(name, "Put "+key, nil, s.Put(store.WithNonce(ctx, nonce), key, strings.NewReader(text), mode))
	}
	get := func(name, key string) {
		data, err := store.ReadAll(ctx, s, key)
		add(name, "Get "+key, string(data), err)
	}
	put("an object is written if it doesn't exist", "d/a", "first", store.IfAbsent, "n1")
	put("the same write is sent again, because its answer was lost", "d/a", "first", store.IfAbsent, "n1")
	put("another write of an object that exists", "d/a", "second", store.IfAbsent, "n2")
	get("an object is read", "d/a")
	put("an object is replaced", "d/a", "third", store.Replace, "n3")
	put("the first write is sent again after another one has replaced the object", "d/a", "first", store.IfAbsent, "n1")
	get("an object that was replaced is read", "d/a")
	get("an object that doesn't exist is read", "d/none")
	_, err := s.Stat(ctx, "d/none")
	add("the size of an object that doesn't exist", "Stat d/none", nil, err)
	put("another object", "d/b", "", store.IfAbsent, "n4")
	for _, after := range []string{"", "d/a"} {
		var keys []string
		for key, err := range s.List(ctx, "d/", after) {
			if err != nil {
				add("a list", "List d/", nil, err)
			}
			keys = append(keys, key)
		}
		add("a list", "List d/ "+after, keys, nil)
	}
	return out
}
