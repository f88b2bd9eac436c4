package expect

import (
	"github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"nbdconform/reports/result"
)

// Equal matches what is deeply equal.
func Equal(want any) Matcher { return wrap(gomega.Equal(want), "equal", want) }

// BeEquivalentTo matches what is equal once converted to the type of want.
func BeEquivalentTo(want any) Matcher { return wrap(gomega.BeEquivalentTo(want), "equal", want) }

// BeZero matches the zero value of a type.
func BeZero() Matcher { return wrap(gomega.BeZero(), "zero") }

// BeTrue matches true.
func BeTrue() Matcher { return wrap(gomega.BeTrue(), "true") }

// BeFalse matches false.
func BeFalse() Matcher { return wrap(gomega.BeFalse(), "false") }

// BeEmpty matches a list, map or string without elements.
func BeEmpty() Matcher { return wrap(gomega.BeEmpty(), "empty") }

// HaveLen matches a list or map of n elements.
func HaveLen(n int) Matcher { return wrap(gomega.HaveLen(n), "elements", n) }

// Succeed matches a nil error.
func Succeed() Matcher { return wrap(gomega.Succeed(), "no-error") }

// BeNumerically compares numbers by an operator such as "<=".
func BeNumerically(operator string, want any) Matcher {
	return wrap(gomega.BeNumerically(operator, want), "compares", operator, want)
}

// BeElementOf matches one of the values.
func BeElementOf(list ...any) Matcher { return wrap(gomega.BeElementOf(list...), "one-of", list) }

// ConsistOf matches a list of these elements, in any order, and no others. A
// single list stands for its elements.
func ConsistOf(list ...any) Matcher { return wrap(gomega.ConsistOf(list...), "all-of", elements(list)) }

// ContainElement matches a list that has the element, or one that a matcher of
// Gomega matches.
func ContainElement(want any) Matcher {
	if m, ok := want.(of); ok {
		return wrap(gomega.ContainElement(m.GomegaMatcher), "contains", m.want)
	}
	return wrap(gomega.ContainElement(want), "contains", want)
}

// ContainElements matches a list that has these elements among others. A single
// list stands for its elements.
func ContainElements(list ...any) Matcher {
	return wrap(gomega.ContainElements(list...), "contains-all", elements(list))
}

// HaveField matches a struct by one of its fields.
func HaveField(name string, want any) Matcher {
	return wrap(gomega.HaveField(name, want), "field", name, want)
}

// Or matches what one of the matchers does.
func Or(list ...Matcher) Matcher {
	var all []types.GomegaMatcher
	want := result.Value{Type: result.ListValue, Name: "any", Number: uint64(len(list))}
	for _, m := range list {
		all = append(all, m)
		if m, ok := m.(of); ok {
			want.Values = append(want.Values, m.want)
		}
	}
	return of{gomega.Or(all...), want}
}

func elements(list []any) any {
	if len(list) == 1 {
		return list[0]
	}
	return list
}
