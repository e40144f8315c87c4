// Package sketch reads YAML that may be half written into nodes with their ranges: a key without its colon, a quote or a
// bracket that is never closed, a line that is indented too far. An incomplete value ends where the indentation shows that
// another one begins. The nodes of valid YAML are those that a parser finds.
//
// The package doesn't interpret or check the document: aliases are not resolved, and escapes in text are kept.
package sketch

// Span is a range of bytes, from Start to End, which is excluded.
type Span struct{ Start, End int }

// Holds reports whether an offset is in the span, or just after it.
func (s Span) Holds(offset int) bool { return s.Start <= offset && offset <= s.End }

// Kind is what a node is.
type Kind int

// The kinds.
const (
	Nothing Kind = iota // what is not written yet, or null
	Text
	List
	Map
	Alias
)

// Style is how a text is written.
type Style int

// The styles.
const (
	Plain Style = iota
	Single
	Double
	Block
)

// Node is a value.
type Node struct {
	Kind Kind
	Span
	Flow    bool     // between brackets
	Column  int      // of a block: the column of its keys or dashes
	Entries []*Entry // of a map
	Items   []*Item  // of a list
	Style   Style    // of a text
	Inner   Span     // of a text: without quotes, or without the header of a block
}

// Entry is a key with its value.
type Entry struct {
	Key    *Node
	Colon  int // its offset; -1 without one
	Value  *Node
	Column int // of the key
	End    int // of all of it; between brackets, up to the comma
}

// Item is an element of a list.
type Item struct {
	Start int // of its dash; between brackets, where it may begin
	Value *Node
	End   int
}

// File is a file that has been read.
type File struct {
	Src      []byte
	Root     *Node
	Comments []Span // in order
}

// maxDepth limits how deep nodes are nested: what is deeper is read as nothing.
const maxDepth = 256

// Read reads any file.
func Read(src []byte) *File {
	r := reader{file: &File{Src: src}, src: src}
	if len(src) >= 3 && string(src[:3]) == "\xef\xbb\xbf" {
		r.i, r.start = 3, 3
	}
	r.skip()
	r.file.Root = &Node{Kind: Nothing, Span: Span{r.i, r.i}}
	for r.i < len(src) {
		before := r.i
		n := r.block(-1, 0)
		if r.file.Root.Kind != Map {
			r.file.Root = n
		} else if n.Kind == Map { // further to the left than what was before
			r.file.Root.Entries = append(r.file.Root.Entries, n.Entries...)
			r.file.Root.End = n.End
		}
		r.skip()
		if r.i == before {
			r.line()
			r.skip()
		}
	}
	return r.file
}

// CommentAt reports whether an offset is in a comment.
func (f *File) CommentAt(offset int) bool {
	for low, high := 0, len(f.Comments); low < high; {
		mid := (low + high) / 2
		switch c := f.Comments[mid]; {
		case offset <= c.Start:
			high = mid
		case offset > c.End:
			low = mid + 1
		default:
			return true
		}
	}
	return false
}

// Line returns where the line of an offset starts.
func (f *File) Line(offset int) int {
	for offset > 0 && !newline(f.Src[offset-1]) {
		offset--
	}
	if offset == 0 && len(f.Src) >= 3 && string(f.Src[:3]) == "\xef\xbb\xbf" {
		return 3
	}
	return offset
}

func newline(c byte) bool { return c == '\n' || c == '\r' }

func blank(c byte) bool { return c == ' ' || c == '\t' }
