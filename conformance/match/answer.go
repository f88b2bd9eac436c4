package match

import (
	"fmt"
	"slices"

	"github.com/onsi/gomega/types"

	"nbdconform/conformance/trial"
	"nbdconform/reference/wire"
)

// BeAnswered matches an [trial.Answer] whose final reply has one of the types.
func BeAnswered(allowed ...wire.ReplyType) types.GomegaMatcher {
	return on("the final reply "+either(allowed), func(a trial.Answer) string {
		return finalIn(a, allowed)
	})
}

// BeAnsweredOrEnd matches like BeAnswered, and also where the server ended the
// connection instead: for what a client must not do, which the server may
// answer with a hard disconnect.
func BeAnsweredOrEnd(allowed ...wire.ReplyType) types.GomegaMatcher {
	return on("the final reply "+either(allowed)+", or the end of the session", func(a trial.Answer) string {
		if a.End == trial.HungUp {
			return ""
		}
		return finalIn(a, allowed)
	})
}

// BeAnsweredSomehow matches an [trial.Answer] that is complete, whatever it says.
func BeAnsweredSomehow() types.GomegaMatcher {
	return on("a final reply, of whatever type", func(a trial.Answer) string {
		if a.End != trial.Complete {
			return a.End.String()
		}
		return ""
	})
}

// BeFinal matches an [trial.Answer] that is complete, whatever it says, and
// one in whose place the server ended the connection: only a client that is
// kept waiting does not know where it is.
func BeFinal() types.GomegaMatcher {
	return on("a final reply of whatever type, or the end of the session", func(a trial.Answer) string {
		if a.End != trial.Complete && a.End != trial.HungUp {
			return a.End.String()
		}
		return ""
	})
}

func finalIn(a trial.Answer, allowed []wire.ReplyType) string {
	switch {
	case a.End != trial.Complete:
		return a.End.String()
	case !slices.Contains(allowed, a.Type()):
		return fmt.Sprintf("got %v", a.Type())
	}
	return ""
}

// BeAnsweredWithError matches an [trial.Answer] that ends with any error.
func BeAnsweredWithError() types.GomegaMatcher {
	return on("an error reply", func(a trial.Answer) string {
		switch {
		case a.End != trial.Complete:
			return a.End.String()
		case !a.Type().IsError():
			return fmt.Sprintf("got %v", a.Type())
		}
		return ""
	})
}

// BeAnsweredWithErrorOrEnd matches an [trial.Answer] that ends with any error,
// or a server that ended the connection.
func BeAnsweredWithErrorOrEnd() types.GomegaMatcher {
	return on("an error reply, or the end of the session", func(a trial.Answer) string {
		switch {
		case a.End == trial.HungUp:
			return ""
		case a.End != trial.Complete:
			return a.End.String()
		case !a.Type().IsError():
			return fmt.Sprintf("got %v", a.Type())
		}
		return ""
	})
}

// BeEnded matches a [trial.HangUp], [trial.Answer] or [trial.Reply]: the server
// ended the connection and said nothing before it did.
func BeEnded() types.GomegaMatcher {
	const want = "the end of the session without a word"
	return &matcher{want: want, check: func(actual any) string {
		switch v := actual.(type) {
		case trial.HangUp:
			if v.End != trial.HungUp || len(v.Rest) > 0 {
				return v.String()
			}
		case trial.Answer:
			if v.End != trial.HungUp {
				return fmt.Sprintf("got %v (%v)", v.Type(), v.End)
			}
			if len(v.Replies) > 0 {
				return fmt.Sprintf("%d replies came first", len(v.Replies))
			}
		case trial.Reply:
			if v.End != trial.HungUp {
				return v.End.String()
			}
			if len(v.Chunks) > 0 {
				return fmt.Sprintf("%d chunks came first", len(v.Chunks))
			}
		default:
			return fmt.Sprintf("the spec gave a %T", actual)
		}
		return ""
	}}
}

// BeInStep matches the result of [trial.Session.InStep]: "".
func BeInStep() types.GomegaMatcher {
	return on("the conversation to be in step afterwards", func(wrong string) string { return wrong })
}
