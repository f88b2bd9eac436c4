package server

import "nbdconform/reference/wire"

// extendedHeaders answers NBD_OPT_EXTENDED_HEADERS.
func (o *option) extendedHeaders() {
	switch {
	case o.srv.cfg.NoExtendedHeaders:
		o.unknown()
	case o.noData("opt.extended-headers.data-invalid"):
		o.Structured, o.Extended = true, true
		o.reply(wire.RepAck, nil)
	}
}
