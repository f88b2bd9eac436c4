package match

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/onsi/gomega/types"

	"nbdconform/conformance/trial"
	"nbdconform/reference/wire"
)

// A Property is one thing that [BeReply] asks of a reply.
type Property struct {
	want  string
	check func(trial.Reply) string
}

// BeReply matches a complete [trial.Reply] that has all the properties.
func BeReply(ps ...Property) types.GomegaMatcher {
	return on("a reply "+list(ps), func(r trial.Reply) string {
		if r.End != trial.Complete {
			return r.End.String()
		}
		return first(r, ps)
	})
}

// BeReplyOrEnd matches like BeReply, and also where the server ended the
// connection instead: for what a client must not do, which the server may
// answer with a hard disconnect.
func BeReplyOrEnd(ps ...Property) types.GomegaMatcher {
	return on("a reply "+list(ps)+", or the end of the session", func(r trial.Reply) string {
		switch r.End {
		case trial.HungUp:
			return ""
		case trial.Complete:
			return first(r, ps)
		}
		return r.End.String()
	})
}

func first(r trial.Reply, ps []Property) string {
	for _, p := range ps {
		if wrong := p.check(r); wrong != "" {
			return wrong
		}
	}
	return ""
}

func list(ps []Property) string {
	parts := make([]string, len(ps))
	for i, p := range ps {
		parts[i] = p.want
	}
	return strings.Join(parts, " and ")
}

// WithError asks for one of the error values; [wire.OK] is success.
func WithError(allowed ...wire.Errno) Property {
	return Property{"with " + either(allowed), func(r trial.Reply) string {
		if !slices.Contains(allowed, r.Error) {
			return fmt.Sprintf("got %v", r.Error)
		}
		return ""
	}}
}

// WithAnyError asks for an error, whichever.
func WithAnyError() Property {
	return Property{"with an error", func(r trial.Reply) string {
		if r.Error == wire.OK {
			return "got success"
		}
		return ""
	}}
}

// WithoutError asks that the error is none of the values. Success is fine.
func WithoutError(forbidden ...wire.Errno) Property {
	return Property{"without " + either(forbidden), func(r trial.Reply) string {
		if slices.Contains(forbidden, r.Error) {
			return fmt.Sprintf("got %v", r.Error)
		}
		return ""
	}}
}

// WithData asks for success and exactly these bytes.
func WithData(want []byte) Property {
	return Property{fmt.Sprintf("with the %d bytes that stand there", len(want)), func(r trial.Reply) string {
		switch {
		case r.Error != wire.OK:
			return fmt.Sprintf("got %v", r.Error)
		case !bytes.Equal(r.Data, want):
			return Difference(r.Data, want)
		}
		return ""
	}}
}

// Difference says where two runs of bytes first differ.
func Difference(got, want []byte) string {
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			end := min(i+16, len(got), len(want))
			return fmt.Sprintf("byte %d differs: got %x, want %x", i, got[i:end], want[i:end])
		}
	}
	return fmt.Sprintf("got %d bytes, want %d", len(got), len(want))
}

// HaveBytes matches a []byte that equals want, and says where it does not.
func HaveBytes(want []byte) types.GomegaMatcher {
	return &matcher{want: fmt.Sprintf("%d known bytes", len(want)), check: func(actual any) string {
		got, ok := actual.([]byte)
		switch {
		case !ok:
			return fmt.Sprintf("the spec gave a %T", actual)
		case !bytes.Equal(got, want):
			return Difference(got, want)
		}
		return ""
	}}
}
