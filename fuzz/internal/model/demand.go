package model

import (
	"maps"
	"slices"

	"nbdconform/conformance/clause"
	"nbdconform/reference/wire"
)

// A demand is what one connection heard, before TLS, of an export that seems to
// need it. It is no fact for other connections: a server may choose its TLS
// mode anew for each, and "a client MUST NOT assume indications from a prior
// TCP session".
type demand struct {
	reqd   wire.Option // the one that was answered by NBD_REP_ERR_TLS_REQD, 0: none
	policy wire.Option // the one that was answered by NBD_REP_ERR_POLICY, 0: none
}

// mayOmit reports whether an export may need TLS that the connection does not
// have: then the server need not list it, nor know it.
func (c *Conn) mayOmit() bool { return !c.TLS && !c.m.opts.Plain }

// demanded hears the answer to NBD_OPT_INFO and NBD_OPT_GO for what it says of TLS.
func (c *Conn) demanded(o wire.Option, q wire.InfoRequest, replies []wire.OptionReply) []Violation {
	last := replies[len(replies)-1].Type
	if c.TLS {
		return c.missing(q.Export, last)
	}
	if q.Validate() != nil {
		return nil // an error may be about that
	}
	d := c.demands[q.Export]
	exists := slices.Contains(c.m.opts.Exports, q.Export)
	switch last {
	case wire.RepErrTLSReqd:
		d.reqd = o
		c.hides(q.Export, exists, replies)
	case wire.RepErrPolicy:
		d.policy = o
	default:
		return nil // that NBD_OPT_INFO succeeds is not held against it: tls.selective.info is disputed
	}
	if c.demands == nil {
		c.demands = make(map[string]demand)
	}
	c.demands[q.Export] = d
	if d.reqd == 0 || d.policy == 0 || !exists {
		return nil
	}
	id := clause.ID("tls.selective.info") // FORCEDTLS says the same of any option
	if d.policy == wire.OptGo {
		id = "tls.selective.go"
	}
	return violate(nil, id, "without TLS, %v for export %q is answered by NBD_REP_ERR_POLICY and %v by NBD_REP_ERR_TLS_REQD, which is due for both", d.policy, q.Export, d.reqd)
}

// hides hears NBD_REP_ERR_TLS_REQD. A server says so for what does not exist in
// order to hide what does, or because the export is there: that can't be told
// before TLS, and is noted for [Model.Hidden].
func (c *Conn) hides(name string, exists bool, replies []wire.OptionReply) {
	switch {
	case !exists:
		c.hidden = append(c.hidden, name)
	case slices.ContainsFunc(replies, func(r wire.OptionReply) bool { return r.Type == wire.RepInfo }):
		c.shown = append(c.shown, name)
	}
	if len(c.shown) > 0 {
		for _, name := range c.hidden {
			c.m.hidden[name] = c.shown[0]
		}
	}
}

// Hidden lists the names of exports of which a server, on a connection without
// TLS, said that they need it, where it described another one that does. It
// should not, if there is no such export: NBD_OPT_INFO within TLS tells.
func (m *Model) Hidden() []string { return slices.Sorted(maps.Keys(m.hidden)) }

// missing hears within TLS whether there is an export.
func (c *Conn) missing(name string, last wire.ReplyType) []Violation {
	other, ok := c.m.hidden[name]
	if !ok || last != wire.RepErrUnknown {
		return nil
	}
	return violate(nil, "opt.info.hide-unknown.no-info",
		"without TLS, the server hides by NBD_REP_ERR_TLS_REQD that there is no export %q, and describes %q before that error", name, other)
}

// served judges that an export is entered without TLS. Where the server said
// that it needs TLS, that was wrong, or this is.
func (c *Conn) served(o wire.Option, name string) []Violation {
	d := c.demands[name]
	if d.reqd == 0 {
		return nil
	}
	id := clause.ID("tls.selective.go")
	if o == wire.OptExportName {
		id = "opt.export-name.requirements" // whatever the mode
	}
	return violate(nil, id, "without TLS, %v for export %q is answered by NBD_REP_ERR_TLS_REQD, and %v enters it", d.reqd, name, o)
}
