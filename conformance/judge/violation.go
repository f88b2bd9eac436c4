package judge

import (
	"errors"
	"fmt"

	"nbdconform/conformance/clause"
	"nbdconform/reference/wire"
	"nbdconform/reports/render/words"
	"nbdconform/reports/result"
)

// A Violation is one clause that one side broke.
type Violation struct {
	Clause   clause.ID
	Side     clause.Side // who broke it
	Offset   int64       // where the offending message starts in that side's stream, bytes
	Message  int         // Index of the offending message in the Transcript
	Code     string      // the expectation that was not met, in [words.Catalogue]
	Received []result.Value
	Expected []result.Value
}

// Failure is v as reports keep it. The connection in it is 0: the judge knows
// of one only.
func (v Violation) Failure() result.Failure {
	return result.Failure{
		Clause: string(v.Clause), Code: v.Code, Received: v.Received, Expected: v.Expected,
		Where: &result.Where{Message: v.Message, Offset: v.Offset},
	}
}

func (v Violation) String() string {
	return fmt.Sprintf("%s breaks %s at byte %d: %s", v.Side, v.Clause, v.Offset, words.Failure(v.Failure()))
}

// A place is a message of one side, as something to point at.
type place struct {
	side   clause.Side
	offset int64
	msg    int
}

// here is the message that s is at.
func (s *stream) here() place { return place{s.side, s.start, s.msg} }

// An allowed is a value that the specification allows, where others are values
// that were received.
type allowed struct{ value any }

// expect marks a value of a violation as one that is allowed.
func expect(v any) allowed { return allowed{v} }

// accuse records that the side which sent the message at p broke c: the
// expectation named code was not met. The values are those that its text speaks
// of, with what is allowed last and marked by expect.
func (j *Judge) accuse(p place, c check, code string, values ...any) {
	j.broken(c, false)
	row := table[c]
	if row.must {
		j.broke[sideIndex(p.side)] = true
	}
	j.log.pin(p.msg)
	if len(j.violations) >= maxViolations {
		j.more++
		return
	}
	v := Violation{Clause: row.id, Side: p.side, Offset: p.offset, Message: p.msg, Code: code}
	for _, value := range values {
		if e, ok := value.(allowed); ok {
			v.Expected = append(v.Expected, valueOf(e.value))
		} else {
			v.Received = append(v.Received, valueOf(value))
		}
	}
	j.violations = append(j.violations, v)
}

// valueOf makes a value of what a violation speaks of.
func valueOf(v any) result.Value {
	switch v := v.(type) {
	case wire.Request:
		return result.Term("request", v.Type, v.Flags, v.Cookie, v.Offset, v.Length)
	case []wire.Info:
		infos := make([]result.Value, len(v))
		for i, info := range v {
			infos[i] = result.Term("information", info.Type, info.Payload)
		}
		return result.ValueOf(infos)
	case error:
		var f *wire.FormatError
		if errors.As(v, &f) {
			return formatError(f)
		}
	}
	return result.ValueOf(v)
}

// formatError keeps the clause apart from what the parser says.
func formatError(f *wire.FormatError) result.Value {
	if f.Clause == "" {
		return result.Text(f.Detail)
	}
	return result.Term("format-error", f.Clause, result.Text(f.Detail))
}
