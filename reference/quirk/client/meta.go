package clientquirk

import (
	"nbdconform/reference/client"
	"nbdconform/reference/wire"
)

// Metadata contexts.
var (
	ListMetaError = breaking("client-list-meta-error", "opt.list-meta.disregard-on-error",
		"believes the metadata contexts that were listed before an error")
	ListMetaID = breaking("client-list-meta-id", "opt.list-meta.id-disregard",
		"gives up where a listed metadata context has an id")
	MetaIDSmall = breaking("client-meta-id-small", "opt.set-meta.opaque-id",
		"takes ids of metadata contexts for numbers below 256")
	SameStatusFatal = breaking("client-same-status-fatal", "cmd.block-status.same-status",
		"gives up on neighbouring descriptors of the same status")
	MetaUnstructured = breaking("client-meta-unstructured", "opt.set-meta.needs-structured",
		"selects metadata contexts where it was refused structured replies")
	AllocationUnknown = breaking("client-allocation-unknown", "meta.allocation.unknown",
		"takes any unknown flag of base:allocation for NBD_STATE_ZERO")
	MetaShort = saying("client-meta-short", "layout.opt.meta",
		"cuts the data of NBD_OPT_SET_META_CONTEXT short", wire.OptSetMetaContext, func(m *client.OptionMessage) {
			m.Request.Data = m.Request.Data[:len(m.Request.Data)-3]
		})
	SetMetaBare = saying("client-set-meta-bare", "opt.set-meta.query-syntax",
		"selects metadata contexts by a query without a namespace", wire.OptSetMetaContext, func(m *client.OptionMessage) {
			m.Request.Data = wire.MetaContextRequest{Export: "disk", Queries: []string{"allocation"}}.Append(nil)
		})
	ListMetaBare = saying("client-list-meta-bare", "opt.list-meta.query-syntax",
		"lists metadata contexts by a query without a namespace", wire.OptListMetaContext, func(m *client.OptionMessage) {
			m.Request.Data = wire.MetaContextRequest{Export: "disk", Queries: []string{"allocation"}}.Append(nil)
		})
)

// AllocationFatal gives up on flags of base:allocation that it does not know.
var AllocationFatal = register(Quirk{
	Name: "client-allocation-fatal", Breaks: "meta.allocation.unknown", Doc: "gives up on flags of base:allocation that it does not know",
	Hooks: client.Hooks{Skip: map[string]bool{"meta.allocation.unknown.fatal": true}},
})
