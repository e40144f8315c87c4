package s3

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"pipec.dev/pipec/runtime/store"
)

// checkKey is the key that Check writes.
const checkKey = "runs/.check"

// checkTimeout bounds Check, which a user waits for.
const checkTimeout = time.Minute

// Check tries what runs need of the store: that the bucket exists and may be listed, that objects can be written and read
// back, large ones in parts, and that IfAbsent is honoured. It stops at the first fault, whose text suggests a fix. It
// leaves two small objects.
func (s *Store) Check(ctx context.Context) []store.Finding {
	ctx, cancel := context.WithTimeoutCause(ctx, checkTimeout, fmt.Errorf("%s did not respond for %s", s.where, checkTimeout))
	defer cancel()
	var out []store.Finding
	for _, part := range []struct {
		try  func(context.Context) error
		good func() string
	}{
		{s.checkBucket, func() string { return s.where + " exists, and can be listed" + s.from() }},
		{s.checkObjects, func() string { return "objects can be written and read" }},
		{s.checkParts, func() string { return "large objects can be written in parts" }},
		{func(ctx context.Context) error { return store.ProveOnce(ctx, s) }, func() string {
			return "objects that are written once are not overwritten (If-None-Match)"
		}},
	} {
		if err := part.try(ctx); err != nil {
			text := err.Error()
			if errors.Is(err, store.ErrOnce) {
				text = s.where + ": " + text
			}
			return append(out, store.Finding{Part: store.CheckPart, Text: text})
		}
		out = append(out, store.Finding{Part: store.CheckPart, OK: true, Text: part.good()})
	}
	return out
}

func (s *Store) checkBucket(ctx context.Context) error {
	for _, err := range s.List(ctx, "runs/", "") {
		return err
	}
	return nil
}

func (s *Store) checkObjects(ctx context.Context) error {
	text := "written by pipec stack check at " + time.Now().UTC().Format(time.RFC3339Nano) + "\n"
	if err := s.Put(ctx, checkKey, strings.NewReader(text), store.Replace); err != nil {
		return err
	}
	back, err := store.ReadAll(ctx, s, checkKey)
	if err == nil && string(back) != text {
		err = fmt.Errorf("%s: the content that was written does not read back: the server, or a proxy in front of it, returns old responses", s.where)
	}
	return err
}

// checkParts begins an upload and aborts it.
func (s *Store) checkParts(ctx context.Context) error {
	full, err := s.key(checkKey)
	if err != nil {
		return err
	}
	u := &upload{s: s, key: checkKey, full: full}
	m, err := u.begin(ctx)
	if err == nil {
		defer m.stop()
		_, err = s.client.AbortMultipartUpload(ctx, &sdk.AbortMultipartUploadInput{Bucket: &s.bucket, Key: full, UploadId: m.id})
	}
	if err != nil {
		return s.fault(ctx, abort, checkKey, err)
	}
	return nil
}
