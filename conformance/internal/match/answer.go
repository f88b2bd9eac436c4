package match

import (
	"fmt"
	"slices"

	"nbdconform/conformance/internal/expect"
	"nbdconform/conformance/internal/session"
	"nbdconform/conformance/internal/verdict"
	"nbdconform/reference/wire"
	"nbdconform/reports/result"
)

// BeAnswered matches an [session.Answer] whose final reply has one of the types.
func BeAnswered(allowed ...wire.ReplyType) expect.Matcher {
	return expect.Make(result.Term("answer.final", expect.Any(allowed)), func(a session.Answer) result.Value {
		return finalIn(a, allowed)
	})
}

// BeAnsweredOrEnd matches like BeAnswered, and also where the server ended the
// connection instead: for what a client must not do, which the server may
// answer with a hard disconnect.
func BeAnsweredOrEnd(allowed ...wire.ReplyType) expect.Matcher {
	return expect.Make(result.Term("answer.final-or-end", expect.Any(allowed)), func(a session.Answer) result.Value {
		if a.End == session.HungUp {
			return result.Nothing
		}
		return finalIn(a, allowed)
	})
}

// BeAnsweredSomehow matches an [session.Answer] that is complete, whatever it says.
func BeAnsweredSomehow() expect.Matcher {
	return expect.Make(result.Term("answer.any"), func(a session.Answer) result.Value {
		if a.End != session.Complete {
			return result.ValueOf(a.End)
		}
		return result.Nothing
	})
}

// BeFinal matches an [session.Answer] that is complete, whatever it says, and
// one in whose place the server ended the connection: only a client that is
// kept waiting does not know where it is.
func BeFinal() expect.Matcher {
	return expect.Make(result.Term("answer.any-or-end"), func(a session.Answer) result.Value {
		if a.End != session.Complete && a.End != session.HungUp {
			return result.ValueOf(a.End)
		}
		return result.Nothing
	})
}

func finalIn(a session.Answer, allowed []wire.ReplyType) result.Value {
	switch {
	case a.End != session.Complete:
		return result.ValueOf(a.End)
	case !slices.Contains(allowed, a.Type()):
		return result.Term("got", a.Type())
	}
	return result.Nothing
}

// BeAnsweredWithError matches an [session.Answer] that ends with any error.
func BeAnsweredWithError() expect.Matcher {
	return expect.Make(result.Term("answer.any-error"), func(a session.Answer) result.Value {
		switch {
		case a.End != session.Complete:
			return result.ValueOf(a.End)
		case !a.Type().IsError():
			return result.Term("got", a.Type())
		}
		return result.Nothing
	})
}

// BeAnsweredWithErrorOrEnd matches an [session.Answer] that ends with any error,
// or a server that ended the connection.
func BeAnsweredWithErrorOrEnd() expect.Matcher {
	return expect.Make(result.Term("answer.any-error-or-end"), func(a session.Answer) result.Value {
		switch {
		case a.End == session.HungUp:
			return result.Nothing
		case a.End != session.Complete:
			return result.ValueOf(a.End)
		case !a.Type().IsError():
			return result.Term("got", a.Type())
		}
		return result.Nothing
	})
}

// BeEnded matches a [session.HangUp], [session.Answer] or [session.Reply]: the server
// ended the connection and said nothing before it did.
func BeEnded() expect.Matcher {
	return expect.Make(result.Term("session.ended"), func(actual any) result.Value {
		switch v := actual.(type) {
		case session.HangUp:
			if v.End != session.HungUp || len(v.Rest) > 0 {
				return result.ValueOf(v)
			}
		case session.Answer:
			if v.End != session.HungUp {
				return result.Term("got.type-and-end", v.Type(), v.End)
			}
			if len(v.Replies) > 0 {
				return result.Term("got.replies-first", len(v.Replies))
			}
		case session.Reply:
			if v.End != session.HungUp {
				return result.ValueOf(v.End)
			}
			if len(v.Chunks) > 0 {
				return result.Term("got.chunks-first", len(v.Chunks))
			}
		default:
			verdict.Harness("harness.type", fmt.Sprintf("%T", actual), "end")
		}
		return result.Nothing
	})
}

// BeInStep matches the result of [session.Session.InStep]: [result.Nothing].
func BeInStep() expect.Matcher {
	return expect.Make(result.Term("in-sync"), func(wrong result.Value) result.Value { return wrong })
}
