package expect

import (
	"fmt"
	"slices"

	"github.com/onsi/gomega/types"

	"nbdconform/conformance/internal/verdict"
	"nbdconform/reports/render/words"
	"nbdconform/reports/result"
)

// A Matcher is a matcher of Gomega that also says as values what it expects and
// what it found.
type Matcher interface {
	types.GomegaMatcher
	// Failure is what was not met; Match has returned false for actual.
	Failure(actual any) result.Failure
	// NegatedFailure is what was not met; Match has returned true for actual.
	NegatedFailure(actual any) result.Failure
}

// An Assertion is an actual value of which something is expected.
type Assertion struct{ actual any }

// Expect starts an expectation.
func Expect(actual any) Assertion { return Assertion{actual} }

// To ends the spec as failed unless m matches. about is a code and its values:
// what the spec says of the expectation beside m.
func (a Assertion) To(m Matcher, about ...any) {
	if !a.matches(m) {
		verdict.Fail(described(m.Failure(a.actual), about))
	}
}

// NotTo ends the spec as failed if m matches.
func (a Assertion) NotTo(m Matcher, about ...any) {
	if a.matches(m) {
		verdict.Fail(described(m.NegatedFailure(a.actual), about))
	}
}

func (a Assertion) matches(m Matcher) bool {
	ok, err := m.Match(a.actual)
	if err != nil {
		verdict.Harness("harness.matcher", err)
	}
	return ok
}

func described(f result.Failure, about []any) result.Failure {
	if len(about) == 0 {
		return f
	}
	code, ok := about[0].(string)
	if !ok {
		verdict.Harness("harness.about", fmt.Sprintf("%T", about[0]))
	}
	f.About = &result.Statement{Code: code, Values: result.ValuesOf(about[1:]...)}
	return f
}

// Make makes a matcher for values of type T: what it expects, and a check that
// returns what is wrong with a value, or [result.Nothing].
func Make[T any](want result.Value, check func(T) result.Value) Matcher {
	return &matcher{want: want, check: func(actual any) result.Value {
		v, ok := actual.(T)
		if !ok {
			verdict.Harness("harness.type", fmt.Sprintf("%T", actual), fmt.Sprintf("%T", v))
		}
		return check(v)
	}}
}

type matcher struct {
	want  result.Value
	check func(any) result.Value
	got   result.Value
}

// Match implements [types.GomegaMatcher].
func (m *matcher) Match(actual any) (bool, error) {
	m.got = m.check(actual)
	return m.got.None(), nil
}

// Failure implements [Matcher].
func (m *matcher) Failure(actual any) result.Failure {
	return result.Failure{
		Code: "expectation", Received: []result.Value{m.got}, Expected: []result.Value{m.want}, Exchange: exchange(actual),
	}
}

// NegatedFailure implements [Matcher].
func (m *matcher) NegatedFailure(actual any) result.Failure {
	return result.Failure{Code: "expectation.not", Expected: []result.Value{m.want}, Exchange: exchange(actual)}
}

func exchange(actual any) *result.Value {
	v := result.ValueOf(actual)
	return &v
}

// FailureMessage implements [types.GomegaMatcher].
func (m *matcher) FailureMessage(actual any) string { return words.Failure(m.Failure(actual)) }

// NegatedFailureMessage implements [types.GomegaMatcher].
func (m *matcher) NegatedFailureMessage(actual any) string {
	return words.Failure(m.NegatedFailure(actual))
}

// Any lists alternatives.
func Any[T any](all []T) result.Value {
	v := result.ValueOf(all)
	if len(v.Values) == 1 {
		return v.Values[0]
	}
	v.Name = "any"
	return v
}

// of is a matcher of Gomega with what it expects.
type of struct {
	types.GomegaMatcher
	want result.Value
}

func (m of) Failure(actual any) result.Failure {
	return result.Failure{Code: "value", Received: result.ValuesOf(actual), Expected: []result.Value{m.want}}
}

func (m of) NegatedFailure(actual any) result.Failure {
	return result.Failure{Code: "value.not", Received: result.ValuesOf(actual), Expected: []result.Value{m.want}}
}

func wrap(m types.GomegaMatcher, code string, values ...any) Matcher {
	return of{m, result.Term(code, slices.Clone(values)...)}
}
