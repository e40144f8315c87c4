package record

import (
	"sort"
	"strconv"
	"strings"
	"time"
)

// LogTime says that the bytes of a log from Offset on were written at At or later.
type LogTime struct {
	Offset int64
	At     time.Time
}

// LogTimes are the known times of a log, in order.
type LogTimes []LogTime

// String encodes the times as the field Times of Log contains them: for each, the milliseconds and the bytes since the one
// before, as "1764521234567+0,1005+340".
func (t LogTimes) String() string {
	var b strings.Builder
	at, offset := int64(0), int64(0)
	for i, p := range t {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatInt(p.At.UnixMilli()-at, 10))
		b.WriteByte('+')
		b.WriteString(strconv.FormatInt(p.Offset-offset, 10))
		at, offset = p.At.UnixMilli(), p.Offset
	}
	return b.String()
}

// ParseLogTimes decodes times. It ends before the first that is not valid.
func ParseLogTimes(text string) LogTimes {
	var out LogTimes
	at, offset := int64(0), int64(0)
	for part := range strings.SplitSeq(text, ",") {
		ms, bytes, _ := strings.Cut(part, "+")
		d, err := strconv.ParseInt(ms, 10, 64)
		n, bad := strconv.ParseInt(bytes, 10, 64)
		if err != nil || bad != nil || d < 0 || n < 0 {
			return out
		}
		at, offset = at+d, offset+n
		out = append(out, LogTime{offset, time.UnixMilli(at).UTC()})
	}
	return out
}

// At returns when the byte at an offset was written; zero: that is not known.
func (t LogTimes) At(offset int64) time.Time {
	i := sort.Search(len(t), func(i int) bool { return t[i].Offset > offset })
	if i == 0 {
		return time.Time{}
	}
	return t[i-1].At
}

// From returns an offset before which all bytes were written earlier than since.
func (t LogTimes) From(since time.Time) int64 {
	i := sort.Search(len(t), func(i int) bool { return !t[i].At.Before(since) })
	switch {
	case i == 0:
		return 0
	case i == len(t): // the last time is valid up to the end of the log
		return t[i-1].Offset
	}
	return t[i].Offset
}
