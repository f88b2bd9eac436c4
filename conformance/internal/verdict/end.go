package verdict

import (
	"fmt"
	"runtime/debug"

	"nbdconform/reports/result"
)

// An End is how the body of a spec ended before its last line. It travels as a
// panic from the functions below to [Try].
type End struct {
	Verdict   result.Verdict // Fail, Blocked, Unsupported, Inconclusive or Error
	Failure   result.Failure // what was not met, or why the spec could not go on
	BlockedBy string         // the clause or spec whose failure prevents this one, for Blocked
}

// Fail ends the spec: the subject broke what the spec is about.
func Fail(f result.Failure) { panic(End{Verdict: result.Fail, Failure: f}) }

// Blocked ends the spec because another failure, named by its clause or spec,
// prevents it.
func Blocked(by, code string, values ...any) {
	panic(End{Verdict: result.Blocked, BlockedBy: by, Failure: result.Because(code, values...)})
}

// Unsupported ends the spec because the subject lacks what it is about.
func Unsupported(code string, values ...any) {
	panic(End{Verdict: result.Unsupported, Failure: result.Because(code, values...)})
}

// Inconclusive ends the spec with nothing shown and nothing refuted.
func Inconclusive(code string, values ...any) {
	panic(End{Verdict: result.Inconclusive, Failure: result.Because(code, values...)})
}

// Harness ends the spec because the suite itself is at fault.
func Harness(code string, values ...any) {
	panic(End{Verdict: result.Error, Failure: result.Because("harness", result.Term(code, values...))})
}

// Try runs f and returns how one of the functions above ended it, or nil if it
// ran to its last line. Any other panic is a fault of the suite.
func Try(f func()) (end *End) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case End:
			end = &r
		default:
			end = &End{
				Verdict: result.Error,
				Failure: result.Because("harness.panic", result.Text(fmt.Sprint(r)), result.Text(string(debug.Stack()))),
			}
		}
	}()
	f()
	return nil
}
