package servers

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"

	"nbdconform/conformance/clause"
	"nbdconform/conformance/feature"
	. "nbdconform/conformance/internal/expect"
	. "nbdconform/conformance/internal/match"
	. "nbdconform/conformance/internal/session"
	. "nbdconform/conformance/internal/spec"
	quirk "nbdconform/reference/quirk/server"
	"nbdconform/reference/wire"
)

// No sentence says which error such data gets, or that it gets one: a server
// may read it generously, refuse it, or leave. It may not fall silent, or
// out of step.
var _ = Describe("NBD_OPT_INFO and NBD_OPT_GO", func() {
	// "32 bits, length of name (unsigned); MUST be no larger than the option data length - 6. String: name
	// of the export. 16 bits, number of information requests. 16 bits x n - list of NBD_INFO information
	// requests"
	for _, bad := range []struct {
		id, what string
		data     []byte
		provokes clause.ID
	}{
		{"empty", "without data", nil, "layout.opt.info"},
		{"short-length", "with 2 bytes of data", []byte{0, 0}, "layout.opt.info"},
		{"no-count", "with a name length and no count", []byte{0, 0, 0, 0}, "layout.opt.info"},
		{"half-count", "with half a count", []byte{0, 0, 0, 0, 0}, "layout.opt.info"},
		{"name-into-count", "whose name reaches into the count", []byte("\x00\x00\x00\x03abc\x00"), "opt.info.name-length"},
		{"name-too-long", "whose name is longer than the data", []byte("\x00\x00\x10\x00abc\x00\x00"), "opt.info.name-length"},
		{"name-huge", "whose name has 4294967295 bytes", []byte("\xff\xff\xff\xffabc\x00\x00"), "opt.info.name-length"},
		{"name-wraps", "whose name length and 6 are less than 6", []byte("\xff\xff\xff\xfa\x00\x00"), "opt.info.name-length"},
		{"count-too-large", "with a request less than counted", []byte("\x00\x00\x00\x00\x00\x02\x00\x03"), "layout.opt.info"},
		{"count-huge", "with 65535 requests counted and none there", []byte("\x00\x00\x00\x00\xff\xff"), "layout.opt.info"},
		{"count-too-small", "with a request more than counted", []byte("\x00\x00\x00\x00\x00\x00\x00\x03"), "layout.opt.info"},
		{"half-request", "with half a request at the end", []byte("\x00\x00\x00\x00\x00\x01\x00\x03\x00"), "layout.opt.info"},
	} {
		It("are answered, or end the session, "+bad.what, ID("info.malformed."+bad.id),
			MUST("layout.option-reply.answered", "layout.option-reply.type"),
			Needs(feature.Info), Provokes(bad.provokes),
			TrippedBy(quirk.InfoMalformedUnanswered, "no answer in time"),
			TrippedBy(quirk.InfoMalformedAnsweredTwice, "answers no option"),
			func(ctx context.Context) {
				for _, o := range []wire.Option{wire.OptInfo, wire.OptGo} {
					s := Haggle(ctx)

					a := s.Option(o, Bytes(bad.data))

					Expect(a).To(BeFinal())
					Observe(ctx, fmt.Sprintf("%v %s", o, bad.what), "%s", a.Summary())
					if a.End == Complete {
						Expect(s.InStepOrGone()).To(BeInStep())
					}
				}
			})
	}
})
