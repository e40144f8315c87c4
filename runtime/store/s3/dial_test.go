package s3

import (
	"bytes"
	"io"
	"net"
	"testing"
)

// connected returns both ends of a connection: the client's as the store has it, and the server's.
func connected(t *testing.T) (client, server net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if client, err = dial(t.Context(), "tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return client, server
}

// A reader that waits for much receives the little that arrives, also if the server sends no more before it is asked again.
func TestGatherLittle(t *testing.T) {
	t.Parallel()
	client, server := connected(t)
	go func() {
		question := make([]byte, 1)
		for {
			if _, err := server.Read(question); err != nil {
				return
			}
			if _, err := server.Write([]byte("little")); err != nil {
				t.Error(err)
			}
			if question[0] == 'z' {
				_ = server.Close()
			}
		}
	}()
	buf := make([]byte, 2*gather)
	for _, question := range []string{"a", "b", "z"} {
		if _, err := client.Write([]byte(question)); err != nil {
			t.Fatal(err)
		}
		if n, err := client.Read(buf); err != nil || string(buf[:n]) != "little" {
			t.Fatalf("read %q, %v", buf[:n], err)
		}
	}
	if n, err := client.Read(buf); err != io.EOF {
		t.Errorf("read %q, %v", buf[:n], err)
	}
}

// All bytes arrive in order, whatever the sizes of the buffers, and the end of the connection ends a read that waits for more.
func TestGatherAll(t *testing.T) {
	t.Parallel()
	client, server := connected(t)
	want := make([]byte, 3<<20+17)
	for i := range want {
		want[i] = byte(i>>12) ^ byte(i)
	}
	go func() {
		for rest := want; len(rest) > 0; {
			n, err := server.Write(rest[:min(len(rest), 4096)])
			if err != nil {
				t.Error(err)
				break
			}
			rest = rest[n:]
		}
		_ = server.Close()
	}()
	var got bytes.Buffer
	for size := 1; ; size = size*3 + 1 {
		if size > 4*gather {
			size = 1
		}
		buf := make([]byte, size)
		n, err := client.Read(buf)
		got.Write(buf[:n])
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%d bytes arrived, and %d were sent", got.Len(), len(want))
	}
}
