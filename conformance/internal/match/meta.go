package match

import (
	"slices"

	"nbdconform/conformance/internal/expect"
	"nbdconform/conformance/internal/session"
	"nbdconform/reference/wire"
	"nbdconform/reports/result"
)

// ListBaseAllocation matches an [session.Answer] that ends with NBD_REP_ACK and
// lists base:allocation, or its namespace in its stead. A server may also refuse
// with an error of one of the types.
func ListBaseAllocation(refusals ...wire.ReplyType) expect.Matcher {
	return expect.Make(result.Term("answer.lists-base-allocation"), func(a session.Answer) result.Value {
		if slices.Contains(refusals, a.Type()) {
			return result.Nothing
		}
		names := a.Names()
		if wrong := finalIn(a, []wire.ReplyType{wire.RepAck}); !wrong.None() {
			return wrong
		}
		if !slices.Contains(names, "base:allocation") && !slices.Contains(names, "base:") {
			return result.Term("got.names", names)
		}
		return result.Nothing
	})
}

// HaveContexts matches an [session.Answer] that ends with NBD_REP_ACK and has
// metadata contexts of all the names, and maybe others.
func HaveContexts(names ...string) expect.Matcher {
	return expect.Make(result.Term("answer.contexts-among", names), func(a session.Answer) result.Value {
		if wrong := finalIn(a, []wire.ReplyType{wire.RepAck}); !wrong.None() {
			return wrong
		}
		for _, name := range names {
			if !slices.Contains(a.Names(), name) {
				return result.Term("got.without", name)
			}
		}
		return result.Nothing
	})
}

// HaveOnlyContexts matches an [session.Answer] that ends with NBD_REP_ACK and has
// metadata contexts of the names, each once, and no others.
func HaveOnlyContexts(names ...string) expect.Matcher {
	return expect.Make(only(names), func(a session.Answer) result.Value { return onlyContexts(a, names) })
}

// HaveOnlyContextsOr matches like HaveOnlyContexts, and also where the server
// refuses with an error of the type.
func HaveOnlyContextsOr(refusal wire.ReplyType, names ...string) expect.Matcher {
	return expect.Make(result.Term("or", only(names), refusal), func(a session.Answer) result.Value {
		if a.Type() == refusal {
			return result.Nothing
		}
		return onlyContexts(a, names)
	})
}

// HaveNoContextsOrFail matches an [session.Answer] that has no metadata contexts, or ends with an error.
func HaveNoContextsOrFail() expect.Matcher {
	return expect.Make(result.Term("answer.no-contexts-or-error"), func(a session.Answer) result.Value {
		if a.End == session.Complete && a.Type().IsError() {
			return result.Nothing
		}
		return onlyContexts(a, nil)
	})
}

// HaveNoContextsOrEnd matches like HaveNoContextsOrFail, and also where the
// server ended the connection instead.
func HaveNoContextsOrEnd() expect.Matcher {
	return expect.Make(result.Term("answer.no-contexts-error-or-end"), func(a session.Answer) result.Value {
		if a.End == session.HungUp || a.End == session.Complete && a.Type().IsError() {
			return result.Nothing
		}
		return onlyContexts(a, nil)
	})
}

func only(names []string) result.Value {
	if len(names) == 0 {
		return result.Term("answer.ack-alone")
	}
	return result.Term("answer.only-contexts", names)
}

func onlyContexts(a session.Answer, names []string) result.Value {
	if wrong := finalIn(a, []wire.ReplyType{wire.RepAck}); !wrong.None() {
		return wrong
	}
	got, want := a.Names(), slices.Clone(names)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		return result.Term("got.names", got)
	}
	return result.Nothing
}

// WithStatusOf asks for success and one chunk of block status for each of the
// contexts, by ID, and for none beside them.
func WithStatusOf(contexts map[uint32]string) Property {
	return Property{result.Term("reply.chunk-for-each-context", len(contexts)), func(r session.Reply) result.Value {
		if r.Error != wire.OK {
			return result.Term("got", r.Error)
		}
		seen := map[uint32]int{}
		for _, c := range r.Chunks {
			if c.Type != wire.ChunkBlockStatus {
				continue
			}
			b, err := wire.ParseBlockStatus(c.Payload)
			if err != nil {
				return result.ValueOf(err)
			}
			if seen[b.ContextID]++; contexts[b.ContextID] == "" {
				return result.Term("got.chunk-of-unselected-context", b.ContextID)
			}
		}
		for id, name := range contexts {
			if seen[id] != 1 {
				return result.Term("got.chunks-of-context", seen[id], id, name)
			}
		}
		return result.Nothing
	}}
}

// BeAnsweredOrError matches an [session.Answer] that ends with NBD_REP_ACK or with any error.
func BeAnsweredOrError() expect.Matcher {
	return expect.Make(result.Term("answer.ack-or-error"), func(a session.Answer) result.Value {
		if a.End == session.Complete && a.Type().IsError() {
			return result.Nothing
		}
		return finalIn(a, []wire.ReplyType{wire.RepAck})
	})
}

// BeAnsweredOrErrorOrEnd matches an [session.Answer] that ends with NBD_REP_ACK,
// with any error, or with the connection.
func BeAnsweredOrErrorOrEnd() expect.Matcher {
	return expect.Make(result.Term("answer.ack-error-or-end"), func(a session.Answer) result.Value {
		if a.End == session.HungUp || a.End == session.Complete && a.Type().IsError() {
			return result.Nothing
		}
		return finalIn(a, []wire.ReplyType{wire.RepAck})
	})
}

// ReadAsTold matches a [session.Block] that does not contradict what was read at
// offset: where it has NBD_STATE_ZERO, all is zero.
func ReadAsTold(offset uint64, contents []byte) expect.Matcher {
	return expect.Make(result.Term("status.zero-reads-zero"), func(b session.Block) result.Value {
		if b.Status&wire.StateZero == 0 {
			return result.Nothing
		}
		first, last := max(b.Offset, offset), min(b.End(), offset+uint64(len(contents)))
		for at := first; at < last; at++ {
			if c := contents[at-offset]; c != 0 {
				return result.Term("got.byte-at", c, at)
			}
		}
		return result.Nothing
	})
}
