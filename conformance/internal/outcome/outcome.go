// Package outcome is what comes of one spec, with what there is to show for it.
package outcome

import (
	"nbdconform/conformance/clause"
	"nbdconform/conformance/judge"
	"nbdconform/reports/recording"
	"nbdconform/reports/render/words"
	"nbdconform/reports/result"
)

// An Outcome is what came of one spec.
type Outcome struct {
	Verdict      result.Verdict
	Failures     []result.Failure // why, for anything but a pass; what decided comes first
	BlockedBy    string           // clause or spec whose failure prevents this one, for result.Blocked
	Exit, Stderr string           // how the program ended and what it last wrote, for result.Crash and result.Hang
	Transcript   string           // of the conversation that mattered
	Marks        []result.Mark    // the lines of Transcript that matter
	Observations []result.Observation
	// Violations are the clauses that the judge saw the subject break on any of
	// the spec's connections, and Kept those that came up and were kept.
	Violations []Violation
	Kept       []clause.ID
	Evidence   *Evidence // for a verdict that the subject is to blame for, if evidence is kept
}

// Message is why, in words.
func (o Outcome) Message() string { return words.Message(o.Failures) }

// Explain puts a failure before the others: it is what decided.
func (o *Outcome) Explain(f result.Failure) {
	o.Failures = append([]result.Failure{f}, o.Failures...)
}

// A Violation is a clause that the subject broke while a spec ran.
type Violation struct {
	judge.Violation
	Spec       string
	Connection int // of the spec's, from 0
	Transcript string
	Marks      []result.Mark
	Evidence   *Evidence // if evidence is kept
}

// A Scene is what there is to show of a spec that did not end well.
type Scene struct {
	Recording  *recording.Recording // every byte of every connection, within limits
	Transcript string               // of all connections
	Contents   []recording.Range    // where the server sent contents of the export
	State      string               // of the program afterwards
	Exit       string               // how the program ended
	Stderr     string               // the end of what the program wrote
	Served     bool                 // a connection was served afterwards
	Task       *Task                // of the program, if a client is under test
}

// A Task is what a client program was asked to do.
type Task struct {
	Operation string
	Argv      []string // empty if the program is no program of its own
	Dir       string   // has the server's socket, named "s", and the files
	Export    string
	Input     []byte // of the file "in", if there is one
	Wrote     string // the file "out", as SHA-256 in hex; "": there is none
	End       string // how the program ended
	Cookies   []recording.Cookie
}

// Evidence is a scene with the message that matters.
type Evidence struct {
	*Scene
	Place  Place
	Clause clause.ID // that the judge saw broken there, which decided; "": the spec's own
}

// A Place is a message of the subject.
type Place struct {
	Conn   int    // connection, from 0; -1: no message
	Offset int64  // in what the subject sent on it, bytes
	Length uint64 // 0: what matters is that nothing came, or that the connection ended there
	Judged bool   // the judge saw the message as such break a clause
}
