package serverquirk

import (
	"sync"

	"nbdconform/reference/export"
)

// StaleRead reads from a cache that writes do not reach.
var StaleRead = register(Quirk{
	Name: "stale-read", Breaks: "flag.transmission.multi-conn",
	Doc: "answers every fourth NBD_CMD_READ of a connection with what it read from there before, whatever was written since",
	Hooks: wrap(func(e export.Export) export.Export {
		type place struct {
			off uint64
			n   int
		}
		var mu sync.Mutex
		count, seen := 0, make(map[place][]byte)
		return disk{Export: e, read: func(p []byte, off uint64) error {
			mu.Lock()
			defer mu.Unlock()
			at := place{off, len(p)}
			if count++; count%4 == 0 && seen[at] != nil {
				copy(p, seen[at])
				return nil
			}
			err := e.ReadAt(p, off)
			if len(seen) < 1024 && len(p) <= 64<<10 {
				seen[at] = append([]byte(nil), p...)
			}
			return err
		}}
	}),
})
