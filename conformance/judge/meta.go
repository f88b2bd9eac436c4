package judge

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"nbdconform/reference/wire"
	"nbdconform/reports/result"
)

// A selection is what the last NBD_OPT_SET_META_CONTEXT left behind.
type selection struct {
	export  string
	ids     map[uint32]string // names of the selected contexts
	unknown bool              // the option or its answer was too long to be looked at
}

// namespace returns the namespace of a context's name or of a query.
func namespace(s string) (ns, leaf string, ok bool) {
	ns, leaf, ok = strings.Cut(s, ":")
	odd := func(r rune) bool { return !unicode.IsPrint(r) || unicode.IsSpace(r) }
	return ns, leaf, ok && ns != "" && !strings.ContainsFunc(ns, odd)
}

// metaRequest judges the data of NBD_OPT_LIST_META_CONTEXT and NBD_OPT_SET_META_CONTEXT.
func (j *Judge) metaRequest(o *option, b []byte) {
	q, err := wire.ParseMetaContextRequest(b)
	if j.broken(metaRequestLayout, err == nil) {
		o.faulty = true
		o.excess = bytes.HasPrefix(b, q.Append(nil))
		j.accuse(o.place, metaRequestLayout, "meta-request-layout", err)
		return
	}
	o.meta = q
	j.log.say(o.msg, fmt.Sprintf("%v %q queries %s", o.option, clip(q.Export), clip(fmt.Sprintf("%q", q.Queries))))
	j.judgeString(o.place, result.Term("export-name"), q.Export)
	c := listMetaQuerySyntax
	if o.option == wire.OptSetMetaContext {
		c = setMetaQuerySyntax
	}
	for _, s := range q.Queries {
		j.judgeString(o.place, result.Term("metadata-query"), s)
		if _, _, ok := namespace(s); j.broken(c, ok) {
			j.accuse(o.place, c, "query-without-namespace", clip(s))
			o.vague = true
		}
	}
}

// metaReply judges NBD_REP_META_CONTEXT.
func (j *Judge) metaReply(d *replyData) {
	o, p := d.option, d.place
	set := o.option == wire.OptSetMetaContext
	if !set && o.option != wire.OptListMetaContext || d.n > maxOption {
		return
	}
	m, err := wire.ParseMetaContext(d.b)
	form := listMetaNameForm
	if set {
		form = metaNameSyntax
	}
	if j.broken(metaContextLayout, err == nil) {
		j.accuse(p, metaContextLayout, "meta-context-layout", err)
		return
	}
	j.log.say(p.msg, fmt.Sprintf("NBD_REP_META_CONTEXT %d %q", m.ID, clip(m.Name)))
	j.judgeString(p, result.Term("metadata-context-name"), m.Name)
	ns, _, ok := namespace(m.Name)
	if j.broken(form, ok) {
		j.accuse(p, form, "context-without-namespace", clip(m.Name))
	} else if j.broken(metaNameNamespace, ns == "base" || ns == "nbd-server" || ns == "qemu" || strings.HasPrefix(ns, "x-")) {
		j.accuse(p, metaNameNamespace, "namespace-not-registered", clip(ns))
	}
	if ns == "base" {
		j.baseExport, j.baseNamed = o.meta.Export, true
	}
	if ok && o.whole && !o.faulty && !o.vague {
		if set {
			j.judgeSelected(p, o, m)
		} else {
			j.judgeListed(p, o, m)
		}
	}
	if len(o.contexts) < maxKept && o.keep(len(m.Name)) {
		o.contexts = append(o.contexts, m)
	} else {
		o.lossy = true
	}
}

// judgeListed judges one context of a list.
func (j *Judge) judgeListed(p place, o *option, m wire.MetaContext) {
	if j.broken(listMetaIDZero, m.ID == 0) {
		j.accuse(p, listMetaIDZero, "listed-context-id-not-zero", m.ID)
	}
	if len(o.meta.Queries) == 0 {
		return
	}
	ns, _, _ := namespace(m.Name)
	matches := slices.ContainsFunc(o.meta.Queries, func(q string) bool {
		qns, leaf, _ := namespace(q)
		return qns == ns && (ns != "base" || leaf == "" || q == m.Name)
	})
	if j.broken(listMetaQueries, matches) {
		j.accuse(p, listMetaQueries, "listed-context-of-no-query", clip(m.Name), expect(o.meta.Queries))
	}
}

// judgeSelected judges one context of a selection. Outside the base namespace
// a query may mean anything, but it means its own namespace.
func (j *Judge) judgeSelected(p place, o *option, m wire.MetaContext) {
	for _, c := range o.contexts {
		if j.broken(setMetaUniqueIDs, c.ID != m.ID) {
			j.accuse(p, setMetaUniqueIDs, "context-id-used-twice", m.ID, clip(c.Name), clip(m.Name))
			break
		}
	}
	if j.broken(setMetaZeroQueries, len(o.meta.Queries) > 0) {
		j.accuse(p, setMetaZeroQueries, "context-selected-without-query", clip(m.Name))
		return
	}
	ns, _, _ := namespace(m.Name)
	var exact, leaf, empty bool
	for _, q := range o.meta.Queries {
		qns, l, _ := namespace(q)
		exact = exact || q == m.Name
		leaf = leaf || qns == ns && l != ""
		empty = empty || qns == ns && l == ""
	}
	if slices.Contains(o.meta.Queries, "base:") {
		j.broken(metaBaseWildcardSet, true)
	}
	switch {
	case ns == "base" && exact && m.Name != "base:":
	case ns == "base" && leaf:
		j.accuse(p, metaBaseUnknownLeaf, "context-selected-by-no-query", clip(m.Name), expect(o.meta.Queries))
	case ns == "base" && empty:
		j.accuse(p, metaBaseWildcardSet, "context-selected-by-base-wildcard", clip(m.Name))
	case leaf:
		j.broken(setMetaReply, true)
	case empty:
		j.accuse(p, metaEmptyLeaf, "context-selected-by-namespace", clip(m.Name))
	default:
		j.accuse(p, setMetaReply, "context-selected-by-no-query", clip(m.Name), expect(o.meta.Queries))
	}
}

// finalListMeta ends the answer to NBD_OPT_LIST_META_CONTEXT.
func (j *Judge) finalListMeta(p place, o *option, t wire.ReplyType) {
	j.judgeMalformed(p, o, t, listMetaMalformed)
	if !o.whole || o.faulty || o.vague {
		return
	}
	// A name that is longer than a string may be is too big by itself.
	if len(o.meta.Queries) == 0 && len(o.meta.Export) <= wire.MaxString && j.broken(listMetaZeroQueriesTooBig, t != wire.RepErrTooBig) {
		j.accuse(p, listMetaZeroQueriesTooBig, "too-big-without-queries")
	}
	if t == wire.RepAck && !o.lossy && j.baseNamed && j.baseExport == o.meta.Export && slices.Contains(o.meta.Queries, "base:") {
		named := slices.ContainsFunc(o.contexts, func(m wire.MetaContext) bool { return strings.HasPrefix(m.Name, "base:") })
		if j.broken(listMetaBaseWildcard, named) {
			j.accuse(p, listMetaBaseWildcard, "base-wildcard-finds-nothing", clip(o.meta.Export))
		}
	}
}

// finalSetMeta ends the answer to NBD_OPT_SET_META_CONTEXT.
func (j *Judge) finalSetMeta(p place, o *option, t wire.ReplyType) {
	j.judgeMalformed(p, o, t, setMetaMalformed)
	if !j.structured && !j.extended && j.broken(setMetaWithoutStructured, t != wire.RepAck) {
		j.accuse(p, setMetaWithoutStructured, "set-meta-acknowledged-before-structured-replies")
	}
	j.selected = selection{export: o.meta.Export}
	if t != wire.RepAck {
		return
	}
	j.selected.unknown = !o.whole || o.faulty || o.lossy
	j.selected.ids = make(map[uint32]string, len(o.contexts))
	for _, m := range o.contexts {
		j.selected.ids[m.ID] = m.Name
	}
}

// judgeMalformed accuses a server that takes lengths or counts that reach beyond
// the data. Whether data beyond them makes a request invalid is not said.
func (j *Judge) judgeMalformed(p place, o *option, t wire.ReplyType, c check) {
	if o.faulty && !o.excess && j.broken(c, t != wire.RepAck && t != wire.RepErrUnknown && t != wire.RepErrBlockSizeReqd) {
		j.accuse(p, c, "malformed-option-not-rejected", o.option, t)
	}
}
