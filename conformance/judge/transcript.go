package judge

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"nbdconform/conformance/clause"
	"nbdconform/reports/render/words"
	"nbdconform/reports/result"
)

// A Transcript is what both sides said, in order.
type Transcript struct {
	Messages   []Message
	Violations []Violation
	Dropped    int // messages that are not among Messages because there were too many
	marks      map[int]string
}

const (
	keptPayload = 64   // bytes of a payload that are kept
	maxPinned   = 1000 // messages kept for their violations
	maxColumns  = 200
)

type entry struct {
	index  int
	side   clause.Side
	offset int64
	length uint64
	kind   Kind
	pinned bool
	keep   int // how long raw may grow
	raw    []byte
	text   string
	why    result.Value // of KindStray
}

// A log is the ring behind a Transcript.
type log struct {
	limit  int
	ring   []entry
	next   int // index of the next message
	pinned []entry
}

func (l *log) entry(i int) *entry {
	if i < 0 || i >= l.next || i < l.next-len(l.ring) {
		return nil
	}
	return &l.ring[i%l.limit]
}

// add appends a message and returns its index.
func (l *log) add(side clause.Side, offset int64, k Kind, header []byte, length uint64) int {
	i := l.next
	if len(l.ring) < l.limit {
		l.ring = append(l.ring, entry{})
	}
	l.next++
	e := &l.ring[i%l.limit]
	raw := e.raw[:0]
	if e.pinned {
		raw = nil
		if len(l.pinned) < maxPinned {
			l.pinned = append(l.pinned, *e)
		}
	}
	*e = entry{
		index: i, side: side, offset: offset, length: length, kind: k,
		keep: len(header) + keptPayload, raw: append(raw, header...),
	}
	return i
}

// extend adds bytes that belong to message i, as far as they are kept.
func (l *log) extend(i int, b []byte) {
	e := l.entry(i)
	if e == nil {
		return
	}
	if e.kind == KindStray || e.kind == KindTLS {
		e.length += uint64(len(b))
	}
	if n := min(e.keep-len(e.raw), len(b)); n > 0 {
		e.raw = append(e.raw, b[:n]...)
	}
}

func (l *log) grow(i int, n uint64) {
	if e := l.entry(i); e != nil {
		e.length += n
	}
}

func (l *log) say(i int, text string) {
	if e := l.entry(i); e != nil {
		e.text = text
	}
}

// explain says why message i is no message.
func (l *log) explain(i int, why result.Value) {
	if e := l.entry(i); e != nil {
		e.why = why
	}
}

func (l *log) pin(i int) {
	if e := l.entry(i); e != nil {
		e.pinned = true
	}
}

// transcript copies the log.
func (l *log) transcript() Transcript {
	var t Transcript
	for _, e := range l.pinned {
		t.Messages = append(t.Messages, e.message())
	}
	for i := l.next - len(l.ring); i < l.next; i++ {
		t.Messages = append(t.Messages, l.ring[i%l.limit].message())
	}
	t.Dropped = l.next - len(t.Messages)
	return t
}

func (e *entry) message() Message {
	m := Message{
		Index: e.index, Side: e.side, Offset: e.offset, Length: e.length,
		Kind: e.kind, Raw: append([]byte(nil), e.raw...), Text: e.text,
	}
	switch {
	case e.kind == KindStray:
		m.Text = words.Phrase(result.Term("bytes-not-followed", e.why, e.length))
	case e.kind == KindTLS:
		m.Text = words.Phrase(result.Term("bytes-within-tls", e.length))
	case e.text == "":
		m.Text = m.decoded()
	}
	return m
}

// Mark puts a remark on a message, which is then shown with its bytes.
func (t *Transcript) Mark(index int, remark string) {
	if t.marks == nil {
		t.marks = map[int]string{}
	}
	t.marks[index] = remark
}

// String is the text of [Transcript.Shown].
func (t Transcript) String() string {
	text, _ := t.Shown()
	return text
}

// Shown has a line for each message, each violation under its message, and the
// bytes of the messages that broke something. Marks are the first line for each
// clause that was broken, and the lines of remarks.
func (t Transcript) Shown() (text string, marks []result.Mark) {
	broken := make(map[int][]Violation)
	for _, v := range t.Violations {
		broken[v.Message] = append(broken[v.Message], v)
	}
	b := lined{mark: func(m result.Mark) {
		if m.Clause == "" || !slices.ContainsFunc(marks, func(o result.Mark) bool { return o.Clause == m.Clause }) {
			marks = append(marks, m)
		}
	}}
	next := 0
	for _, m := range t.Messages {
		if m.Index != next {
			b.line(fmt.Sprintf("   (%d messages dropped)", m.Index-next))
		}
		next = m.Index + 1
		b.line(m.String())
		for _, v := range broken[m.Index] {
			b.marked(string(v.Clause), words.Phrase(result.Term("mark.breaks", string(v.Side), string(v.Clause), result.Text(words.Failure(v.Failure())))))
		}
		remark, marked := t.marks[m.Index]
		if marked {
			b.marked("", remark)
		}
		if marked || len(broken[m.Index]) > 0 {
			b.dump(m)
		}
		delete(broken, m.Index)
	}
	for _, v := range t.Violations {
		if _, left := broken[v.Message]; left {
			b.marked(string(v.Clause), v.String())
		}
	}
	return b.String(), marks
}

// A lined is a text that counts its lines.
type lined struct {
	strings.Builder
	lines int
	mark  func(result.Mark)
}

// marked writes a line that matters.
func (b *lined) marked(clause, s string) {
	b.line("!! " + s)
	b.mark(result.Mark{Line: b.lines, Clause: clause})
}

func (b *lined) line(s string) {
	s = strings.ToValidUTF8(s, "?")
	if len(s) > maxColumns {
		s = strings.ToValidUTF8(s[:maxColumns-3], "") + "..."
	}
	b.WriteString(strings.ReplaceAll(s, "\n", `\n`))
	b.WriteByte('\n')
	b.lines++
}

func (b *lined) dump(m Message) {
	for line := range strings.Lines(hex.Dump(m.Raw)) {
		b.line("   " + strings.TrimSuffix(line, "\n"))
	}
	if left := int64(m.Length) - int64(len(m.Raw)); left > 0 {
		b.line(fmt.Sprintf("   (%d bytes more)", left))
	}
}
