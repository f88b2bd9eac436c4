package trial

import (
	"fmt"
	"slices"
	"strings"

	"nbdconform/conformance/clause"
	"nbdconform/conformance/judge"
	"nbdconform/reports/recording"
	"nbdconform/reports/result"
)

// A Scene is what there is to show of a spec that did not end well. It is
// complete once [Bench.Run] has returned.
type Scene struct {
	Recording  *recording.Recording // every byte of every connection, within limits
	Transcript string               // of all connections
	Contents   []recording.Range    // where the server sent contents of the export
	State      string               // of the target's program afterwards
	Exit       string               // how the program ended
	Stderr     string               // the end of what the program wrote
	Served     bool                 // a connection was served afterwards
	Errand     *Errand              // of the program, if a client is under test
}

// An Errand is what a client program was sent to do.
type Errand struct {
	Activity string
	Argv     []string // empty if the program is no program of its own
	Dir      string   // has the server's socket, named "s", and the files
	Export   string
	Input    []byte // of the file "in", if there is one
	Wrote    string // the file "out", as SHA-256 in hex; "": there is none
	End      string // how the program ended
	Cookies  []recording.Cookie
}

// Evidence is a scene with a finger on the message that matters.
type Evidence struct {
	*Scene
	Place  Place
	Clause clause.ID // that the judge saw broken there, which decided; "": the spec's own
}

// A Place is a message of the side under test.
type Place struct {
	Conn   int    // connection, from 0; -1: no message
	Offset int64  // in what that side sent on it, bytes
	Length uint64 // 0: what matters is that nothing came, or that it ended there
	Judged bool   // the judge holds something against the message as such
}

// maxTranscript bounds the transcript of all connections, in bytes.
const maxTranscript = 1 << 20

func (b *Bench) recorder() *recording.Recorder {
	if !b.Record {
		return nil
	}
	return recording.New(recording.DefaultLimits)
}

// A stop is where the conversation stood when the spec's body ended.
type stop struct {
	conn int // on which the server was heard last, or -1
	next int // messages of the transcript by then
}

// stopped notes where the body ended, before the polite farewell.
func (t *Trial) stopped() {
	t.stop.conn = t.rec.Last()
	if s := t.stop.conn; s >= 0 && s < len(t.sessions) {
		t.stop.next = t.sessions[s].judge.Spoken()
	}
}

// evidence gathers the scene, for o itself and for every violation. It is
// called when the verdict stands.
func (t *Trial) evidence(o *Outcome, own []Violation) {
	shown := o.Verdict == result.Weak || o.Verdict.Broken()
	rec := t.rec.Recording() // nil where nobody connected, for want of a server
	if t.rec == nil || !shown && (rec == nil || len(o.Violations) == 0) {
		return
	}
	scene := &Scene{Recording: rec}
	o.scene = scene
	scene.Contents = t.contents()
	scene.Transcript = t.wholeTranscript(o, len(own) == 0 && shown)
	switch {
	case shown && len(own) > 0:
		o.Evidence = &Evidence{Scene: scene, Place: t.placeOf(own[0]), Clause: own[0].Clause}
	case shown:
		o.Evidence = &Evidence{Scene: scene, Place: t.lastAnswer(o.Violations)}
	}
	for i, v := range o.Violations {
		o.Violations[i].Evidence = &Evidence{Scene: scene, Place: t.placeOf(v)}
	}
}

// placeOf is the message that broke a rule.
func (t *Trial) placeOf(v Violation) Place {
	p := Place{Conn: v.conn, Offset: v.Offset, Judged: true}
	for _, m := range t.sessions[v.conn].judge.Transcript().Messages {
		if m.Index == v.Message {
			p.Length = m.Length
		}
	}
	return p
}

// lastAnswer is what the server said last before the body ended.
func (t *Trial) lastAnswer(judged []Violation) Place {
	m, ok := t.lastMessage()
	if !ok {
		return Place{Conn: -1}
	}
	accused := slices.ContainsFunc(judged, func(v Violation) bool { return v.conn == t.stop.conn && v.Message == m.Index })
	return Place{Conn: t.stop.conn, Offset: m.Offset, Length: m.Length, Judged: accused}
}

func (t *Trial) lastMessage() (last judge.Message, ok bool) {
	if c := t.stop.conn; c >= 0 && c < len(t.sessions) {
		for _, m := range t.sessions[c].judge.Transcript().Messages {
			if m.Side == clause.Server && m.Index < t.stop.next {
				last, ok = m, true
			}
		}
	}
	return last, ok
}

// contents are the parts of what the server sent that are contents of the
// export, which may be others at another time.
func (t *Trial) contents() (list []recording.Range) {
	for i, s := range t.sessions {
		for _, m := range s.judge.Transcript().Messages {
			if head := judge.HeadOfData(m); head > 0 && m.Length > head {
				list = append(list, recording.Range{Conn: i, Start: m.Offset + int64(head), End: m.Offset + int64(m.Length)})
			}
		}
	}
	return list
}

// wholeTranscript is that of all connections. Where no violation marks a
// message, the last answer is marked by what the spec says of it.
func (t *Trial) wholeTranscript(o *Outcome, mark bool) string {
	_, found := t.lastMessage()
	var b strings.Builder
	for i, s := range t.sessions {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "== connection %d of %d\n", i+1, len(t.sessions))
		if mark && i == t.stop.conn {
			b.WriteString(t.marked(i, o))
		} else {
			b.WriteString(s.judge.Transcript().String())
		}
		if b.Len() > maxTranscript {
			fmt.Fprintf(&b, "(the other %d connections are left out)\n", len(t.sessions)-i-1)
			break
		}
	}
	if mark && !found {
		fmt.Fprintf(&b, "!! %s\n", o.Message)
	}
	return b.String()
}

// marked is the transcript of the connection on which the body ended. What the
// server said last by then is marked if the spec was not content.
func (t *Trial) marked(conn int, o *Outcome) string {
	text := t.sessions[conn].judge.Transcript()
	if last, ok := t.lastMessage(); ok && (o.Verdict == result.Weak || o.Verdict.Broken()) {
		first, _, _ := strings.Cut(o.Message, "\n")
		text.Mark(last.Index, "this does not do: "+first)
	}
	return text.String()
}
