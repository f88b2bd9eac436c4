package judge

import (
	"slices"

	"nbdconform/conformance/clause"
	"nbdconform/reference/wire"
)

// Operation names what the message with an index is about, by the
// specification's name: the option or the command that it is or answers, else
// the last one that the client sent before it. It is "" where there is none.
func (t Transcript) Operation(index int) string {
	before := t.Messages[:len(t.Messages):len(t.Messages)]
	if i := slices.IndexFunc(before, func(m Message) bool { return m.Index > index }); i >= 0 {
		before = before[:i]
	}
	if len(before) == 0 {
		return ""
	}
	last := before[len(before)-1]
	if v, ok := last.Value().(wire.OptionReplyHeader); ok {
		return v.Option.String()
	}
	cookie, answers := last.Cookie()
	answers = answers && last.Side == clause.Server
	for _, m := range slices.Backward(before) {
		switch v := m.Value().(type) {
		case wire.OptionHeader:
			return v.Option.String()
		case wire.Request:
			if !answers || v.Cookie == cookie {
				return v.Type.String()
			}
		}
	}
	return ""
}
