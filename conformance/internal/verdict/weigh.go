package verdict

import (
	"slices"

	"nbdconform/conformance/clause"
	"nbdconform/reports/result"
)

// Seen is what there is to weigh after one spec. The subject is the server or
// client under test, the suite is the other side of the conversation.
type Seen struct {
	Level    clause.Level
	Clauses  []clause.ID // what the spec judges; the first is the main one
	Disputed string      // why the clause that decides is disputed, or ""

	End    *End             // how the body ended early; nil: it ran to its last line
	Own    []result.Failure // clauses of the spec that the judge saw the subject break
	Others int              // how many other clauses it saw the subject break

	// What the suite did on its side of the conversation.
	Stray []result.Failure // clauses that it broke unannounced
	Kept  []clause.ID      // clauses that it announced to break, and kept
	// Misled is why the suite could not do better, as far as the subject is to
	// blame: Blocked or Unsupported. Nil leaves the blame with the suite.
	Misled *End

	Killed    *result.Failure // a signal ended the program under test
	Hung      *result.Failure // the program under test did not exit in time
	Silent    *result.Failure // an answer did not come in time
	Exhausted *result.Failure // the time of the spec ended before that of an answer
	Excuse    *result.Failure // the environment explains every error that the subject returned
	Cramped   *result.Failure // the subject takes shorter payloads than the spec needs
	Derailed  clause.ID       // the violation after which the conversation can't be followed, or ""
}

// A Decision is the verdict on one spec.
type Decision struct {
	Verdict   result.Verdict
	Failures  []result.Failure // what decided comes first; none for Pass
	BlockedBy string           // the clause or spec whose failure prevents this one, for Blocked
}

// Weigh decides what a spec showed. The first rule that applies decides:
//
//  1. an error of the suite, and a program that was killed
//  2. a clause of the spec that the judge saw broken
//  3. what excuses the subject: its limits, its environment, the spec's time
//  4. how the body ended, where silence makes a hang of it, and a conversation
//     that can't be followed any further a consequence of what broke it
//  5. what the suite did on its own side
//
// A failure of a SHOULD, or of a disputed clause, is a warning.
func Weigh(s Seen) Decision {
	d := weigh(s)
	if d.Verdict != result.Fail {
		return d
	}
	if s.Level == clause.Should {
		d.Verdict = result.Warning
	}
	if s.Disputed != "" {
		d.Verdict = result.Warning
		d.Failures = append(d.Failures, result.Because("disputed", result.Text(s.Disputed)))
	}
	return d
}

func weigh(s Seen) Decision {
	end := s.End
	if end != nil && end.Verdict == result.Blocked && slices.Contains(s.Clauses, clause.ID(end.BlockedBy)) {
		end = &End{Verdict: result.Fail, Failure: end.Failure} // what prevents it is what the spec is about
	}
	judged := end != nil && (end.Verdict == result.Fail || end.Verdict == result.Blocked)
	silent := s.Silent
	if s.Hung != nil {
		silent = s.Hung
	}
	switch {
	case end != nil && end.Verdict == result.Error:
		return because(result.Error, &end.Failure)
	case s.Killed != nil:
		return because(result.Crash, s.Killed)
	case len(s.Own) > 0 && end == nil:
		return because(result.Fail, &s.Own[0])
	case len(s.Own) > 0:
		return because(result.Fail, &s.Own[0], &end.Failure)
	case judged && s.Cramped != nil:
		return because(result.Unsupported, s.Cramped)
	case end != nil && s.Excuse != nil:
		return because(result.Inconclusive, s.Excuse, &end.Failure)
	case end != nil && s.Exhausted != nil:
		return because(result.Inconclusive, s.Exhausted, &end.Failure)
	case judged && silent != nil:
		return because(result.Hang, silent, &end.Failure)
	case end != nil && end.Verdict == result.Fail && s.Derailed != "":
		d := because(result.Blocked, &result.Failure{Code: "derailed", Received: result.ValuesOf(string(s.Derailed))}, &end.Failure)
		d.BlockedBy = string(s.Derailed)
		return d
	case end != nil:
		d := because(end.Verdict, &end.Failure)
		d.BlockedBy = end.BlockedBy
		return d
	case s.Hung != nil:
		return because(result.Hang, s.Hung)
	case s.Others > 0: // a subject that breaks a rule frees its peer of some
		return Decision{Verdict: result.Pass}
	case len(s.Stray) > 0 && s.Silent != nil:
		return because(result.Hang, s.Silent) // without an answer no session can be ended in order
	case len(s.Stray) > 0:
		return blame(s, result.Failure{Code: "harness.stray", Received: result.ValuesOf(s.Stray[0].Clause, Term(s.Stray[0]))})
	case len(s.Kept) > 0:
		return blame(s, result.Failure{Code: "harness.kept", Received: result.ValuesOf(string(s.Kept[0]))})
	}
	return Decision{Verdict: result.Pass}
}

// blame decides who is at fault for what the suite did on its own side.
func blame(s Seen, what result.Failure) Decision {
	if s.Misled == nil {
		return because(result.Error, &what)
	}
	d := because(s.Misled.Verdict, &s.Misled.Failure, &what)
	d.BlockedBy = s.Misled.BlockedBy
	return d
}

func because(v result.Verdict, list ...*result.Failure) Decision {
	d := Decision{Verdict: v}
	for _, f := range list {
		d.Failures = append(d.Failures, *f)
	}
	return d
}

// Misbehaved is the clause that the suite has to answer for: one that it broke
// unannounced, or announced to break and kept. It is "" where there is none.
func (s Seen) Misbehaved() clause.ID {
	switch {
	case len(s.Stray) > 0:
		return clause.ID(s.Stray[0].Clause)
	case len(s.Kept) > 0:
		return s.Kept[0]
	}
	return ""
}

// Term is a failure as a value of another one.
func Term(f result.Failure) result.Value { return result.Term(f.Code, anys(f)...) }

func anys(f result.Failure) (list []any) {
	for _, v := range slices.Concat(f.Received, f.Expected) {
		list = append(list, v)
	}
	return list
}
