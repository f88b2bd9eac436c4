// Package result is the form in which a run is written down: result.json.
//
// The package knows nothing of how the specs ran. Everything that shows a run
// to a person or a program (package render) reads these values and nothing else.
//
// [Write] and [Read] are the only doors: both hold the document against
// result.schema.json and against what a schema can't say, so that a file that
// was written can be read, and a file that was read can be believed.
package result

import "time"

// SchemaVersion is the version of result.json. The first number changes when a
// reader of the older form would misread the newer one.
const SchemaVersion = "2.0"

// FormerVersion is a version that is read as well. Its results have no failures
// as values, and signatures that were made from messages: see [Result.Former].
const FormerVersion = "1.0"

// A Verdict is the outcome of one spec.
type Verdict string

// The verdicts. Only Fail, Crash and Hang make a server not conforming; Error
// and Inconclusive say that the run itself can't be trusted there.
const (
	Pass         Verdict = "pass"
	Warning      Verdict = "warning"      // a SHOULD was broken, or a clause that is disputed
	Fail         Verdict = "fail"         // a MUST was broken
	Unsupported  Verdict = "unsupported"  // neither declared nor advertised
	Skipped      Verdict = "skipped"      // the user's configuration
	Blocked      Verdict = "blocked"      // by another failure, which Message names
	Crash        Verdict = "crash"        // the server died
	Hang         Verdict = "hang"         // the server stopped answering
	Inconclusive Verdict = "inconclusive" // neither shown nor refuted
	Error        Verdict = "error"        // ours: the harness
)

// Verdicts lists every verdict in the order in which reports show them.
var Verdicts = []Verdict{Pass, Warning, Fail, Crash, Hang, Blocked, Unsupported, Skipped, Inconclusive, Error}

// A Result is one run of the suite against one target.
type Result struct {
	SchemaVersion string          `json:"schemaVersion"`
	Suite         Suite           `json:"suite"`
	Document      Document        `json:"document"`
	Target        Target          `json:"target"`
	Started       time.Time       `json:"started"`
	Seconds       float64         `json:"seconds"`
	EndedEarly    string          `json:"endedEarly,omitempty"` // why not every spec was tried, or ""
	Summary       map[Verdict]int `json:"summary"`              // every verdict is present, zero or not
	Specs         []Spec          `json:"specs"`
	Observations  []Observation   `json:"observations"` // where the document is silent
	Reproduce     string          `json:"reproduce"`    // the command that runs all of this again
}

// Suite is the suite that ran.
type Suite struct {
	Name    string `json:"name"` // "nbdconform"
	Version string `json:"version"`
	Filter  string `json:"filter,omitempty"` // the --filter of the run
	Seed    int64  `json:"seed"`
}

// Document is the revision of the protocol document that the verdicts go by.
type Document struct {
	Name     string `json:"name"`
	Revision string `json:"revision"`
}

// Target is what was tested.
type Target struct {
	Name     string   `json:"name"`
	Provider string   `json:"provider"` // "in-process", "container", "local" or "uri"
	Release  string   `json:"suite,omitempty"`
	Version  string   `json:"version,omitempty"`
	Image    string   `json:"image,omitempty"` // digest
	Command  []string `json:"command,omitempty"`
	Profile  string   `json:"profile,omitempty"`
	Export   string   `json:"export"`
	Size     uint64   `json:"size"`
	// Advertised names what the server said it can do, Declared what the target's profile promises.
	Advertised []string `json:"advertised"`
	Declared   []string `json:"declared,omitempty"`
}

// JudgeGroup is the group of lines that are no specs, but what the judge saw
// on the connections of all.
const JudgeGroup = "judge"

// JudgePrefix opens the id of such a line, before the id of its clause.
const JudgePrefix = JudgeGroup + "."

// A Spec is the outcome of one spec.
type Spec struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`  // a sentence: subject and predicate
	Group   string   `json:"group"` // the part of the protocol that it belongs to
	Clauses []string `json:"clauses"`
	Level   string   `json:"level"` // MUST, SHOULD or MAY
	Verdict Verdict  `json:"verdict"`
	Message string   `json:"message"` // why, for anything but a pass: Failures in words
	Seconds float64  `json:"seconds"`

	Failures []Failure `json:"failures,omitempty"` // why, for anything but a pass; what decided comes first

	Signature  string   `json:"signature,omitempty"`  // the kind of trouble, the same in every run that meets it; see SignatureOf
	Requires   string   `json:"requires,omitempty"`   // the requirement of the clause, in words
	Section    string   `json:"section,omitempty"`    // where the document says so
	Needs      []string `json:"needs,omitempty"`      // the features without which it can't be tried
	Location   string   `json:"location,omitempty"`   // file and line of the spec
	Reproduce  string   `json:"reproduce,omitempty"`  // the command that runs this spec alone
	Transcript string   `json:"transcript,omitempty"` // the conversation, decoded
	Marks      []Mark   `json:"marks,omitempty"`      // the lines of the transcript that matter, in their order
	Exit       string   `json:"exit,omitempty"`       // how the target ended, for a crash
	Stderr     string   `json:"stderr,omitempty"`     // the end of what the target wrote meanwhile
	Evidence   string   `json:"evidence,omitempty"`   // directory of the evidence, relative to the result's
	BlockedBy  string   `json:"blockedBy,omitempty"`  // id of the spec, or clause, that stands in the way
}

// A Mark is a line of a transcript that says what is wrong with the message
// above it.
type Mark struct {
	Line   int    `json:"line"`             // from 1
	Clause string `json:"clause,omitempty"` // that the judge saw broken; "": the expectation of the spec
}

// An Observation is something that the document leaves open, and what this target does.
type Observation struct {
	Spec  string `json:"spec"`
	Topic string `json:"topic"`
	Value string `json:"value"`
}
