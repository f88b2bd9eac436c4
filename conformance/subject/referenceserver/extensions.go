package referenceserver

import (
	"bytes"

	"nbdconform/conformance/feature"
	"nbdconform/reference/export"
	"nbdconform/reference/server"
)

// durable is the profile whose storage outlives the server.
const durable = "durable"

// extensions are the profiles with what is not in the protocol document itself.
var extensions = []profile{
	{
		"contexts",
		[]feature.Feature{feature.DirtyBitmap, feature.AllocationDepth},
		nil,
		func(c *server.Config) { c.Exports[0].Disk = withContexts(c.Exports[0].Disk) },
	},
	{
		durable, nil, nil,
		func(c *server.Config) { c.Exports[0].Disk = export.NewVolatile(c.Exports[0].Disk.Size()) },
	},
	{
		"init-state",
		[]feature.Feature{feature.InitState},
		nil,
		func(c *server.Config) { c.Exports[0].InitState = true },
	},
	{
		"resize",
		[]feature.Feature{feature.Resize},
		nil,
		func(c *server.Config) {
			e := &c.Exports[0]
			e.Disk, e.Resizable = export.NewResizable(e.Disk.Size(), 2*e.Disk.Size()), true
		},
	},
}

// withContexts puts a layer with two dirty bitmaps over a disk that has data
// at its beginning, so that there is something to tell in every context.
func withContexts(base export.Export) export.Export {
	_ = base.WriteAt(bytes.Repeat([]byte{1}, int(min(base.Size(), 1<<20))), 0) // a Memory without limits takes it
	d := export.NewTracked(export.NewLayered(base), "b0", "b1")
	_ = d.WriteAt(bytes.Repeat([]byte{2}, int(min(d.Size(), 1<<20))), min(d.Size(), 2<<20))
	return d
}
