// Package match has Gomega matchers for what a server says as a whole: the
// answer to an option, the reply to a request, the end of a connection. A
// mismatch prints what was allowed and then everything that came, decoded and
// in hex.
package match

import (
	"fmt"
	"strings"

	"github.com/onsi/gomega/types"
)

// A matcher accepts what check finds nothing wrong with.
type matcher struct {
	want  string
	check func(actual any) (wrong string)
	wrong string
}

func (m *matcher) Match(actual any) (bool, error) {
	m.wrong = m.check(actual)
	return m.wrong == "", nil
}

func (m *matcher) FailureMessage(actual any) string {
	return fmt.Sprintf("want %s; %s\n%s", m.want, m.wrong, text(actual))
}

func (m *matcher) NegatedFailureMessage(actual any) string {
	return fmt.Sprintf("want anything but %s\n%s", m.want, text(actual))
}

// on makes a matcher for values of one type.
func on[T any](want string, check func(T) string) types.GomegaMatcher {
	return &matcher{want: want, check: func(actual any) string {
		v, ok := actual.(T)
		if !ok {
			var t T
			return fmt.Sprintf("the spec gave a %T to a matcher for %T", actual, t)
		}
		return check(v)
	}}
}

// either lists alternatives: "A, B or C".
func either[T fmt.Stringer](all []T) string {
	parts := make([]string, len(all))
	for i, v := range all {
		parts[i] = v.String()
	}
	if len(parts) < 2 {
		return strings.Join(parts, "")
	}
	return strings.Join(parts[:len(parts)-1], ", ") + " or " + parts[len(parts)-1]
}

// text prints what came; bytes are cut to what a person looks at.
func text(actual any) string {
	if b, ok := actual.([]byte); ok {
		return fmt.Sprintf("%d bytes: %x", len(b), b[:min(64, len(b))])
	}
	return fmt.Sprint(actual)
}
