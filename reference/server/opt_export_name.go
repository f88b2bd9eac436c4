package server

import (
	"fmt"

	"nbdconform/reference/wire"
)

// exportName answers NBD_OPT_EXPORT_NAME. It has no error reply: to refuse it,
// the server ends the session.
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
