package engine

// worthCollecting is the size of a batch that is sent without waiting for more
// replies, in bytes.
const worthCollecting = 64 << 10

// NewReply begins a reply of about n bytes. A batched one is for the goroutine
// that reads only, which makes one at a time: it is sent with those that follow,
// no later than before the goroutine waits for the client.
func (c *Conn) NewReply(n int, batched bool) *Reply {
	if !batched {
		return newReply(n)
	}
	if b := c.batch; b != nil && cap(b.Bytes)-len(b.Bytes) < n {
		c.Flush()
	}
	if c.batch == nil {
		c.batch = newReply(max(n, c.in.ahead))
		c.batch.batched = true
	}
	c.batch.start = len(c.batch.Bytes)
	return c.batch
}

// Abandon drops a reply that nothing was borrowed for, and that was not sent.
func (c *Conn) Abandon(r *Reply) {
	if r.batched {
		r.Bytes = r.Bytes[:r.start]
		return
	}
	r.Release()
}

// Send sends a reply. It takes over held bytes that were acquired, until the
// reply is sent. Errors close the transport.
func (c *Conn) Send(r *Reply, held int) {
	r.held += held
	if !r.batched {
		c.out.add(r)
		c.out.flush()
		return
	}
	c.batched++
	if r.size() >= ReadAhead {
		c.Flush()
	}
}

// Flush sends the batch, and waits until the kernel has taken it.
func (c *Conn) Flush() {
	if b := c.batch; b != nil {
		c.batch, c.batched = nil, 0
		c.out.send(b)
	}
}

// beforeReading sends the batch, unless the next n bytes have arrived. A small
// batch may wait until it is as large as the target, as long as more arrives
// within a short time.
func (c *Conn) beforeReading(n int) {
	if c.batch == nil {
		return
	}
	collect := c.blocking != nil && c.batch.size() < worthCollecting && c.in.fits(n)
	for len(c.in.bytes()) < n {
		if collect && c.batched < c.target.replies && c.blocking.Readable() && c.in.fill() == nil {
			continue // fill may have read less than n
		}
		if collect {
			c.target.adjust(c.batched)
		}
		c.Flush()
		return
	}
}
