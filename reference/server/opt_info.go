package server

import (
	"fmt"

	"nbdconform/reference/wire"
)

// info answers NBD_OPT_INFO and NBD_OPT_GO, in the same way.
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
	if o.needsTLSFirst(e) {
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

// informBlockSize sends the size constraints where they were asked for, and
// where they are not the defaults, which every client may assume.
func (o *option) informBlockSize(q wire.InfoRequest) {
	if c := o.export.Constraints; q.Wants(wire.InfoBlockSize) || c != wire.DefaultSizeConstraints {
		o.inform(c.Info())
	}
}
