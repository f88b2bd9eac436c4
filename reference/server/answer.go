package server

import (
	"net"
	"time"
)

// An Answer is how the answer to a message is sent. Its zero value is the
// ordinary way.
type Answer struct {
	// Raw is sent instead of the messages, if it is not nil. The other fields
	// apply to it.
	Raw []byte
	// Silent sends nothing. The connection goes on.
	Silent bool
	// Stall sends nothing, and ignores all that comes; the connection stays open.
	Stall bool
	// Delay passes before the first byte; replies to other requests overtake.
	Delay time.Duration
	// Hold keeps the answer back until the next one of the connection was
	// sent, but no longer than this. Replies to requests only.
	Hold time.Duration
	// Pace passes after every byte.
	Pace time.Duration
	// Truncate sends so many bytes at most, if it is positive.
	Truncate int
	// Hangup closes the connection behind the answer. It is set for
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
		c.sleep(a.Delay)
	}
	err := c.writePaced(messages, a.Pace)
	if a.Reset {
		s := socket(c.transport())
		if t, ok := s.(*net.TCPConn); ok {
			_ = t.SetLinger(0)
		}
		_ = s.Close()
		c.close()
	}
	if a.Crash {
		c.srv.crash()
	}
	return err
}

func (c *conn) writePaced(b []byte, pace time.Duration) error {
	c.sendMu.Lock()
	defer c.sendMu.Unlock()
	if pace <= 0 {
		if len(b) == 0 {
			return nil
		}
		_, err := c.transport().Write(b)
		return err
	}
	for i := range b {
		if _, err := c.transport().Write(b[i : i+1]); err != nil {
			return err
		}
		c.sleep(pace)
	}
	return nil
}

// sleep waits, but not beyond the end of the connection.
func (c *conn) sleep(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.gone:
	}
}

// Send sends bytes at once, between the answers.
func (s *Session) Send(b []byte) error { return s.conn.writePaced(b, 0) }
