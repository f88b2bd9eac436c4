package model

import (
	"slices"
	"strings"

	"nbdconform/conformance/clause"
	"nbdconform/reference/wire"
)

// A fact is what a server said of one export name, on any connection.
type fact struct {
	told      bool
	size      uint64
	flags     wire.TransmissionFlags
	how       string // the option that it was told in
	resizable bool
	contexts  []string              // that are known to exist
	sizes     *wire.SizeConstraints // that were told, or nil
	asked     bool                  // they were asked for
}

// variable are the transmission flags that depend on what was negotiated.
const variable = wire.FlagSendDF | wire.FlagBlockStatusPayload

// key is the name that facts of an export go by.
func (m *Model) key(name string) string {
	key, ok := m.canonical(name)
	if !ok {
		return "?" + name
	}
	return key
}

// fact is what was said of an export. A server may say something else within TLS.
func (c *Conn) fact(name string) *fact {
	if c.TLS {
		name = "TLS " + name
	}
	f := c.m.facts[name]
	if f == nil {
		f = &fact{}
		c.m.facts[name] = f
	}
	return f
}

// Option tells an option that was sent, with all replies to it, the final one
// last. NBD_OPT_EXPORT_NAME goes to ExportName.
func (c *Conn) Option(o wire.OptionRequest, replies []wire.OptionReply) (list []Violation) {
	if len(replies) == 0 || c.unsure {
		return nil
	}
	last := replies[len(replies)-1].Type
	switch o.Option {
	case wire.OptStructuredReply:
		c.Structured = c.Structured || last == wire.RepAck
	case wire.OptExtendedHeaders:
		if last == wire.RepAck {
			c.Structured, c.Extended = true, true
		}
	case wire.OptList:
		list = c.listed(replies)
	case wire.OptInfo, wire.OptGo:
		list = c.info(o, replies)
	case wire.OptListMetaContext, wire.OptSetMetaContext:
		list = c.meta(o, replies)
	}
	return list
}

// ExportName tells the answer to NBD_OPT_EXPORT_NAME.
func (c *Conn) ExportName(name string, e wire.ExportNameReply) (list []Violation) {
	if c.unsure {
		return nil
	}
	list = c.served(wire.OptExportName, name)
	list = append(list, c.same(name, "NBD_OPT_EXPORT_NAME", e.Size, e.Flags)...)
	c.enter(name, e.Size, e.Flags)
	return list
}

// Refused tells that the server hung up on NBD_OPT_EXPORT_NAME, which has no
// other way to say no.
func (c *Conn) Refused(name string) []Violation {
	f := c.fact(c.m.key(name))
	plain := f.sizes == nil || *f.sizes == wire.DefaultSizeConstraints
	if c.unsure || c.Extended || c.mayOmit() || !c.m.known(name) || !c.m.named[name] || !plain || !f.asked {
		return nil
	}
	return violate(nil, "interop.server.export-name", "the server hangs up on NBD_OPT_EXPORT_NAME for %q, which %s described", name, f.how)
}

// same holds what is said of an export against what was said before.
func (c *Conn) same(name, how string, size uint64, flags wire.TransmissionFlags) (list []Violation) {
	f := c.fact(c.m.key(name))
	f.resizable = f.resizable || flags&wire.FlagSendResize != 0
	if f.told {
		id := clause.ID("opt.info.repeatable")
		if how == "NBD_OPT_EXPORT_NAME" || f.how == "NBD_OPT_EXPORT_NAME" {
			id = "layout.rep.info-export.same"
		}
		if size != f.size && !f.resizable {
			list = violate(list, id, "%s says that export %q has %d bytes, %s said %d", how, name, size, f.how, f.size)
		}
		if diff := (flags ^ f.flags) &^ variable; diff != 0 {
			list = violate(list, id, "%s gives export %q the transmission flags %v, %s gave %v", how, name, flags, f.how, f.flags)
		}
	}
	c.m.named[name] = true
	f.told, f.size, f.flags, f.how = true, size, flags, how
	return list
}

// info hears the answer to NBD_OPT_INFO and NBD_OPT_GO.
func (c *Conn) info(o wire.OptionRequest, replies []wire.OptionReply) (list []Violation) {
	q, err := wire.ParseInfoRequest(o.Data)
	if err != nil {
		c.unsure = replies[len(replies)-1].Type == wire.RepAck
		return nil
	}
	list = c.demanded(o.Option, q, replies)
	last := replies[len(replies)-1].Type
	if _, listed := c.m.list[c.TLS][q.Export]; listed && last == wire.RepErrUnknown {
		return violate(list, "layout.rep.server.usable", "export %q is in the list, and %v does not know it", q.Export, o.Option)
	}
	if last == wire.RepErrInvalid && q.Validate() == nil {
		id := clause.ID("baseline.server.info")
		if slices.ContainsFunc(q.Infos, func(t wire.InfoType) bool { return t > wire.InfoInitState }) {
			id = "opt.info.unknown-request"
		}
		return violate(list, id, "%v for %q with the requests %v, which are in order, is answered by %v", o.Option, q.Export, q.Infos, last)
	}
	if last != wire.RepAck {
		return list
	}
	var about *wire.ExportInfo
	var sizes *wire.SizeConstraints
	for _, r := range replies {
		i, err := wire.ParseInfo(r.Data)
		if r.Type != wire.RepInfo || err != nil {
			continue
		}
		switch i.Type {
		case wire.InfoExport:
			if e, err := wire.ParseExportInfo(i.Payload); err == nil {
				about = &e
			}
		case wire.InfoBlockSize:
			if s, err := wire.ParseSizeConstraints(i.Payload); err == nil {
				sizes = &s
			}
		case wire.InfoName:
			names := c.m.list[c.TLS]
			if _, ok := names[string(i.Payload)]; names != nil && !ok && c.m.known(q.Export) && !c.mayOmit() {
				list = violate(list, "layout.rep.info-name.same", "NBD_INFO_NAME of %q is %q, which is not in the list", q.Export, i.Payload)
			}
		case wire.InfoInitState:
			if f, err := wire.ParseInitFlags(i.Payload); err == nil && f&wire.InitZero != 0 && c.m.disk(q.Export).hasData() {
				list = violate(list, "init-state.zero", "NBD_INFO_INIT_STATE says that export %q reads as zeroes, and it has data", q.Export)
			}
		case wire.InfoDescription:
			list = append(list, c.described(q.Export, string(i.Payload))...)
		}
	}
	if f := c.fact(c.m.key(q.Export)); sizes != nil || q.Wants(wire.InfoBlockSize) {
		f.sizes, f.asked = sizes, true
	}
	if about == nil {
		c.unsure = o.Option == wire.OptGo
		return list
	}
	list = append(list, c.same(q.Export, o.Option.String(), about.Size, about.Flags)...)
	if o.Option == wire.OptGo {
		list = append(list, c.served(o.Option, q.Export)...)
		c.enter(q.Export, about.Size, about.Flags)
	}
	return list
}

// known reports whether a name is among those that the server is meant to have.
func (m *Model) known(name string) bool {
	_, ok := m.canonical(name)
	return ok && len(m.opts.Exports) > 0
}

// described hears NBD_INFO_DESCRIPTION.
func (c *Conn) described(name, text string) []Violation {
	if key, ok := c.m.canonical(name); ok && key != "" {
		name = key
	}
	if said, ok := c.m.list[c.TLS][name]; ok && said != "" && said != text {
		return violate(nil, "layout.rep.info-description.same", "NBD_INFO_DESCRIPTION of %q is %q, NBD_REP_SERVER said %q", name, text, said)
	}
	return nil
}

// listed hears the answer to NBD_OPT_LIST.
func (c *Conn) listed(replies []wire.OptionReply) (list []Violation) {
	if replies[len(replies)-1].Type != wire.RepAck {
		return nil
	}
	names := make(map[string]string)
	for _, r := range replies {
		s, err := wire.ParseServerReply(r.Data)
		if r.Type != wire.RepServer || err != nil {
			continue
		}
		if _, twice := names[s.Name]; twice {
			list = violate(list, "layout.opt.list.replies", "export %q is listed twice", s.Name)
		}
		names[s.Name] = s.Details
	}
	for _, name := range c.m.opts.Exports {
		if _, ok := names[name]; !ok && !c.mayOmit() {
			list = violate(list, "layout.opt.list.replies", "export %q, which the server is said to have, is not listed", name)
		}
	}
	for name := range names {
		if len(c.m.opts.Exports) > 0 && !slices.Contains(c.m.opts.Exports, name) {
			list = violate(list, "layout.rep.server.usable", "export %q is listed, the server is said to have %q", name, c.m.opts.Exports)
		}
	}
	c.m.list[c.TLS] = names
	return list
}

// meta hears the answer to NBD_OPT_LIST_META_CONTEXT and NBD_OPT_SET_META_CONTEXT.
func (c *Conn) meta(o wire.OptionRequest, replies []wire.OptionReply) (list []Violation) {
	set := o.Option == wire.OptSetMetaContext
	if set {
		c.Contexts, c.contextsFor = nil, ""
	}
	q, err := wire.ParseMetaContextRequest(o.Data)
	last := replies[len(replies)-1].Type
	if err != nil || q.Validate() != nil {
		c.unsure = set && last == wire.RepAck
		return nil
	}
	f := c.fact(c.m.key(q.Export))
	if last != wire.RepAck && set && !c.Structured && last != wire.RepErrInvalid && last != wire.RepErrUnsup && last != wire.RepErrTLSReqd {
		return violate(nil, "opt.set-meta.without-structured",
			"NBD_OPT_SET_META_CONTEXT without structured replies is answered by %v, NBD_REP_ERR_INVALID is due", last)
	}
	if last == wire.RepErrUnknown && c.m.named[q.Export] && c.Structured && !c.mayOmit() {
		id := clause.ID("opt.list-meta.none-found")
		if set {
			id = "opt.set-meta.reply"
		}
		return violate(nil, id, "%v for export %q, which there is, is answered by %v", o.Option, q.Export, last)
	}
	if last != wire.RepAck {
		if last == wire.RepErrInvalid && c.Structured && f.told && (set || !slices.ContainsFunc(q.Queries, leaf)) {
			id := clause.ID("opt.list-meta.reply")
			if set {
				id = "opt.set-meta.reply"
			}
			list = violate(list, id, "%v with the queries %q, which are in order, is answered by %v", o.Option, q.Queries, last)
		}
		return list
	}
	var names []string
	for _, r := range replies {
		if m, err := wire.ParseMetaContext(r.Data); r.Type == wire.RepMetaContext && err == nil {
			names = append(names, m.Name)
			if !slices.Contains(f.contexts, m.Name) {
				f.contexts = append(f.contexts, m.Name)
			}
			if set {
				c.Contexts = append(c.Contexts, m)
			}
		}
	}
	if set {
		c.contextsFor = q.Export
	}
	for _, name := range names {
		if surplus(q.Queries, name, set) {
			id := clause.ID("meta.query.empty-leaf")
			if !set {
				id = "meta.qemu.list.dirty-bitmap"
			}
			list = violate(list, id, "%v with the queries %q finds %q, which none of them means", o.Option, q.Queries, name)
		}
	}
	for _, name := range f.contexts {
		if finds(q.Queries, name, set) && !slices.Contains(names, name) {
			list = violate(list, missing(name, q.Queries), "%v with the queries %q finds %q, and not %q, which there is", o.Option, q.Queries, names, name)
		}
	}
	return list
}

// leaf reports whether a query is for a leaf of base that the document does
// not know: servers may refuse it where they list.
func leaf(query string) bool {
	name, ok := strings.CutPrefix(query, "base:")
	return ok && name != "" && name != "allocation"
}

// finds reports whether one of the queries surely means the context. What a
// query for a namespace, or a part of one, finds is said for some only.
func finds(queries []string, name string, set bool) bool {
	if len(queries) == 0 {
		return !set
	}
	for _, q := range queries {
		switch {
		case q == name:
			return true
		case set:
		case (q == "base:" || q == "qemu:" || q == "qemu:dirty-bitmap:") && strings.HasPrefix(name, q):
			return true
		}
	}
	return false
}

// surplus reports whether none of the queries, which are all for namespaces
// that say what they find, means the context.
func surplus(queries []string, name string, set bool) bool {
	for _, q := range queries {
		if !strings.HasPrefix(q, "base:") && !strings.HasPrefix(q, "qemu:") {
			return false
		}
	}
	return len(queries) > 0 && !finds(queries, name, set)
}

// missing is the clause that is broken where a context is not found.
func missing(name string, queries []string) clause.ID {
	switch {
	case len(queries) == 0:
		return "opt.list-meta.zero-queries"
	case slices.Contains(queries, name) && strings.HasPrefix(name, "qemu:dirty-bitmap:"):
		return "meta.qemu.dirty-bitmap.name"
	case slices.Contains(queries, name):
		return "opt.list-meta.queries"
	case strings.HasPrefix(name, "base:"):
		return "meta.base.wildcard.list"
	}
	return "meta.qemu.list.namespace"
}
