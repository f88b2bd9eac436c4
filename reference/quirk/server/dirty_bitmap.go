package serverquirk

import (
	"strings"

	"nbdconform/reference/export"
	"nbdconform/reference/server"
)

// onBitmaps makes hooks that replace operations of a disk with dirty bitmaps.
func onBitmaps(f func(*export.Tracked) disk) server.Hooks {
	return wrap(func(e export.Export) export.Export {
		if t, ok := e.(*export.Tracked); ok {
			return f(t)
		}
		return e
	})
}

// BitmapMissesWrites records zeroes and trims alone.
var BitmapMissesWrites = register(Quirk{
	Name: "bitmap-misses-writes", Breaks: "meta.qemu.dirty-bitmap.dirty",
	Doc:   "does not record NBD_CMD_WRITE in dirty bitmaps",
	Hooks: onBitmaps(func(t *export.Tracked) disk { return disk{Export: t, write: t.Export.WriteAt} }),
})

// BitmapMissesZeroes records writes and trims alone.
var BitmapMissesZeroes = register(Quirk{
	Name: "bitmap-misses-zeroes", Breaks: "meta.qemu.dirty-bitmap.dirty",
	Doc:   "does not record NBD_CMD_WRITE_ZEROES in dirty bitmaps",
	Hooks: onBitmaps(func(t *export.Tracked) disk { return disk{Export: t, zero: t.Export.Zero} }),
})

// BitmapCleanedByZeroes takes zeroes for the state before all changes.
var BitmapCleanedByZeroes = register(Quirk{
	Name: "bitmap-cleaned-by-zeroes", Breaks: "meta.qemu.dirty-bitmap.dirty",
	Doc: "clears all dirty bitmaps on NBD_CMD_WRITE_ZEROES",
	Hooks: onBitmaps(func(t *export.Tracked) disk {
		return disk{Export: t, zero: func(off, n uint64, noHole, fast bool) error {
			for _, name := range t.Contexts() {
				t.Clear(strings.TrimPrefix(name, export.DirtyBitmap))
			}
			return t.Export.Zero(off, n, noHole, fast)
		}}
	}),
})
