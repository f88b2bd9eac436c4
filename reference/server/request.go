package server

import (
	"sync"

	"nbdconform/reference/export"
	"nbdconform/reference/wire"
)

// A request is a request that is being worked on.
type request struct {
	wire.Request
	received wire.Request       // before hooks changed it
	data     []byte             // what followed, in payload or in the inbox
	payload  *buffer            // nil: none of its own
	pages    *export.Pages      // instead of data: what followed is on its way into the disk
	contexts []wire.MetaContext // that NBD_CMD_BLOCK_STATUS is about
	cost     int                // bytes taken from the budget
	inline   bool               // done by loop, and not by a worker

	extents []wire.Extent // scratch
	pieces  []piece       // scratch
}

var requests = sync.Pool{New: func() any { return new(request) }}

// storage has *export.Pages.
var storage = sync.Pool{New: func() any { return new(export.Pages) }}

func (r *request) release() {
	if r.payload != nil {
		putBuffer(r.payload)
	}
	if r.pages != nil {
		r.pages.Drop()
		storage.Put(r.pages)
	}
	*r = request{extents: r.extents[:0], pieces: r.pieces[:0]}
	requests.Put(r)
}

// estimate is what working on q costs the budget, in bytes.
func (t *transmission) estimate(q *wire.Request) int {
	switch q.Type {
	case wire.CmdRead, wire.CmdWrite:
		return int(q.Length) + 512
	case wire.CmdBlockStatus:
		return max(len(t.Contexts), 1) * 16 * t.srv.cfg.MaxExtents
	}
	return 512
}
