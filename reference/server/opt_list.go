package server

import "nbdconform/reference/wire"

// list answers NBD_OPT_LIST with one NBD_REP_SERVER for each export.
func (o *option) list() {
	if !o.noData("opt.list.data-invalid") {
		return
	}
	for _, e := range o.srv.cfg.Exports {
		if !e.Hidden {
			o.reply(wire.RepServer, wire.ServerReply{Name: e.Name, Details: e.Description}.Append(nil))
		}
	}
	o.reply(wire.RepAck, nil)
}
