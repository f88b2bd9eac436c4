package server

import "time"

// An Answer is how the answer to a message is sent. Its zero value is the
// ordinary way.
type Answer struct {
	// Raw is sent instead of the messages, if it is not nil. The other fields
	// apply to it.
	Raw []byte
	// Silent sends nothing. The connection goes on.
	Silent bool
	// Stall sends nothing, and ignores all that is received; the connection stays
	// open.
	Stall bool
	// Delay passes before the first byte; replies to other requests are sent
	// meanwhile.
	Delay time.Duration
	// Hold keeps the answer back until the next one of the connection was
	// sent, but no longer than this. Replies to requests only.
	Hold time.Duration
	// Pace passes after every byte.
	Pace time.Duration
	// Truncate sends so many bytes at most, if it is positive.
	Truncate int
	// Hangup closes the connection after the answer. It is set for
	// NBD_OPT_ABORT, NBD_CMD_DISC and the like: a hook that clears it keeps
	// the connection open.
	Hangup bool
	// Reset closes the connection at once, by a TCP reset if it is TCP.
	// Requests that are being worked on get no reply.
	Reset bool
	// Crash closes the listeners and all connections of the server, as soon as
	// the answer was sent.
	Crash bool
}

// send sends messages, or what a has instead.
func (c *conn) send(a *Answer, messages []byte) error {
	if a.Raw != nil {
		messages = a.Raw
	}
	if a.Silent || a.Stall {
		messages = nil
	}
	if a.Truncate > 0 {
		messages = messages[:min(a.Truncate, len(messages))]
	}
	if a.Delay > 0 {
		c.transport.Sleep(a.Delay)
	}
	err := c.transport.Write(messages, a.Pace)
	if a.Reset {
		c.transport.Reset()
	}
	if a.Crash {
		c.srv.crash()
	}
	return err
}

// after does what a has to be done after the answer was sent, but closing, which
// is up to the caller: done ends the session.
func (c *conn) after(a *Answer) (done bool, err error) {
	if a.Stall {
		return true, c.stall()
	}
	return a.Hangup || a.Crash || a.Reset, nil
}

// Send sends bytes at once, between the answers.
func (s *Session) Send(b []byte) error { return s.conn.transport.Write(b, 0) }
