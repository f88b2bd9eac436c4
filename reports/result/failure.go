package result

// A Failure is one expectation that was not met, or one reason why a spec could
// not be tried, as values. Its text is made by package render/words.
type Failure struct {
	// Clause is what was broken, where it is known: the clause that the judge
	// saw broken, or the main clause of the spec.
	Clause string `json:"clause,omitempty"`
	// Code names the expectation: [a-z0-9.-]. It never changes, and names a text.
	Code string `json:"code"`
	// About is what the spec says of the expectation, if it says more.
	About    *Statement `json:"about,omitempty"`
	Expected []Value    `json:"expected,omitempty"`
	Received []Value    `json:"received,omitempty"`
	// Exchange is all that was said, decoded, where the failure is about an answer.
	Exchange *Value `json:"exchange,omitempty"`
	Where    *Where `json:"where,omitempty"`
}

// A Statement is a code with the values that its text speaks of.
type Statement struct {
	Code   string  `json:"code"`
	Values []Value `json:"values,omitempty"`
}

// Where is the place of a failure.
type Where struct {
	Connection int    `json:"connection"`          // of the spec's, from 0; -1: on none
	Message    int    `json:"message"`             // of the connection's, from 0; -1: on none
	Offset     int64  `json:"offset"`              // of the message in what its side sent, bytes
	Export     string `json:"export,omitempty"`    // the export under test
	Operation  string `json:"operation,omitempty"` // the option or command, by its name
}

// Because is a reason with the values that its text speaks of.
func Because(code string, values ...any) Failure {
	return Failure{Code: code, Received: ValuesOf(values...)}
}
