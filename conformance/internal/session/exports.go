package session

import (
	"context"

	"nbdconform/conformance/feature"
	"nbdconform/conformance/internal/verdict"
	"nbdconform/reference/wire"
)

// NoExport is a name under which few servers have an export.
const NoExport = "no-export-has-this-name"

// MissingExport returns a name under which the target has no export, by its own
// answer to NBD_OPT_INFO. The spec is unsupported where the target takes any
// name, or does not tell.
func MissingExport(ctx context.Context) string {
	a := Haggle(ctx).Option(wire.OptInfo, wire.InfoRequest{Export: NoExport, Infos: []wire.InfoType{wire.InfoBlockSize}})
	switch {
	case a.End != Complete:
		verdict.Blocked("baseline.server.info", "asking-about-missing-export", a)
	case a.Type() == wire.RepErrUnsup:
		verdict.Unsupported("exports-not-told")
	case !a.Type().IsError():
		verdict.Unsupported("any-export-name")
	}
	return NoExport
}

// OrRefusal adds to types of final replies those by which a server may refuse
// any option that it knows: for reasons of policy or platform, when it shuts
// down, and for want of TLS if it has that.
func (f Facts) OrRefusal(allowed ...wire.ReplyType) []wire.ReplyType {
	allowed = append(allowed, wire.RepErrPolicy, wire.RepErrPlatform, wire.RepErrShutdown)
	if f.Features[feature.StartTLS] {
		allowed = append(allowed, wire.RepErrTLSReqd)
	}
	return allowed
}
