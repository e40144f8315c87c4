// Package s3 is a store.Store in a bucket of S3, or of a server that speaks its protocol. Objects are read and written in
// parts, several at once. Memory is bounded, however large the objects are and however many are in transfer.
//
// It requires of a server that it lists in byte order and that it honours If-None-Match (see store.ProveOnce). Nothing is
// deleted except unfinished uploads of its own.
package s3

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/semaphore"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// DefaultMemory is the limit in bytes of the parts in memory if Options don't set one.
const DefaultMemory = 32 << 20

// maxKey is the longest key in S3, including the store's prefix.
const maxKey = 1024

// Options are what the stack doesn't declare.
type Options struct {
	// Environ looks up the credentials, first with the prefix PIPEC_STORE_ and then under the names that the SDK knows. nil:
	// the process's environment. If there are none, the SDK searches in its own ways.
	Environ func(string) (string, bool)
	// Memory bounds the bytes of parts in memory; 0: DefaultMemory. When it is used up, an object is read by fewer
	// connections.
	Memory int64
	// MaxBackoff is the longest wait between the few tries of a request; 0: a second.
	MaxBackoff time.Duration
}

// Store is the part of a bucket beneath a prefix.
type Store struct {
	client   *sdk.Client
	creds    *credentials
	bucket   string
	prefix   string // "", or ends with /
	where    string // for messages
	endpoint string // "": AWS
	region   string
	style    bool // path style
	pool     *pool
	tees     *semaphore.Weighted // connections that read parts into files, beyond one of each object
	idle     func()              // closes the connections that are not in use
}

// Open prepares the store for use. It makes no request: a missing bucket or a wrong key is reported by the first use, or by
// Check.
func Open(ctx context.Context, s program.Store, o Options) (*Store, error) {
	bucket, prefix, err := split(s.Path)
	if err != nil {
		return nil, err
	}
	if o.Environ == nil {
		o.Environ = os.LookupEnv
	}
	if o.Memory == 0 {
		o.Memory = DefaultMemory
	}
	if o.MaxBackoff == 0 {
		o.MaxBackoff = time.Second
	}
	c, err := connect(ctx, &s, &o)
	if err != nil {
		return nil, err
	}
	out := &Store{
		client: c.client, creds: c.credentials, idle: c.idle, endpoint: c.endpoint, region: c.region, style: s.PathStyle,
		bucket: bucket, prefix: prefix, where: s.Path, pool: newPool(int(o.Memory / store.PartSize(0))), tees: semaphore.NewWeighted(teeMost),
	}
	if c.endpoint != "" {
		out.where += " at " + c.endpoint
	}
	return out, nil
}

// split parses s3://bucket/prefix.
func split(path string) (bucket, prefix string, err error) {
	u, err := url.Parse(path)
	if err != nil || u.Scheme != "s3" || u.Host == "" || u.User != nil || u.Port() != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", "", &store.Fault{Text: fmt.Sprintf("%q is not a valid S3 URI: expected s3://BUCKET/PREFIX", path), Err: err}
	}
	prefix = strings.Trim(u.Path, "/")
	if prefix == "" {
		return u.Host, "", nil
	}
	if err := store.CheckKey(prefix); err != nil {
		return "", "", &store.Fault{Text: fmt.Sprintf("%q is not a valid S3 URI: its prefix can't be part of a key", path), Err: err}
	}
	return u.Host, prefix + "/", nil
}

// Close closes idle connections. The store must not be used afterwards.
func (s *Store) Close() error {
	s.idle()
	return nil
}

// key returns the name of the object in the bucket.
func (s *Store) key(key string) (*string, error) {
	if err := store.CheckKey(key); err != nil {
		return nil, err
	}
	full := s.prefix + key
	if len(full) > maxKey {
		return nil, fmt.Errorf("store: %s is longer than the %d bytes that a key may have in S3", record.Shorten(full, 60), maxKey)
	}
	return aws.String(full), nil
}

// Stat makes a HEAD request.
func (s *Store) Stat(ctx context.Context, key string) (store.Info, error) {
	head, err := s.head(ctx, key)
	if err != nil {
		return store.Info{}, err
	}
	return store.Info{Size: aws.ToInt64(head.ContentLength), ModTime: aws.ToTime(head.LastModified)}, nil
}

func (s *Store) head(ctx context.Context, key string) (*sdk.HeadObjectOutput, error) {
	full, err := s.key(key)
	if err != nil {
		return nil, err
	}
	head, err := s.client.HeadObject(ctx, &sdk.HeadObjectInput{Bucket: &s.bucket, Key: full})
	if err == nil {
		return head, nil
	}
	fault := s.fault(ctx, read, key, err)
	if store.ClassOf(fault) != store.Denied {
		return nil, fault
	}
	// The answer to HEAD has no body, and so no reason. The answer to GET has one.
	out, err := s.client.GetObject(ctx, &sdk.GetObjectInput{Bucket: &s.bucket, Key: full, Range: aws.String("bytes=0-0")})
	if err == nil {
		_ = out.Body.Close()
		return nil, fault
	}
	if better := s.fault(ctx, read, key, err); !errors.Is(better, store.ErrNotExist) {
		return nil, better
	}
	return nil, fault
}
