package server

import (
	"fmt"
	"sync"

	"nbdconform/reference/export"
	"nbdconform/reference/server/internal/engine"
	"nbdconform/reference/wire"
)

// A request is a request that is being worked on.
type request struct {
	wire.Request
	received wire.Request       // before hooks changed it
	command  *command           // nil: unknown
	payload  engine.Payload     // what followed it
	pages    *export.Pages      // instead of payload, storage of the disk that it was received into; or nil
	contexts []wire.MetaContext // that NBD_CMD_BLOCK_STATUS is about
	held     int                // memory that was acquired, bytes
	inline   bool               // served by loop, and not by a worker

	extents []wire.Extent // scratch
	pieces  []piece       // scratch
}

var requests = sync.Pool{New: func() any { return new(request) }}

// storage has *export.Pages.
var storage = sync.Pool{New: func() any { return new(export.Pages) }}

func newRequest(q wire.Request) *request {
	r := requests.Get().(*request)
	r.Request, r.received = q, q
	return r
}

func (r *request) release() {
	r.payload.Release()
	if r.pages != nil {
		r.pages.Drop()
		storage.Put(r.pages)
	}
	*r = request{extents: r.extents[:0], pieces: r.pieces[:0]}
	requests.Put(r)
}

// withoutCopy is how much data is sent from or received into the pages of a disk,
// at least, in bytes. Less is copied, which is cheaper.
const withoutCopy = 32 << 10

// direct reports whether n bytes of data move between the client and the disk
// without a copy.
func (t *transmission) direct(r *request, n int) bool {
	return t.memory != nil && r.inline && n >= withoutCopy
}

// readPayload reads the n bytes that follow r.
func (t *transmission) readPayload(r *request, n int) (err error) {
	switch {
	case n == 0:
		return nil
	case r.Type == wire.CmdWrite && t.direct(r, n):
		r.pages = storage.Get().(*export.Pages)
		r.pages.Start(r.Offset, uint64(n))
		err = t.engine.ReadInto(r.pages, n)
	default:
		err = t.engine.ReadPayload(&r.payload, n, r.inline)
	}
	if err != nil {
		return fmt.Errorf("reading the %d bytes of %v: %w", n, r.Type, err)
	}
	return nil
}

// store writes the payload of r to the disk.
func (t *transmission) store(r *request) error {
	if r.pages != nil {
		return r.pages.Store(t.memory)
	}
	return t.disk.WriteAt(r.payload.Data, r.Offset)
}
