package wire

import "strings"

// A MetaContextRequest is the data of NBD_OPT_LIST_META_CONTEXT and NBD_OPT_SET_META_CONTEXT.
type MetaContextRequest struct {
	Export  string
	Queries []string
}

// Append appends the encoded data to b.
func (q MetaContextRequest) Append(b []byte) []byte {
	b = be.AppendUint32(b, uint32(len(q.Export)))
	b = append(b, q.Export...)
	b = be.AppendUint32(b, uint32(len(q.Queries)))
	for _, s := range q.Queries {
		b = be.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	return b
}

// ParseMetaContextRequest parses b, the whole data of the option. A count that
// lies costs no memory: queries are allocated as they are found.
func ParseMetaContextRequest(b []byte) (q MetaContextRequest, err error) {
	const clause = "layout.opt.meta"
	if len(b) < 8 {
		return q, malformed(clause, "metadata context option has %d bytes of data, at least 8 are due", len(b))
	}
	if q.Export, b, err = take(b[4:], be.Uint32(b), clause, "the export name"); err != nil {
		return q, err
	}
	if len(b) < 4 {
		return q, malformed(clause, "metadata context option ends before the number of queries")
	}
	count := be.Uint32(b)
	b = b[4:]
	for i := range count {
		if len(b) < 4 {
			return q, malformed(clause, "metadata context option announces %d queries and ends behind %d", count, i)
		}
		var s string
		if s, b, err = take(b[4:], be.Uint32(b), clause, "a query"); err != nil {
			return q, err
		}
		q.Queries = append(q.Queries, s)
	}
	if len(b) > 0 {
		return q, malformed(clause, "metadata context option has %d bytes behind its last query", len(b))
	}
	return q, nil
}

// Validate reports names and queries that are no strings, and queries without a namespace.
func (q MetaContextRequest) Validate() error {
	return q.validate("opt.list-meta.query-syntax")
}

// validate names syntax as the clause of a query without a namespace: the two
// options state the rule each for itself.
func (q MetaContextRequest) validate(syntax string) error {
	if err := client.text("export name", q.Export); err != nil {
		return err
	}
	for _, s := range q.Queries {
		if err := client.text("query", s); err != nil {
			return err
		}
		if strings.IndexByte(s, ':') < 1 {
			return malformed(syntax, "query %q does not start with a namespace and a colon", s)
		}
	}
	return nil
}

// A MetaContext is the data of NBD_REP_META_CONTEXT.
type MetaContext struct {
	ID   uint32
	Name string
}

// Append appends the encoded data to b.
func (m MetaContext) Append(b []byte) []byte {
	return append(be.AppendUint32(b, m.ID), m.Name...)
}

// ParseMetaContext parses b, the whole data of the reply.
func ParseMetaContext(b []byte) (m MetaContext, err error) {
	if len(b) < 4 {
		return m, malformed("layout.rep.meta-context", "NBD_REP_META_CONTEXT has %d bytes of data, at least 4 are due", len(b))
	}
	return MetaContext{ID: be.Uint32(b), Name: string(b[4:])}, nil
}

// Validate holds the form of the name against section "Metadata querying". It
// does not know which namespaces are registered.
func (m MetaContext) Validate() error {
	if err := server.text("metadata context name", m.Name); err != nil {
		return err
	}
	if strings.IndexByte(m.Name, ':') < 1 {
		return malformed("meta.name.syntax", "metadata context %q is not a namespace, a colon and a leaf-name", m.Name)
	}
	return nil
}
