package model

import (
	"fmt"
	"time"

	"nbdconform/conformance/clause"
	"nbdconform/reference/wire"
)

// Options say what is known of the server beforehand. The zero value knows
// nothing, and accuses nobody of what could be otherwise.
type Options struct {
	// Exports are the names of the exports, the default one first. Each is a
	// disk of its own. What another name leads to is unknown, and if there are none,
	// what any but the default one does.
	Exports []string
	// Plain says that the server does without TLS: no export needs it.
	Plain bool
	// Blank says that what nobody wrote reads as zeroes.
	Blank bool
	// Healthy says that the storage is meant to work and to have room: a request
	// that keeps all rules succeeds.
	Healthy bool
	// Records says that dirty bitmaps record every write, and that what is
	// written is allocated in the topmost layer.
	Records bool
}

// A Violation is an answer that the model does not allow.
type Violation struct {
	Clause clause.ID
	Detail string // what was allowed and what came
	// Mishap says that a request failed in a way that a full or broken disk
	// explains as well: whether it is one, other requests tell.
	Mishap bool
}

// A Model is what is known of a server. It is not safe for concurrent use.
type Model struct {
	opts  Options
	disks map[string]*disk
	facts map[string]*fact           // by export name
	named map[string]bool            // export names that led somewhere
	list  map[bool]map[string]string // descriptions by export name, within TLS and without
	// hidden are names that may be of no export, as Hidden says, each with the
	// export that was described.
	hidden map[string]string
	conns  int
	clock  uint64 // counts what was sent and answered
	slow   time.Duration
	wild   bool // see Haunt
	loose  int  // changes that were asked for, and not answered, of a disk of which it is unknown which one it is
}

// New returns a model of a server that nobody has talked to.
func New(o Options) *Model {
	return &Model{
		opts: o, disks: make(map[string]*disk), facts: make(map[string]*fact), named: make(map[string]bool),
		list: make(map[bool]map[string]string), hidden: make(map[string]string),
	}
}

// Set tells what an export has at an offset. data is kept.
func (m *Model) Set(export string, offset uint64, data []byte) {
	d := m.disk(export)
	d.put(run{from: offset, to: offset + uint64(len(data)), kind: known, data: data, by: nobody})
}

// canonical returns the name of the disk that an export name leads to; ok is
// false if it is unknown which one that is.
func (m *Model) canonical(name string) (string, bool) {
	if len(m.opts.Exports) == 0 {
		return "", name == ""
	}
	if name == "" {
		return m.opts.Exports[0], true
	}
	for _, e := range m.opts.Exports {
		if e == name {
			return e, true
		}
	}
	return "", false
}

// disk returns the disk behind an export name, or one that nothing is known of.
func (m *Model) disk(name string) *disk {
	name, ok := m.canonical(name)
	if !ok {
		return &disk{stranger: true}
	}
	d := m.disks[name]
	if d == nil {
		d = &disk{blank: m.opts.Blank}
		m.disks[name] = d
	}
	return d
}

// Forget drops all that is known of contents: something may have been written
// that the model was not told of.
func (m *Model) Forget() {
	for _, d := range m.disks {
		d.forget()
	}
}

// Haunt tells that something was sent of which the model can't tell what the
// server makes, or when: from now on contents and sizes may change at any time.
func (m *Model) Haunt() {
	m.wild = true
	m.disturb()
}

// disturb forgets all contents, those that are being changed as well.
func (m *Model) disturb() {
	m.Forget()
	for _, d := range m.disks {
		for _, r := range d.inflight {
			r.others = append(r.others, everything)
		}
	}
}

var everything = Span{0, 1<<64 - 1}

// A Span is a range of an export, in bytes.
type Span struct{ From, To uint64 }

// Touched lists ranges of an export that requests wanted to change, and those
// that were set, at most most of them and none of them longer than 64 KiB:
// what is worth a look in the end.
func (m *Model) Touched(name string, most int) []Span {
	name, ok := m.canonical(name)
	d := m.disks[name]
	if !ok || d == nil {
		return nil
	}
	return d.worth(most)
}

func violate(list []Violation, id clause.ID, format string, args ...any) []Violation {
	return append(list, Violation{Clause: id, Detail: fmt.Sprintf(format, args...)})
}

// An Answer is the whole reply to a request.
type Answer struct {
	Failed   bool
	Error    wire.Errno // if it failed
	Pieces   []Piece    // of a read, in any order
	Statuses []wire.BlockStatus
	Took     time.Duration
}

// A Piece is content of a read: data, or a hole of N bytes where Data is nil.
type Piece struct {
	Offset uint64
	Data   []byte
	N      uint64
}
