package server

import "nbdconform/reference/wire"

// structuredReply answers NBD_OPT_STRUCTURED_REPLY. Once extended headers are
// negotiated there is no way back from them.
func (o *option) structuredReply() {
	switch {
	case !o.noData("opt.structured-reply.data-invalid"):
	case !o.enforce("opt.structured-reply.extended", !o.Extended):
		o.fail(wire.RepErrExtHeaderReqd, "extended headers have been negotiated")
	default:
		o.Structured = true
		o.reply(wire.RepAck, nil)
	}
}
