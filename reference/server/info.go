package server

import (
	"fmt"

	"nbdconform/reference/wire"
)

// info answers NBD_OPT_INFO and NBD_OPT_GO, both alike.
func (o *option) info() {
	if !o.fits() {
		return
	}
	q, err := wire.ParseInfoRequest(o.req.Data)
	if err == nil {
		err = wire.ValidateString("export name", q.Export)
	}
	if !o.enforce("opt.info.name-length", err == nil) {
		o.fail(wire.RepErrInvalid, err.Error())
		return
	}
	e := o.srv.cfg.find(q.Export)
	if e == nil {
		o.fail(wire.RepErrUnknown, fmt.Sprintf("there is no export %q", q.Export))
		return
	}
	if o.withheld(e) {
		return
	}
	o.export = e
	o.informBlockSize(q)
	if !o.constraintsMet("size.refuse.go", e, q.Wants(wire.InfoBlockSize)) {
		o.fail(wire.RepErrBlockSizeReqd, "this export has size constraints that have to be asked for")
		return
	}
	flags := o.flags(e, q.Export)
	o.inform(wire.ExportInfo{Size: e.Disk.Size(), Flags: flags}.Info())
	if q.Wants(wire.InfoName) || q.Export != e.Name {
		o.inform(wire.Info{Type: wire.InfoName, Payload: []byte(e.Name)})
	}
	if q.Wants(wire.InfoDescription) && e.Description != "" {
		o.inform(wire.Info{Type: wire.InfoDescription, Payload: []byte(e.Description)})
	}
	if e.InitState && q.Wants(wire.InfoInitState) {
		if f := initState(e.Disk); f != 0 {
			o.inform(f.Info())
		}
	}
	o.reply(wire.RepAck, nil)
	if o.enter = o.req.Option == wire.OptGo; o.enter {
		o.choose(e, q.Export, flags)
	}
}

func (o *option) inform(i wire.Info) { o.reply(wire.RepInfo, i.Append(nil)) }

// informBlockSize sends the size constraints where they were asked for and
// where they are not what every client may assume.
func (o *option) informBlockSize(q wire.InfoRequest) {
	if c := o.export.Constraints; q.Wants(wire.InfoBlockSize) || c != wire.DefaultSizeConstraints {
		o.inform(c.Info())
	}
}

// constraintsMet reports whether a client that did or did not ask for the size
// constraints may use e. The clause says what the server may do otherwise.
func (c *conn) constraintsMet(clause string, e *Export, asked bool) bool {
	return c.enforce(clause, asked || !e.RequireBlockSize || e.Constraints == wire.DefaultSizeConstraints)
}

// choose makes e the export of the transmission phase. Contexts that were
// selected for an export of another name are void.
func (c *conn) choose(e *Export, name string, flags wire.TransmissionFlags) {
	c.Export, c.Name, c.Flags = e, name, flags
	if !c.enforce("cmd.block-status.needs-context", c.ContextsFor == name) {
		c.Contexts = nil
	}
}

// exportName answers NBD_OPT_EXPORT_NAME, which has no way to say no but
// hanging up.
func (o *option) exportName() (enter, done bool, err error) {
	x := ExportNameExchange{Session: &o.Session, Name: string(o.req.Data)}
	var refusal error
	switch x.Export = o.srv.cfg.find(x.Name); {
	case o.tooLong:
		refusal = violation("string.max-length.client", "export name is longer than %d bytes", wire.MaxString)
	case o.srv.stopping.Load():
		refusal = ErrClosed
	case !o.enforce("opt.export-name.extended", !o.Extended):
		refusal = violation("opt.export-name.extended", "NBD_OPT_EXPORT_NAME is sent although extended headers were negotiated")
	case x.Export == nil:
		refusal = fmt.Errorf("there is no export %q", x.Name)
	case !o.enforce(o.exportNameClause(), !o.needsTLS(x.Export)):
		refusal = fmt.Errorf("export %q needs TLS", x.Name)
	case !o.constraintsMet("size.refuse.export-name", x.Export, false):
		refusal = fmt.Errorf("size constraints of export %q have to be asked for", x.Name)
	}
	if refusal != nil {
		x.Refused, x.Hangup, x.Silent = true, true, true
	}
	if x.Export != nil {
		x.Reply = wire.ExportNameReply{
			Size: x.Export.Disk.Size(), Flags: o.flags(x.Export, x.Name),
			Zeroes: o.ClientFlags&wire.FlagCNoZeroes == 0,
		}
	}
	if o.hooks.ExportName != nil {
		o.hooks.ExportName(&x)
	}
	if err := o.send(&x.Answer, x.Reply.Append(nil)); err != nil {
		return false, true, fmt.Errorf("answering NBD_OPT_EXPORT_NAME: %w", err)
	}
	if done, err = o.after(&x.Answer); done {
		if err == nil {
			err = refusal
		}
		return false, true, err
	}
	if x.Refused || x.Export == nil {
		return false, false, nil
	}
	o.choose(x.Export, x.Name, x.Reply.Flags)
	return true, false, nil
}
