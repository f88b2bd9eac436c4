package trial

import (
	"fmt"
	"runtime/debug"
	"strings"

	"nbdconform/conformance/clause"
	"nbdconform/conformance/judge"
	"nbdconform/reports/result"
)

// An Outcome is what came of one spec.
type Outcome struct {
	Verdict      result.Verdict
	Message      string // why, for anything but a pass
	BlockedBy    string // clause or spec that stands in the way, for result.Blocked
	Exit, Stderr string // how the target ended and what it last wrote, for result.Crash and result.Hang
	Transcript   string // of the conversation that mattered
	Observations []result.Observation
	// Violations are what the judge holds against the server on any of the
	// spec's connections, and Kept the clauses that came up and were kept.
	Violations []Violation
	Evidence   *Evidence // for a verdict that the server is to blame for, if the bench records
	scene      *Scene
	Kept       []clause.ID
}

// A Violation is a clause that the server broke while a spec was tried.
type Violation struct {
	judge.Violation
	Spec       string
	Transcript string
	Evidence   *Evidence // if the bench records
	conn       int       // number of the connection
}

// An abort ends the body of a spec. It travels as a panic.
type abort struct {
	verdict   result.Verdict
	message   string
	blockedBy string
	location  string
}

// FailHandler ends the spec: the server broke what the spec is about. It is the fail
// handler of Gomega; skip counts stack frames above the caller.
func FailHandler(message string, skip ...int) {
	n := 1
	if len(skip) > 0 {
		n += skip[0]
	}
	panic(abort{verdict: result.Fail, message: message, location: location(n + 1)})
}

// Blocked ends the spec because something else, named by a clause or a spec, is
// broken and stands in its way.
func Blocked(by, format string, args ...any) {
	panic(abort{verdict: result.Blocked, blockedBy: by, message: fmt.Sprintf(format, args...)})
}

// Unsupported ends the spec because the server turned out not to have what it is about.
func Unsupported(format string, args ...any) {
	panic(abort{verdict: result.Unsupported, message: fmt.Sprintf(format, args...)})
}

// Inconclusive ends the spec with nothing shown and nothing refuted.
func Inconclusive(format string, args ...any) {
	panic(abort{verdict: result.Inconclusive, message: fmt.Sprintf(format, args...)})
}

// harness ends the spec because the suite itself is at fault.
func harness(format string, args ...any) {
	panic(abort{verdict: result.Error, message: "harness: " + fmt.Sprintf(format, args...)})
}

func join(parts ...string) string {
	kept := parts[:0]
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, "\n")
}

// Try runs f and returns how it was ended early, by a failed expectation or one
// of the functions above, or nil if it ran to its end.
func Try(f func()) (o *Outcome) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case abort:
			o = &Outcome{Verdict: r.verdict, Message: r.message, BlockedBy: r.blockedBy}
		default:
			o = &Outcome{Verdict: result.Error, Message: fmt.Sprintf("harness: %v\n%s", r, debug.Stack())}
		}
	}()
	f()
	return nil
}

// Harness ends the spec because the suite itself is at fault.
func Harness(format string, args ...any) { harness(format, args...) }
