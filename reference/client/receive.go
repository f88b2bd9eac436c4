package client

import (
	"errors"
	"fmt"
	"io"

	"nbdconform/reference/wire"
)

// receive reads replies until the session is over. It alone finishes
// transactions, so that nobody gets back a buffer that is still read into.
func (c *Client) receive() {
	defer close(c.done)
	err := c.receiveReplies()
	c.fail(err)
	c.mu.Lock()
	left := make([]*transaction, 0, len(c.inflight))
	for _, t := range c.inflight {
		left = append(left, t)
	}
	err = c.err // the first cause
	c.mu.Unlock()
	for _, t := range left {
		c.finish(t, err)
	}
}

func (c *Client) receiveReplies() *SessionError {
	for {
		p, err := wire.ReadReply(c.r)
		if err != nil {
			return c.endOfReplies(err)
		}
		if err := c.receiveReply(p); err != nil {
			return err
		}
	}
}

// endOfReplies makes sense of an error where a reply should start.
func (c *Client) endOfReplies(err error) *SessionError {
	c.mu.Lock()
	pending, disc, why := len(c.inflight), c.discSent, c.stopping
	c.mu.Unlock()
	switch {
	case !ended(err):
		return sessionError("reading a reply", err)
	case pending > 0:
		return &SessionError{Err: fmt.Errorf("the server ended the session with %d requests in flight: %w", pending, err)}
	case disc:
		return why
	}
	return &SessionError{Err: fmt.Errorf("the server ended the session: %w", err)}
}

// receiveReply takes one simple reply or chunk. Its errors end the session.
func (c *Client) receiveReply(p wire.Reply) *SessionError {
	c.mu.Lock()
	t := c.inflight[p.Cookie()]
	c.mu.Unlock()
	if t == nil {
		return violation("trans.cookie.echo", "reading a reply: cookie %#x belongs to no request in flight", p.Cookie())
	}
	switch {
	case c.extended && p.Magic == wire.SimpleReplyMagic:
		return violation("trans.extended.no-simple", "reply to %v: it is simple although extended headers are negotiated", t.request.Type)
	case c.extended && p.Magic != wire.ExtendedReply:
		return violation("trans.extended.reply", "reply to %v: it is structured although extended headers are negotiated", t.request.Type)
	case c.extended && p.Chunk.Offset != t.request.Offset:
		return violation("trans.extended.offset", "reply to %v at offset %d: its header has offset %d", t.request.Type, t.request.Offset, p.Chunk.Offset)
	case c.extended:
	case p.Magic == wire.SimpleReplyMagic:
		return c.simple(t, p.Simple)
	case p.Magic != wire.StructuredMagic:
		return violation("", "reply to %v: extended replies are not negotiated", t.request.Type)
	case !c.structured:
		return violation("trans.structured.unnegotiated", "reply to %v: structured replies are not negotiated", t.request.Type)
	}
	if p.Chunk.Flags&^wire.ReplyFlagDone != 0 && c.cfg.breaks("chunk.flag.ignore-unknown") {
		return &SessionError{Err: fmt.Errorf("reply to %v: flags %v", t.request.Type, p.Chunk.Flags)}
	}
	take := c.chunk
	if c.cfg.breaks("chunk.inconsistent") || c.cfg.breaks("chunk.unknown-type") && p.Chunk.Type > wire.ChunkBlockStatusExt && !p.Chunk.Type.IsError() {
		take = c.lenient
	}
	if err := take(t, p.Chunk); err != nil {
		return err
	}
	if p.Chunk.Flags&wire.ReplyFlagDone == 0 {
		return nil
	}
	if err := t.reply.complete(t.request, c.asked(t)); err != nil && !c.cfg.breaks("chunk.inconsistent") && !c.cfg.breaks("chunk.unknown-type") {
		return err
	}
	if t.reply.err == nil {
		c.finish(t, nil)
		return nil
	}
	c.refusal(t, t.reply.err)
	return nil
}

func (c *Client) simple(t *transaction, p wire.SimpleReply) *SessionError {
	q := t.request
	if c.isLBAStatus(q) {
		return c.lbaReply(t, p)
	}
	switch {
	case q.Type == wire.CmdRead && c.structured:
		return violation("cmd.read.structured", "reply to %v: it is simple although structured replies are negotiated", q.Type)
	case q.Type == wire.CmdBlockStatus && p.Error == wire.OK:
		return violation("cmd.block-status.structured", "reply to %v: it is simple and no error", q.Type)
	case t.reply.chunks > 0:
		return violation("chunk.flag.done-last", "reply to %v: it is simple behind %d chunks", q.Type, t.reply.chunks)
	case p.Error != wire.OK:
		c.refusal(t, &RequestError{Request: q, Errno: p.Error, General: true})
		return nil
	}
	if q.Type == wire.CmdRead {
		if err := c.fill(t, 0, q.Length); err != nil {
			return sessionError("reading the data of a simple reply", err)
		}
	}
	c.finish(t, nil)
	return nil
}

// refusal finishes a transaction that failed.
func (c *Client) refusal(t *transaction, err *RequestError) {
	shutdown := err.Errno == wire.ESHUTDOWN
	for _, o := range err.Offsets {
		shutdown = shutdown || o.Errno == wire.ESHUTDOWN
	}
	switch {
	case shutdown && c.cfg.breaks("trans.end.eshutdown.soft"), !err.Errno.Known() && c.cfg.breaks("err.unexpected"):
		c.fail(&SessionError{Err: err})
	case shutdown:
		c.shutDown(err) // before the caller knows, so that nothing can be sent in between
	}
	c.finish(t, err)
}

// fill reads n bytes that lie at at in the data of t, or drops them if t was given up.
func (c *Client) fill(t *transaction, at, n uint64) error {
	if t.exclusive {
		_, err := io.ReadFull(c.r, t.data[at:at+n])
		return unexpected(err)
	}
	for n > 0 {
		if _, err := c.r.Peek(1); err != nil {
			return unexpected(err)
		}
		b, _ := c.r.Peek(int(min(n, uint64(c.r.Buffered()))))
		t.mu.Lock()
		if !t.given {
			copy(t.data[at:], b)
		}
		t.mu.Unlock()
		_, _ = c.r.Discard(len(b))
		at, n = at+uint64(len(b)), n-uint64(len(b))
	}
	return nil
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
