package match

import (
	"fmt"
	"slices"

	"github.com/onsi/gomega/types"

	"nbdconform/conformance/trial"
	"nbdconform/reference/wire"
)

// ListBaseAllocation matches an [trial.Answer] that ends with NBD_REP_ACK and
// lists base:allocation, or its namespace in its stead. A server may also refuse
// with an error of one of the types.
func ListBaseAllocation(refusals ...wire.ReplyType) types.GomegaMatcher {
	return on("NBD_REP_ACK behind base:allocation, or behind base: in its stead", func(a trial.Answer) string {
		if slices.Contains(refusals, a.Type()) {
			return ""
		}
		names := a.Names()
		if wrong := finalIn(a, []wire.ReplyType{wire.RepAck}); wrong != "" {
			return wrong
		}
		if !slices.Contains(names, "base:allocation") && !slices.Contains(names, "base:") {
			return fmt.Sprintf("got %q", names)
		}
		return ""
	})
}

// HaveContexts matches an [trial.Answer] that ends with NBD_REP_ACK and has
// metadata contexts of all the names, and maybe others.
func HaveContexts(names ...string) types.GomegaMatcher {
	return on(fmt.Sprintf("NBD_REP_ACK behind contexts with %q among them", names), func(a trial.Answer) string {
		if wrong := finalIn(a, []wire.ReplyType{wire.RepAck}); wrong != "" {
			return wrong
		}
		for _, name := range names {
			if !slices.Contains(a.Names(), name) {
				return fmt.Sprintf("%q is missing", name)
			}
		}
		return ""
	})
}

// HaveOnlyContexts matches an [trial.Answer] that ends with NBD_REP_ACK and has
// metadata contexts of the names, each once, and no others.
func HaveOnlyContexts(names ...string) types.GomegaMatcher {
	return on(only(names), func(a trial.Answer) string { return onlyContexts(a, names) })
}

// HaveOnlyContextsOr matches like HaveOnlyContexts, and also where the server
// refuses with an error of the type.
func HaveOnlyContextsOr(refusal wire.ReplyType, names ...string) types.GomegaMatcher {
	return on(fmt.Sprintf("%s, or %v", only(names), refusal), func(a trial.Answer) string {
		if a.Type() == refusal {
			return ""
		}
		return onlyContexts(a, names)
	})
}

// HaveNoContextsOrFail matches an [trial.Answer] that has no metadata contexts, or ends with an error.
func HaveNoContextsOrFail() types.GomegaMatcher {
	return on("no contexts, or an error", func(a trial.Answer) string {
		if a.End == trial.Complete && a.Type().IsError() {
			return ""
		}
		return onlyContexts(a, nil)
	})
}

// HaveNoContextsOrEnd matches like HaveNoContextsOrFail, and also where the
// server ended the connection instead.
func HaveNoContextsOrEnd() types.GomegaMatcher {
	return on("no contexts, an error, or the end of the session", func(a trial.Answer) string {
		if a.End == trial.HungUp || a.End == trial.Complete && a.Type().IsError() {
			return ""
		}
		return onlyContexts(a, nil)
	})
}

func only(names []string) string {
	if len(names) == 0 {
		return "NBD_REP_ACK alone"
	}
	return fmt.Sprintf("NBD_REP_ACK behind the contexts %q and no others", names)
}

func onlyContexts(a trial.Answer, names []string) string {
	if wrong := finalIn(a, []wire.ReplyType{wire.RepAck}); wrong != "" {
		return wrong
	}
	got, want := a.Names(), slices.Clone(names)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		return fmt.Sprintf("got %q", got)
	}
	return ""
}

// WithStatusOf asks for success and one chunk of block status for each of the
// contexts, by ID, and for none beside them.
func WithStatusOf(contexts map[uint32]string) Property {
	return Property{fmt.Sprintf("with one chunk for each of the %d selected contexts", len(contexts)), func(r trial.Reply) string {
		if r.Error != wire.OK {
			return fmt.Sprintf("got %v", r.Error)
		}
		seen := map[uint32]int{}
		for _, c := range r.Chunks {
			if c.Type != wire.ChunkBlockStatus {
				continue
			}
			b, err := wire.ParseBlockStatus(c.Payload)
			if err != nil {
				return err.Error()
			}
			if seen[b.ContextID]++; contexts[b.ContextID] == "" {
				return fmt.Sprintf("got a chunk for context %d, which is not selected", b.ContextID)
			}
		}
		for id, name := range contexts {
			if seen[id] != 1 {
				return fmt.Sprintf("got %d chunks for context %d, %s", seen[id], id, name)
			}
		}
		return ""
	}}
}

// BeAnsweredOrError matches an [trial.Answer] that ends with NBD_REP_ACK or with any error.
func BeAnsweredOrError() types.GomegaMatcher {
	return on("NBD_REP_ACK or an error", func(a trial.Answer) string {
		if a.End == trial.Complete && a.Type().IsError() {
			return ""
		}
		return finalIn(a, []wire.ReplyType{wire.RepAck})
	})
}

// BeAnsweredOrErrorOrEnd matches an [trial.Answer] that ends with NBD_REP_ACK,
// with any error, or with the connection.
func BeAnsweredOrErrorOrEnd() types.GomegaMatcher {
	return on("NBD_REP_ACK, an error, or the end of the session", func(a trial.Answer) string {
		if a.End == trial.HungUp || a.End == trial.Complete && a.Type().IsError() {
			return ""
		}
		return finalIn(a, []wire.ReplyType{wire.RepAck})
	})
}

// ReadAsTold matches a [trial.Block] that does not contradict what was read at
// offset: where it has NBD_STATE_ZERO, all is zero.
func ReadAsTold(offset uint64, contents []byte) types.GomegaMatcher {
	return on("no NBD_STATE_ZERO for what is not zero", func(b trial.Block) string {
		if b.Status&wire.StateZero == 0 {
			return ""
		}
		first, last := max(b.Offset, offset), min(b.End(), offset+uint64(len(contents)))
		for at := first; at < last; at++ {
			if c := contents[at-offset]; c != 0 {
				return fmt.Sprintf("%#02x stands at %d", c, at)
			}
		}
		return ""
	})
}
