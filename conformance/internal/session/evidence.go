package session

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"nbdconform/conformance/clause"
	"nbdconform/conformance/internal/outcome"
	"nbdconform/conformance/internal/verdict"
	"nbdconform/conformance/judge"
	"nbdconform/reports/recording"
	"nbdconform/reports/render/words"
	"nbdconform/reports/result"
)

// maxTranscript bounds the transcript of all connections, in bytes.
const maxTranscript = 1 << 20

func (b *Server) recorder() *recording.Recorder {
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
func (t *attempt) stopped() {
	t.stop.conn = t.rec.Last()
	if s := t.stop.conn; s >= 0 && s < len(t.sessions) {
		t.stop.next = t.sessions[s].judge.Spoken()
	}
}

// Gather implements [runner.Attempt].
func (t *attempt) Gather(o *outcome.Outcome) {
	o.Observations = t.observations
	broken := map[clause.ID]bool{}
	for i, s := range t.sessions {
		for _, v := range s.judge.Violations() {
			if v.Side == clause.Server {
				broken[v.Clause] = true
				text, marks := s.judge.Transcript().Shown()
				o.Violations = append(o.Violations, outcome.Violation{
					Violation: v, Spec: t.spec.ID, Connection: i, Transcript: text, Marks: marks,
				})
			}
		}
	}
	for _, s := range t.sessions {
		for _, c := range s.judge.Exercised() {
			if !broken[c] && !slices.Contains(o.Kept, c) {
				o.Kept = append(o.Kept, c)
			}
		}
	}
}

// Show implements [runner.Attempt].
func (t *attempt) Show(o *outcome.Outcome) {
	var own []outcome.Violation
	for _, v := range o.Violations {
		if slices.Contains(t.spec.Clauses, v.Clause) {
			own = append(own, v)
		}
	}
	if o.Verdict != result.Pass {
		o.Transcript, o.Marks = t.transcript(o, own)
	}
	t.evidence(o, own)
}

// failure is what the judge saw on a connection, with its place.
func (t *attempt) failure(conn int, v judge.Violation) result.Failure {
	f := v.Failure()
	f.Where = &result.Where{
		Connection: conn, Message: v.Message, Offset: v.Offset, Export: t.server.Facts.Export,
		Operation: t.sessions[conn].judge.Transcript().Operation(v.Message),
	}
	return f
}

// ended is how the body ended early, with the place of what the server sent last.
func (t *attempt) ended() *verdict.End {
	if t.end == nil || t.end.Failure.Where != nil {
		return t.end
	}
	end := *t.end
	end.Failure.Where = &result.Where{Connection: -1, Message: -1, Export: t.server.Facts.Export}
	w := end.Failure.Where
	switch m, ok := t.lastMessage(); {
	case ok:
		w.Connection, w.Message, w.Offset = t.stop.conn, m.Index, m.Offset
		w.Operation = t.sessions[t.stop.conn].judge.Transcript().Operation(t.stop.next)
	case len(t.sessions) > 0: // nothing was recorded
		w.Connection = len(t.sessions) - 1
		w.Operation = t.sessions[w.Connection].judge.Transcript().Operation(math.MaxInt)
	}
	return &end
}

// evidence gathers the scene, for o itself and for every violation. It is
// called when the verdict stands.
func (t *attempt) evidence(o *outcome.Outcome, own []outcome.Violation) {
	shown := o.Verdict == result.Warning || o.Verdict.Broken()
	rec := t.rec.Recording() // nil where nobody connected, for want of a server
	if t.rec == nil || !shown && (rec == nil || len(o.Violations) == 0) {
		return
	}
	scene := &outcome.Scene{Recording: rec}
	t.scene = scene
	scene.Contents = t.contents()
	scene.Transcript = t.wholeTranscript(o, len(own) == 0 && shown)
	switch {
	case shown && len(own) > 0:
		o.Evidence = &outcome.Evidence{Scene: scene, Place: t.placeOf(own[0]), Clause: own[0].Clause}
	case shown:
		o.Evidence = &outcome.Evidence{Scene: scene, Place: t.lastAnswer(o.Violations)}
	}
	for i, v := range o.Violations {
		o.Violations[i].Evidence = &outcome.Evidence{Scene: scene, Place: t.placeOf(v)}
	}
}

// placeOf is the message that broke a rule.
func (t *attempt) placeOf(v outcome.Violation) outcome.Place {
	p := outcome.Place{Conn: v.Connection, Offset: v.Offset, Judged: true}
	for _, m := range t.sessions[v.Connection].judge.Transcript().Messages {
		if m.Index == v.Message {
			p.Length = m.Length
		}
	}
	return p
}

// lastAnswer is what the server said last before the body ended.
func (t *attempt) lastAnswer(judged []outcome.Violation) outcome.Place {
	m, ok := t.lastMessage()
	if !ok {
		return outcome.Place{Conn: -1}
	}
	accused := slices.ContainsFunc(judged, func(v outcome.Violation) bool { return v.Connection == t.stop.conn && v.Message == m.Index })
	return outcome.Place{Conn: t.stop.conn, Offset: m.Offset, Length: m.Length, Judged: accused}
}

func (t *attempt) lastMessage() (last judge.Message, ok bool) {
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
func (t *attempt) contents() (list []recording.Range) {
	for i, s := range t.sessions {
		for _, m := range s.judge.Transcript().Messages {
			if head := m.BeforeContents(); head > 0 && m.Length > head {
				list = append(list, recording.Range{Conn: i, Start: m.Offset + int64(head), End: m.Offset + int64(m.Length)})
			}
		}
	}
	return list
}

// wholeTranscript is that of all connections. Where no violation marks a
// message, the last answer is marked by what the spec says of it.
func (t *attempt) wholeTranscript(o *outcome.Outcome, mark bool) string {
	_, found := t.lastMessage()
	var b strings.Builder
	for i, s := range t.sessions {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "== connection %d of %d\n", i+1, len(t.sessions))
		if mark && i == t.stop.conn {
			text, _ := t.marked(i, o)
			b.WriteString(text)
		} else {
			b.WriteString(s.judge.Transcript().String())
		}
		if b.Len() > maxTranscript {
			fmt.Fprintf(&b, "(the other %d connections are left out)\n", len(t.sessions)-i-1)
			break
		}
	}
	if mark && !found {
		fmt.Fprintf(&b, "!! %s\n", words.Message(o.Failures))
	}
	return b.String()
}

// marked is the transcript of the connection on which the body ended. What the
// server said last by then is marked if the spec was not content.
func (t *attempt) marked(conn int, o *outcome.Outcome) (string, []result.Mark) {
	text := t.sessions[conn].judge.Transcript()
	if last, ok := t.lastMessage(); ok && (o.Verdict == result.Warning || o.Verdict.Broken()) {
		first, _, _ := strings.Cut(words.Message(o.Failures), "\n")
		text.Mark(last.Index, words.Phrase(result.Term("mark.server", result.Text(first))))
	}
	return text.Shown()
}

// transcript is that of the conversation that mattered: where the clause was
// broken, or the body ended, else the last in which anything was said.
func (t *attempt) transcript(o *outcome.Outcome, own []outcome.Violation) (string, []result.Mark) {
	if len(own) > 0 {
		return t.sessions[own[0].Connection].judge.Transcript().Shown()
	}
	if c := t.stop.conn; c >= 0 && c < len(t.sessions) {
		return t.marked(c, o)
	}
	for _, s := range slices.Backward(t.sessions) {
		if text, marks := s.judge.Transcript().Shown(); text != "" {
			return text, marks
		}
	}
	return "", nil
}
