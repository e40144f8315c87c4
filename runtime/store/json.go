package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"pipec.dev/pipec/schema/record"
)

// maxRecord is the largest record that is read. The record of a run of 10,000 steps with values is far smaller.
const maxRecord = 256 << 20

// ReadJSON reads the record at key. It rejects a record of a newer version.
func ReadJSON[T any](ctx context.Context, s Store, key string) (T, error) {
	var v T
	data, err := ReadAll(ctx, s, key)
	if err != nil {
		return v, err
	}
	err = DecodeJSON(data, &v)
	if err != nil {
		return v, fmt.Errorf("the record %s: %w", key, err)
	}
	return v, nil
}

// DecodeJSON decodes one record.
func DecodeJSON(data []byte, v any) error {
	var head struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return err
	}
	if head.Version > record.Version {
		return fmt.Errorf("it has version %d, but this pipec reads version %d: a newer pipec wrote it", head.Version, record.Version)
	}
	return json.Unmarshal(data, v)
}

// ReadAll reads an object into memory, such as a record or a segment of a log. Use Fetch for artifacts.
func ReadAll(ctx context.Context, s Store, key string) ([]byte, error) {
	r, err := s.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, maxRecord+1))
	if err != nil {
		return nil, fmt.Errorf("can't read %s: %w", key, err)
	}
	if len(data) > maxRecord {
		return nil, fmt.Errorf("%s has more than %d bytes", key, maxRecord)
	}
	return data, nil
}

// WriteJSON writes v as the record at key, in one line.
func WriteJSON(ctx context.Context, s Store, key string, v any, mode Mode) error {
	data, err := EncodeJSON(v)
	if err != nil {
		return fmt.Errorf("the record %s: %w", key, err)
	}
	return s.Put(ctx, key, bytes.NewReader(data), mode)
}

// EncodeJSON encodes a record: one line, nothing escaped for HTML.
func EncodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return b.Bytes(), err
}
