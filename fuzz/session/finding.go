package session

import (
	"fmt"

	"nbdconform/conformance/clause"
	"nbdconform/conformance/judge"
	"nbdconform/reference/wire"
)

// A Kind says who noticed a finding.
type Kind string

// The kinds of findings.
const (
	Violation Kind = "violation" // the judge: a clause was broken on one connection
	Wrong     Kind = "wrong"     // the model: contents, an outcome, or two answers that don't fit
	Hang      Kind = "hang"      // something that is due does not come
	Crash     Kind = "crash"     // the server is no more
	Unserved  Kind = "unserved"  // a connection behind the script is not served
)

// A Finding is something that a server did wrong.
type Finding struct {
	Kind       Kind
	Clause     clause.ID // what it breaks; "" only if no clause fits
	Subject    string    // the option, command or moment that it is about
	Detail     string    // what was allowed and what came
	Op         int       // the operation of the script that it was noticed at; its length: behind the last
	Conn       int       // the connection; -1: the one behind the script
	Transcript string    // of that connection
}

// Signature is the same for findings that are the same.
func (f Finding) Signature() string {
	return fmt.Sprintf("%s %s %s", f.Kind, f.Clause, f.Subject)
}

func (f Finding) String() string { return f.Signature() + ": " + f.Detail }

// An Event is something that went over the wire.
type Event struct {
	Conn int // -1: the connection behind the script
	What EventKind
	Data []byte // of Sent and Received
}

// An EventKind says what happened to a connection.
type EventKind uint8

// The kinds of events.
const (
	Dialled  EventKind = iota
	Sent               // by the client, in one segment
	Received           // by the client
	HalfDone           // the client ended its direction
	Closed             // by the client
	Ended              // by the server
	Secured            // TLS began: what follows is the plain text
	Silent             // nothing came, and the client gave up
	Refused            // the connection could not be opened
)

// A Result is what came of a script.
type Result struct {
	Findings []Finding // the first one of each signature
	Reached  []Point   // each once
	Events   []Event   // with Record
	Requests int       // that were answered
	Answers  []Answer  // with Trace
}

// Has returns the finding of a signature.
func (r Result) Has(signature string) (Finding, bool) {
	for _, f := range r.Findings {
		if f.Signature() == signature {
			return f, true
		}
	}
	return Finding{}, false
}

// find adds a finding, unless there is one like it.
func (r *run) find(l *link, f Finding) {
	if _, ok := r.result.Has(f.Signature()); !ok {
		r.add(r.place(l, f))
	}
}

// place says where in the run a finding is.
func (r *run) place(l *link, f Finding) Finding {
	f.Op = r.op
	if l != nil {
		f.Conn, f.Transcript = l.id, l.judge.Transcript().String()
	}
	return f
}

func (r *run) add(f Finding) {
	if _, ok := r.result.Has(f.Signature()); !ok {
		r.result.Findings = append(r.result.Findings, f)
	}
}

// subjects are what violations in messages without a type of their own are
// about. Saved findings have these words in their signatures.
var subjects = map[judge.Kind]string{
	judge.KindGreeting: "greeting", judge.KindOldGreeting: "oldstyle", judge.KindExportNameReply: "answer",
	judge.KindSimpleReply: "simple", judge.KindExtendedChunk: "extended", judge.KindPadding: "124",
	judge.KindStray: "not", judge.KindTLS: "within", judge.KindEnd: "closes",
}

// subject is what a violation of a server that the judge found is about: the
// type of the reply that broke the clause, or the kind of message.
func about(t judge.Transcript, index int) string {
	for _, m := range t.Messages {
		if m.Index != index {
			continue
		}
		if s, ok := subjects[m.Kind]; ok {
			return s
		}
		switch v := m.Value().(type) {
		case wire.OptionReplyHeader:
			return v.Type.String()
		case wire.ChunkHeader:
			return v.Type.String()
		}
		return m.Kind.String()
	}
	return ""
}
