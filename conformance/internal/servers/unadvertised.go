package servers

import (
	"context"

	. "github.com/onsi/ginkgo/v2"

	"nbdconform/conformance/clause"
	"nbdconform/conformance/feature"
	. "nbdconform/conformance/internal/expect"
	. "nbdconform/conformance/internal/match"
	. "nbdconform/conformance/internal/session"
	. "nbdconform/conformance/internal/spec"
	"nbdconform/reference/wire"
)

// What is not advertised: the client must not send it, and the document names
// no answer that has to come. The server must stay sane all the same.
var _ = Describe("A command that is not advertised", func() {
	for _, c := range []struct {
		request wire.Request
		name    string
		feature feature.Feature
		breaks  string
	}{
		{wire.Request{Type: wire.CmdTrim, Length: 512}, "trim", feature.Trim, "cmd.trim.needs-flag"},
		{wire.Request{Type: wire.CmdWriteZeroes, Length: 512}, "write-zeroes", feature.WriteZeroes, "cmd.write-zeroes.needs-flag"},
		{wire.Request{Type: wire.CmdFlush}, "flush", feature.Flush, "cmd.flush.needs-flag"},
	} {
		// "The client MUST NOT use a feature documented as 'exposed' by a flag unless that flag was set."
		It("leaves the conversation in step if it is "+c.request.Type.String(), ID("unadvertised."+c.name),
			MAY("trans.end.violation.server"),
			Without(c.feature, feature.WriteZeroesRFC), Writes(), AtLeast(512), Provokes(clause.ID(c.breaks)),
			func(ctx context.Context) {
				s := Enter(ctx)
				q := c.request
				if q.Length > 0 {
					q.Length = Room(ctx, 1)
				}

				r := s.Do(q)

				Expect(r).To(BeReplyOrEnd())
				Expect(s.InStepOrGone()).To(BeInStep())
				Observe(ctx, q.Type.String()+" unadvertised", "%v, %v", r.End, r.Error)
			})
	}
})
