package clause

// A Level is how strongly a statement binds.
type Level string

// The levels of RFC 2119 that the catalogue tells apart. REQUIRED and SHALL
// count as MUST, RECOMMENDED as SHOULD, OPTIONAL as MAY.
const (
	Must   Level = "MUST"   // MUST and MUST NOT
	Should Level = "SHOULD" // SHOULD and SHOULD NOT
	May    Level = "MAY"
)

// A Side is whom a statement binds.
type Side string

// The sides of a conversation.
const (
	Server Side = "server"
	Client Side = "client"
	Both   Side = "both"
)

// An ID names a clause for good: hierarchical, of [a-z0-9.-] only, never
// renumbered and never used again for something else.
type ID string

// A Clause is one normative statement.
type Clause struct {
	ID       ID     `yaml:"id"`
	Level    Level  `yaml:"level"`
	Side     Side   `yaml:"side"`
	Document string `yaml:"document"` // "proto", "extended-headers", "resize", "qemu", "uri" or a proposal's name; set from the file
	Topic    Topic  `yaml:"-"`        // the part of the protocol that it is about
	Section  string `yaml:"section"`  // heading, or the constant's name, under which the statement stands
	Requires string `yaml:"requires"` // the statement in our words, one sentence
	// Sentences are the fingerprints of the sentences of the document that say so.
	Sentences []string `yaml:"sentences"`
	// Restated are the fingerprints of sentences that say the same in other
	// documents, by document.
	Restated map[string][]string `yaml:"-"`
	// Described says that the document states it without a key word of RFC 2119:
	// a magic number, a message's layout, the meaning of a value.
	Described bool `yaml:"described,omitempty"`
	// Error is the error value that the clause is about, by the specification's
	// name, or "".
	Error      string `yaml:"error,omitempty"`
	Untestable string `yaml:"untestable,omitempty"` // why no spec can tell
	Disputed   string `yaml:"disputed,omitempty"`   // both readings, and why neither is certain
}

// A Topic is the part of the protocol that a clause is about. The catalogue
// gives it with the first part of the id.
type Topic string

// The topics that decide about more than a place in a report.
const (
	Baseline        Topic = "baseline" // what any server and client need to get anywhere
	SizeConstraints Topic = "size"     // block sizes and payload sizes
)
