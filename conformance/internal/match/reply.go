package match

import (
	"bytes"
	"slices"

	"nbdconform/conformance/internal/expect"
	"nbdconform/conformance/internal/session"
	"nbdconform/reference/wire"
	"nbdconform/reports/result"
)

// A Property is one thing that [BeReply] asks of a reply.
type Property struct {
	want  result.Value
	check func(session.Reply) result.Value
}

// BeReply matches a complete [session.Reply] that has all the properties.
func BeReply(ps ...Property) expect.Matcher {
	return expect.Make(result.Term("reply", all(ps)), func(r session.Reply) result.Value {
		if r.End != session.Complete {
			return result.ValueOf(r.End)
		}
		return first(r, ps)
	})
}

// BeReplyOrEnd matches like BeReply, and also where the server ended the
// connection instead: for what a client must not do, which the server may
// answer with a hard disconnect.
func BeReplyOrEnd(ps ...Property) expect.Matcher {
	return expect.Make(result.Term("reply-or-end", all(ps)), func(r session.Reply) result.Value {
		switch r.End {
		case session.HungUp:
			return result.Nothing
		case session.Complete:
			return first(r, ps)
		}
		return result.ValueOf(r.End)
	})
}

func first(r session.Reply, ps []Property) result.Value {
	for _, p := range ps {
		if wrong := p.check(r); !wrong.None() {
			return wrong
		}
	}
	return result.Nothing
}

// all are the properties as one value.
func all(ps []Property) result.Value {
	v := result.Value{Type: result.ListValue, Name: "all", Number: uint64(len(ps))}
	for _, p := range ps {
		v.Values = append(v.Values, p.want)
	}
	return v
}

// WithError asks for one of the error values; [wire.OK] is success.
func WithError(allowed ...wire.Errno) Property {
	return Property{result.Term("case.with", expect.Any(allowed)), func(r session.Reply) result.Value {
		if !slices.Contains(allowed, r.Error) {
			return result.Term("got", r.Error)
		}
		return result.Nothing
	}}
}

// WithAnyError asks for an error, whichever.
func WithAnyError() Property {
	return Property{result.Term("reply.any-error"), func(r session.Reply) result.Value {
		if r.Error == wire.OK {
			return result.Term("got.success")
		}
		return result.Nothing
	}}
}

// WithoutError asks that the error is none of the values. Success is fine.
func WithoutError(forbidden ...wire.Errno) Property {
	return Property{result.Term("reply.without-errors", expect.Any(forbidden)), func(r session.Reply) result.Value {
		if slices.Contains(forbidden, r.Error) {
			return result.Term("got", r.Error)
		}
		return result.Nothing
	}}
}

// WithData asks for success and exactly these bytes.
func WithData(want []byte) Property {
	return Property{result.Term("reply.data", len(want)), func(r session.Reply) result.Value {
		switch {
		case r.Error != wire.OK:
			return result.Term("got", r.Error)
		case !bytes.Equal(r.Data, want):
			return Difference(r.Data, want)
		}
		return result.Nothing
	}}
}

// Difference says where two runs of bytes first differ.
func Difference(got, want []byte) result.Value {
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			end := min(i+16, len(got), len(want))
			return result.Term("byte-differs", i, got[i:end], want[i:end])
		}
	}
	return result.Term("got.bytes-not", len(got), len(want))
}

// HaveBytes matches a []byte that equals want, and says where it does not.
func HaveBytes(want []byte) expect.Matcher {
	return expect.Make(result.Term("bytes", len(want)), func(got []byte) result.Value {
		if bytes.Equal(got, want) {
			return result.Nothing
		}
		return Difference(got, want)
	})
}
