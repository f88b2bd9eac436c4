package server

import (
	"fmt"
	"slices"
	"strings"

	"nbdconform/reference/wire"
)

// metaRequest parses and checks NBD_OPT_LIST_META_CONTEXT and
// NBD_OPT_SET_META_CONTEXT, and finds the export: nil if the option was refused.
// The arguments are clauses. Section "Metadata querying".
func (o *option) metaRequest(structured, malformed string) (q wire.MetaContextRequest, e *Export) {
	if !o.enforce(structured, o.Structured) {
		o.fail(wire.RepErrInvalid, "structured replies or extended headers have to be negotiated first")
		return q, nil
	}
	if !o.fits() {
		return q, nil
	}
	q, err := wire.ParseMetaContextRequest(o.req.Data)
	if err == nil {
		err = q.Validate()
	}
	if !o.enforce(malformed, err == nil) {
		o.fail(wire.RepErrInvalid, err.Error())
		return q, nil
	}
	if e = o.srv.cfg.find(q.Export); e == nil {
		o.fail(wire.RepErrUnknown, fmt.Sprintf("there is no export %q", q.Export))
	}
	o.export = e
	// NBD_REP_ERR_TLS_REQD is for options that describe or enter an export.
	if e != nil && o.needsTLS(e) {
		o.fail(wire.RepErrPolicy, fmt.Sprintf("export %q needs TLS", e.Name))
		return q, nil
	}
	return q, e
}

// lists reports whether a query of NBD_OPT_LIST_META_CONTEXT matches the context.
// One that ends with a colon matches all names with that prefix: a namespace, or a
// family of contexts such as "qemu:dirty-bitmap:".
func lists(query, name string) bool {
	return query == name || strings.HasSuffix(query, ":") && strings.HasPrefix(name, query)
}

// listMetaContext answers NBD_OPT_LIST_META_CONTEXT. Without queries it lists all
// contexts.
func (o *option) listMetaContext() {
	q, e := o.metaRequest("opt.list-meta.without-structured", "opt.list-meta.malformed")
	if e == nil {
		return
	}
	for _, name := range e.Contexts {
		if len(q.Queries) == 0 || slices.ContainsFunc(q.Queries, func(s string) bool { return lists(s, name) }) {
			o.reply(wire.RepMetaContext, wire.MetaContext{Name: name}.Append(nil))
		}
	}
	o.reply(wire.RepAck, nil)
}

// setMetaContext answers NBD_OPT_SET_META_CONTEXT. Only full names select a
// context. What was selected before is dropped, even if the option is refused.
func (o *option) setMetaContext() {
	o.Contexts, o.ContextsFor = nil, ""
	q, e := o.metaRequest("opt.set-meta.without-structured", "opt.set-meta.malformed")
	if e == nil {
		return
	}
	o.ContextsFor = q.Export
	for i, name := range e.Contexts {
		if slices.Contains(q.Queries, name) {
			m := wire.MetaContext{ID: uint32(i) + 1, Name: name}
			o.Contexts = append(o.Contexts, m)
			o.reply(wire.RepMetaContext, m.Append(nil))
		}
	}
	o.reply(wire.RepAck, nil)
}
