package serverquirk

import (
	"strings"

	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

func is(want string) func(string) bool { return func(s string) bool { return s == want } }

// QEMUWildcardForgets leaves a context out of the list of its namespace.
var QEMUWildcardForgets = register(Quirk{
	Name: "qemu-wildcard-forgets", Breaks: "meta.qemu.list.namespace",
	Doc: `leaves out the last of several contexts that the query "qemu:" finds`,
	Hooks: onQuery(wire.OptListMetaContext, is("qemu:"), func(x *server.OptionExchange) {
		if n := len(x.Replies); n > 2 {
			x.Replies = append(x.Replies[:n-2:n-2], x.Replies[n-1])
		}
	}),
})

// BitmapWildcardIgnored knows bitmaps by their whole names alone.
var BitmapWildcardIgnored = register(Quirk{
	Name: "bitmap-wildcard-ignored", Breaks: "meta.qemu.list.dirty-bitmap",
	Doc:   `finds nothing for the query "qemu:dirty-bitmap:"`,
	Hooks: onQuery(wire.OptListMetaContext, is(export.DirtyBitmap), dropContexts),
})

// BitmapWildcardWide looks at the namespace of a query alone.
var BitmapWildcardWide = register(Quirk{
	Name: "bitmap-wildcard-wide", Breaks: "meta.qemu.list.dirty-bitmap",
	Doc:   `takes the query "qemu:dirty-bitmap:" for "qemu:"`,
	Hooks: rewriteQuery(wire.OptListMetaContext, export.DirtyBitmap, "qemu:"),
})

// QEMUWildcardSelects selects a context by its namespace.
var QEMUWildcardSelects = register(Quirk{
	Name: "qemu-wildcard-selects", Breaks: "meta.query.empty-leaf",
	Doc:   `selects qemu:allocation-depth for the query "qemu:"`,
	Hooks: rewriteQuery(wire.OptSetMetaContext, "qemu:", export.AllocationDepth),
})

// BitmapListedOnly lists bitmaps that it does not let anybody select.
var BitmapListedOnly = register(Quirk{
	Name: "bitmap-listed-only", Breaks: "meta.qemu.dirty-bitmap.name",
	Doc: "selects no dirty bitmap, though it lists them",
	Hooks: onOption(wire.OptSetMetaContext, func(x *server.OptionExchange) {
		x.Drop(func(r wire.OptionReply) bool {
			m, err := wire.ParseMetaContext(r.Data)
			return r.Type == wire.RepMetaContext && err == nil && strings.HasPrefix(m.Name, export.DirtyBitmap)
		})
		x.Session.Contexts = nil
	}),
})

// onContextStatus makes hooks that change the status of contexts whose name has the prefix.
func onContextStatus(prefix string, f func(status uint64) uint64) server.Hooks {
	return onStatus(func(x *server.Exchange, s *wire.BlockStatus) {
		for _, m := range x.Session.Contexts {
			if m.ID != s.ContextID || !strings.HasPrefix(m.Name, prefix) {
				continue
			}
			for i := range s.Extents {
				s.Extents[i].Status = f(s.Extents[i].Status)
			}
		}
	})
}

// BitmapOtherFlag has flags of its own.
var BitmapOtherFlag = register(Quirk{
	Name: "bitmap-other-flag", Breaks: "meta.qemu.dirty-bitmap.flag",
	Doc:   "sets bit 1 of every status in a dirty bitmap",
	Hooks: onContextStatus(export.DirtyBitmap, func(s uint64) uint64 { return s | 2 }),
})

// DepthFromTwo counts one layer too many.
var DepthFromTwo = register(Quirk{
	Name: "depth-from-two", Breaks: "meta.qemu.allocation-depth",
	Doc:   "numbers the layers of qemu:allocation-depth from 2 on",
	Hooks: onContextStatus(export.AllocationDepth, func(s uint64) uint64 { return s + min(s, 1) }),
})
