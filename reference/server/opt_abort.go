package server

import "nbdconform/reference/wire"

// abort answers NBD_OPT_ABORT: the session ends after the acknowledgement. Data
// is ignored, as clause opt.abort.ignore-data asks.
func (o *option) abort() {
	o.reply(wire.RepAck, nil)
	o.hangup = true
}
