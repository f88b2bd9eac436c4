package referenceserver

import (
	"nbdconform/conformance/feature"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// dialects are the profiles in which the reference server speaks a draft.
var dialects = []profile{
	{
		"dialect-get-lba-status",
		[]feature.Feature{feature.GetLBAStatus},
		[]feature.Feature{
			feature.StructuredReply, feature.MetaContext, feature.BaseAllocation, feature.DF,
			feature.ExtendedHeaders, feature.BlockStatusPayload,
		},
		func(c *server.Config) {
			c.Dialect = wire.GetLBAStatus
			c.Exports[0].Disk = withContexts(c.Exports[0].Disk)
		},
	},
	{
		"dialect-write-zeroes-rfc",
		[]feature.Feature{feature.WriteZeroesRFC},
		[]feature.Feature{feature.WriteZeroes, feature.FastZero},
		func(c *server.Config) { c.Dialect = wire.WriteZeroesRFC },
	},
}
