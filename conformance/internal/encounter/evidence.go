package encounter

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"nbdconform/conformance/clause"
	"nbdconform/conformance/internal/outcome"
	"nbdconform/conformance/judge"
	"nbdconform/conformance/subject"
	"nbdconform/reports/recording"
	"nbdconform/reports/render/words"
	"nbdconform/reports/result"
)

// evidence is what there is to show for an outcome: the visit in which the
// client broke a rule of the spec's, or the last one.
func (t *attempt) evidence(o *outcome.Outcome) {
	if len(t.visits) == 0 {
		return
	}
	v := t.visits[len(t.visits)-1]
	for _, c := range slices.Backward(v.Conns) {
		if text, marks := c.Judge.Transcript().Shown(); text != "" {
			o.Transcript, o.Marks = text, marks
			break
		}
	}
	o.Exit = v.Report.Exit
	o.Stderr = strings.TrimSpace(fmt.Sprintf("$ %s\n%s%s", strings.Join(v.Report.Argv, " "), v.Report.Stdout, v.Report.Stderr))
	own := slices.IndexFunc(o.Violations, func(v outcome.Violation) bool { return slices.Contains(t.spec.Clauses, v.Clause) })
	switch {
	case o.Verdict != result.Warning && !o.Verdict.Broken():
	case own >= 0:
		o.Evidence = o.Violations[own].Evidence
	default:
		o.Evidence = v.discontent(o.Message())
	}
}

// offence is the evidence for a message that the judge holds against the client.
func (v *Visit) offence(conn int, w judge.Violation) *outcome.Evidence {
	if v.rec == nil {
		return nil
	}
	place := outcome.Place{Conn: conn, Offset: v.Conns[conn].watched.recorded(w.Side, w.Offset), Judged: true}
	for _, m := range v.Conns[conn].Judge.Transcript().Messages {
		if m.Index == w.Message {
			place.Length = m.Length
		}
	}
	if v.plain == nil {
		v.plain = v.scene(-1, "")
	}
	return &outcome.Evidence{Scene: v.plain, Place: place, Clause: w.Clause}
}

// discontent is the evidence for what a spec was not content with: the last
// message of the client's is marked.
func (v *Visit) discontent(message string) *outcome.Evidence {
	if v.rec == nil {
		return nil
	}
	i, m := v.last()
	if i < 0 {
		return &outcome.Evidence{Scene: v.scene(-1, message), Place: outcome.Place{Conn: -1}}
	}
	place := outcome.Place{Conn: i, Offset: v.Conns[i].watched.recorded(m.Side, m.Offset), Length: m.Length}
	return &outcome.Evidence{Scene: v.scene(i, message), Place: place}
}

// last is the last message of the client on the last connection that has one,
// and the connection's number: -1 where there is none.
func (v *Visit) last() (conn int, m judge.Message) {
	for i, c := range slices.Backward(v.Conns) {
		for _, m := range slices.Backward(c.Judge.Transcript().Messages) {
			if m.Side == clause.Client && m.Length > 0 {
				return i, m
			}
		}
	}
	return -1, judge.Message{}
}

// where is the place of what a spec found wrong with the visit.
func (v *Visit) where() *result.Where {
	w := &result.Where{Connection: -1, Message: -1, Export: v.task.Server.Export, Operation: string(v.Operation)}
	if i, m := v.last(); i >= 0 {
		w.Connection, w.Message, w.Offset = i, m.Index, m.Offset
	}
	return w
}

// scene is what there is to show of a visit. The last message of the client's
// on connection marked, unless it is -1, has the message beside it.
func (v *Visit) scene(marked int, message string) *outcome.Scene {
	s := &outcome.Scene{
		Recording: v.rec.Recording(), State: "exited", Exit: v.ended(), Stderr: v.Report.Stderr,
		Task: v.told(),
	}
	first, _, _ := strings.Cut(message, "\n")
	var b strings.Builder
	for i, c := range v.Conns {
		fmt.Fprintf(&b, "== connection %d of %d\n", i+1, len(v.Conns))
		t := c.Judge.Transcript()
		if _, m := v.last(); i == marked {
			t.Mark(m.Index, words.Phrase(result.Term("mark.client", result.Text(first))))
		}
		b.WriteString(t.String() + "\n")
	}
	fmt.Fprintf(&b, "== the program, asked for %s\n$ %s\n%s\n", v.Operation, strings.Join(v.Report.Argv, " "), v.Report.Stdout)
	fmt.Fprintf(&b, "-- its end: %s\n", v.ended())
	if marked < 0 && first != "" {
		fmt.Fprintf(&b, "!! %s\n", first)
	}
	s.Transcript = b.String()
	return s
}

// told is what it takes to send the program there again.
func (v *Visit) told() *outcome.Task {
	e := &outcome.Task{Operation: string(v.Operation), Argv: v.Report.Argv, Dir: v.dir, Export: v.task.Server.Export, End: v.ended()}
	switch {
	case v.Operation == subject.CopyIn || v.Operation == subject.Compare:
		e.Input = v.file
	case v.Operation == subject.CopyOut && !v.missing:
		sum := sha256.Sum256(v.file)
		e.Wrote = hex.EncodeToString(sum[:])
	}
	for i, c := range v.Conns {
		for _, m := range c.Judge.Transcript().Messages {
			if _, ok := m.Cookie(); ok {
				at := c.watched.recorded(m.Side, m.Offset)
				e.Cookies = append(e.Cookies, recording.Cookie{Conn: i, Client: m.Side == clause.Client, Offset: at + judge.CookieAt})
			}
		}
	}
	return e
}

// ended says how the program ended.
func (v *Visit) ended() string {
	r := v.Report
	switch {
	case r.Hung:
		return "not in time"
	case r.Killed != "":
		return "a signal"
	}
	return cmp.Or(r.Exit, "exit status 0")
}
