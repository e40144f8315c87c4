package lines

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"pipec.dev/pipec/schema/record"
)

// got collects lines, as text with a mark for each part.
type got struct {
	all  []string
	size int
}

func (g *got) emit(l Line) error {
	g.all = append(g.all, string(l.Text)+map[record.Part]string{record.PartCut: "+", record.PartState: "~"}[l.Part])
	g.size += l.Size
	return nil
}

func split(t interface{ Fatal(...any) }, pieces ...string) *got {
	g := &got{}
	s := Splitter{Emit: g.emit}
	for _, p := range pieces {
		if n, err := s.Write([]byte(p)); n != len(p) || err != nil {
			t.Fatal(n, err)
		}
	}
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	return g
}

func TestSplitter(t *testing.T) {
	x := strings.Repeat("x", Max)
	for _, c := range []struct {
		in   string
		want []string
	}{
		{"", nil}, {"a\nb", []string{"a", "b"}}, {"\n\na\n", []string{"", "", "a"}}, {"a\r\nb\r\r\n", []string{"a", "b"}},
		{"\r10%\r20%\n", []string{"20%"}}, {"10%\r20%\r\n", []string{"20%"}}, {"10%\r", []string{"10%"}}, {"\r", []string{""}},
		{"long\rx\ny\n", []string{"x", "y"}}, {x + "\n", []string{x}}, {x + "\r\n", []string{x}}, {x + "y\n", []string{x + "+", "y"}},
		{x + "y\rz\n", []string{x + "+", "z"}}, {"a\r" + x + "\n", []string{x}}, {"a\n" + x + "y", []string{"a", x + "+", "y"}},
		// Only the first long text of a line that is overwritten is passed on in pieces.
		{x + "1\r" + x + "2\n", []string{x + "+", x}}, {"a\r" + x + "1\rb\r" + x + "2\r" + x + "3\nc\n", []string{x + "+", x, "c"}},
		{x + "1\r" + x[1:] + "é\n" + x + "2\n", []string{x + "+", x[1:], x + "+", "2"}}, {x + "1\rb\n", []string{x + "+", "b"}},
		{x[1:] + "é\n", []string{x[1:] + "+", "é"}}, {x[3:] + "é€\n", []string{x[3:] + "é+", "€"}}, {x[2:] + "😀\n", []string{x[2:] + "+", "😀"}},
		{x[1:] + "\xff\n", []string{x[1:] + "\xff"}}, {x + "\xa9\n", []string{x + "+", "\xa9"}},
	} {
		if g := split(t, c.in); !slices.Equal(g.all, c.want) || g.size != len(c.in) {
			t.Errorf("%.20q… gives %.40q of %d bytes, not %.40q of %d", c.in, g.all, g.size, c.want, len(c.in))
		}
	}
}

// check checks how a log is split: independently of the pieces in which it comes, completely, between characters, and
// without the ends of lines.
func check(t interface {
	Fatal(...any)
	Fatalf(string, ...any)
}, log string, pieces []string) {
	one, many := split(t, log), split(t, pieces...)
	if !slices.Equal(one.all, many.all) || one.size != many.size {
		t.Fatalf("%q at once, %q in pieces", one.all, many.all)
	}
	if one.size != len(log) {
		t.Fatalf("the lines have %d bytes, the log has %d", one.size, len(log))
	}
	for _, l := range one.all {
		if len(l) > Max+1 { // with the mark of its part
			t.Fatalf("a line has %d bytes", len(l))
		}
		if strings.ContainsAny(l, "\r\n") {
			t.Fatalf("%q contains an end of a line", l)
		}
		if utf8.ValidString(log) && !utf8.ValidString(l) {
			t.Fatalf("%q was cut in a character", l)
		}
	}
	// The plain way, for lines that are not cut.
	var want []string
	for line := range strings.SplitAfterSeq(log, "\n") {
		if line == "" {
			continue
		}
		text := strings.TrimRight(strings.TrimSuffix(line, "\n"), "\r")
		if len(text) > Max {
			return
		}
		want = append(want, text[strings.LastIndexByte(text, '\r')+1:])
	}
	if !slices.Equal(one.all, want) {
		t.Fatalf("%q, not %q", one.all, want)
	}
}

func FuzzSplitter(f *testing.F) {
	f.Add("a\nb\r\nc\rd\n", uint16(0), uint16(2))
	f.Add("é€😀\r\n", uint16(Max-3), uint16(9))
	f.Add("\xff\xc3\r\r\xa9", uint16(Max-1), uint16(1))
	f.Add("é\r", uint16(Max-1), uint16(7))
	f.Fuzz(func(t *testing.T, log string, before, size uint16) {
		log = strings.Repeat("x", int(before)) + log + strings.Repeat("é", int(before)/2) + log
		if size%2 == 1 {
			log += "\r" + log // texts that overwrite long texts
		}
		var pieces []string
		for rest := log; rest != ""; {
			n := min(int(size)%251+1+len(rest)/64, len(rest))
			pieces, rest = append(pieces, rest[:n]), rest[n:]
		}
		check(t, log, pieces)
		unmarks(t, log, pieces)
	})
}

// unmarks writes pieces with marks between some of them, and expects to read the log.
func unmarks(t *testing.T, log string, pieces []string) {
	t.Helper()
	if strings.Contains(log, Mark) {
		return
	}
	var out bytes.Buffer
	u := Unmarker{W: &out}
	for i, p := range pieces {
		_, _ = u.Write([]byte(p))
		if i%3 == 0 {
			_, _ = u.Write([]byte(Mark[:i%len(Mark)]))
			_, _ = u.Write([]byte(Mark[i%len(Mark):]))
		}
	}
	if err := u.Flush(); err != nil || out.String() != log {
		t.Fatalf("%q, not %q (%v)", out.String(), log, err)
	}
}

func TestPieces(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		pieces := rapid.SliceOf(rapid.StringMatching(`[ab\n\ré\x1b]{0,8}`)).Draw(rt, "pieces")
		check(rt, strings.Join(pieces, ""), pieces)
		unmarks(t, strings.Join(pieces, ""), pieces)
	})
}

func TestErrors(t *testing.T) {
	broken := errors.New("broken")
	s := Splitter{Emit: func(Line) error { return broken }}
	for _, in := range []string{"a\n", "a\rb\n", strings.Repeat("x", Max+1)} {
		if _, err := s.Write([]byte(in)); err != broken {
			t.Errorf("%.10q: %v", in, err)
		}
	}
}

func TestPaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var all []string
		p := NewPaced(func(l Line) error {
			all = append(all, fmt.Sprintf("%.1f %s%s", time.Since(start).Seconds(), l.Text, l.Part))
			return nil
		})
		_, _ = p.Write([]byte("plain\n"))
		for i := range 30 {
			fmt.Fprintf(p, "\r%d", i)
			time.Sleep(95 * time.Millisecond)
		}
		time.Sleep(5 * time.Second) // the last state is visible while the step is silent
		_, _ = p.Write([]byte("\rdone\nwithout an end"))
		time.Sleep(5 * time.Second)
		_, _ = p.Write([]byte("\r\nnext\r")) // an ordinary line of Windows
		_, _ = p.Write([]byte("\n"))
		time.Sleep(5 * time.Second)
		_, _ = p.Write([]byte("10%\r"))
		time.Sleep(time.Second)
		_, _ = p.Write([]byte("      \r"))
		time.Sleep(2 * time.Second)
		_, _ = p.Write([]byte("\xe2\x82")) // a part of a character
		time.Sleep(2 * time.Second)
		_, _ = p.Write([]byte("20%"))
		if err := p.Flush(); err != nil {
			t.Error(err)
		}
		time.Sleep(5 * time.Second)
		want := []string{
			"0.0 plain", "0.1 1state", "1.1 11state", "2.1 22state", "3.1 29state", "7.8 done", "12.8 without an end", "12.8 next",
			"17.9 10%state", "22.9 \xe2\x8220%",
		}
		if !slices.Equal(all, want) {
			t.Errorf("%q, not\n%q", all, want)
		}
	})
}

// A line that is overwritten with long texts is passed on as seldom as one with short texts.
func TestPacedLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var parts []record.Part
		p := NewPaced(func(l Line) error {
			parts = append(parts, l.Part)
			if len(l.Text) > Max {
				t.Errorf("%d bytes", len(l.Text))
			}
			return nil
		})
		for range 50 {
			_, _ = p.Write([]byte("\r" + strings.Repeat("x", Max+1)))
			time.Sleep(100 * time.Millisecond)
		}
		_, _ = p.Write([]byte("\n"))
		if err := p.Flush(); err != nil {
			t.Error(err)
		}
		want := []record.Part{record.PartCut, record.PartState, record.PartState, record.PartState, record.PartState, record.PartState, ""}
		if !slices.Equal(parts, want) {
			t.Errorf("%q, want %q", parts, want)
		}
	})
}

func TestPacedReplay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &got{}
		p := NewPaced(g.emit)
		_, _ = p.Replay([]byte("one\n\r10%\r20%"))
		time.Sleep(5 * time.Second)
		_, _ = p.Write([]byte("\r30%"))
		time.Sleep(time.Second)
		_, _ = p.Write([]byte("\r40%"))
		if err := p.State(); err != nil {
			t.Error(err)
		}
		p.Close()
		_, _ = p.Write([]byte("\r50%"))
		time.Sleep(5 * time.Second)
		if want := []string{"one", "30%~", "40%~"}; !slices.Equal(g.all, want) {
			t.Errorf("%q, not %q", g.all, want)
		}
		broken := errors.New("broken")
		p = NewPaced(func(Line) error { return broken })
		_, _ = p.Write([]byte("\r10%"))
		time.Sleep(time.Second)
		if _, err := p.Write([]byte("x")); err != broken {
			t.Errorf("%v", err)
		}
		p.Close()
	})
}

// What a node passes on, which waits for the ends of lines, has the states of a bar, and without marks it is the log.
func TestMarker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var node, log, plain lockedBuffer
		m := NewMarker(&node)
		w := both{m, &log}
		_, _ = w.Write([]byte("one\r\ntwo\r"))
		_, _ = w.Write([]byte("\n"))
		time.Sleep(5 * time.Second)
		if strings.Contains(node.String(), Mark) {
			t.Errorf("%q", node.String())
		}
		for i := range 30 {
			fmt.Fprintf(w, "\r%d", i)
			time.Sleep(95 * time.Millisecond)
		}
		time.Sleep(5 * time.Second)
		if got := strings.Count(node.String(), Mark); got != 4 || !strings.HasSuffix(node.String(), "\r29"+Mark) {
			t.Errorf("%d marks in %q", got, node.String())
		}
		_, _ = w.Write([]byte("\nthree\n\r1"))
		m.Close()
		time.Sleep(5 * time.Second)
		u := Unmarker{W: &plain}
		_, _ = u.Write([]byte(node.String()))
		if err := u.Flush(); err != nil || plain.String() != log.String() {
			t.Errorf("%q, not %q", plain.String(), log.String())
		}
	})
}

type both struct {
	a, b interface{ Write([]byte) (int, error) }
}

func (w both) Write(p []byte) (int, error) {
	_, _ = w.a.Write(p)
	return w.b.Write(p)
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func BenchmarkSplitter(b *testing.B) {
	text := bytes.Repeat([]byte("2024-01-02 10:11:12 INFO epoch 12 step 3400 loss=0.1234 accuracy=0.9876 lr=1e-4\n"), 400)
	p := NewPaced(func(Line) error { return nil })
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		_, _ = p.Write(text)
	}
}
