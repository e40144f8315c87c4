package layers_test

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"pipec.dev/pipec/runtime/image/layers"
	"pipec.dev/pipec/runtime/image/wheel"
)

var wheelSize = flag.Int("wheelmb", 100, "the size of the wheel in BenchmarkWrite, in MB")

// BenchmarkWrite writes the layer of a large wheel, and reports the memory that the process has at the end. With
// -wheelmb=2048 the memory is the same.
func BenchmarkWrite(b *testing.B) {
	size := int64(*wheelSize) << 20
	name := filepath.Join(b.TempDir(), "big-1.0-py3-none-any.whl")
	if err := largeWheel(name, size); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(size)
	for b.Loop() {
		if err := writeOne(b, name); err != nil {
			b.Fatal(err)
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.Sys)/1e6, "MB-memory")
}

func writeOne(b *testing.B, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	w, err := wheel.Open(f, info.Size(), filepath.Base(name))
	if err != nil {
		return err
	}
	_, _, err = layers.Write(b.Context(), io.Discard, layout(), true, []*wheel.Wheel{w})
	return err
}

// largeWheel writes a wheel with one file that compresses a little.
func largeWheel(name string, size int64) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	z := zip.NewWriter(f)
	entry, err := z.Create("big/core.so")
	if err != nil {
		return err
	}
	sum := sha256.New()
	r := rand.New(rand.NewPCG(1, 2))
	chunk := make([]byte, 1<<20)
	for i := range chunk {
		chunk[i] = byte(r.IntN(64))
	}
	for done := int64(0); done < size; done += int64(len(chunk)) {
		chunk[r.IntN(len(chunk))]++
		if _, err := io.MultiWriter(entry, sum).Write(chunk); err != nil {
			return err
		}
	}
	record := fmt.Sprintf("big/core.so,sha256=%s,%d\n", base64.RawURLEncoding.EncodeToString(sum.Sum(nil)), size)
	for _, m := range [][2]string{{"METADATA", "Metadata-Version: 2.1\nName: big\nVersion: 1.0\n"}, {"WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}} {
		h := sha256.Sum256([]byte(m[1]))
		record += fmt.Sprintf("big-1.0.dist-info/%s,sha256=%s,%d\n", m[0], base64.RawURLEncoding.EncodeToString(h[:]), len(m[1]))
		if err := put(z, "big-1.0.dist-info/"+m[0], m[1]); err != nil {
			return err
		}
	}
	return errors.Join(put(z, "big-1.0.dist-info/RECORD", record+"big-1.0.dist-info/RECORD,,\n"), z.Close(), f.Close())
}

func put(z *zip.Writer, name, content string) error {
	w, err := z.Create(name)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, content)
	return err
}
