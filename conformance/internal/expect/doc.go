// Package expect states expectations whose failure is a value: what was
// expected, what was received, and a code for the kind of expectation.
//
//	Expect(reply).To(BeReply(WithError(wire.EINVAL)))
//	Expect(size).To(Equal(told), "size-of-go")
//
// The matchers are Gomega's, or made with [Make]. An expectation that is not
// met ends the spec through [verdict.Fail]. The words are made elsewhere.
package expect
