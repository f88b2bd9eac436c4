package server

import (
	"errors"
	"io"
	"net"

	"nbdconform/reference/wire"
)

// readAhead is how much is read from a line at once, in bytes: dozens of small
// requests with a single system call. As many replies go out together.
const readAhead = 256 << 10

// An inbox is the reading side of the transmission phase. It borrows a buffer
// when something comes and gives it back when all of it was taken, so that a
// connection on which nothing happens holds none. Where there is no telling
// that something comes but reading, as within TLS, it keeps a small one.
type inbox struct {
	src   io.Reader
	poll  *poller // nil: src can only be read
	ahead int     // bytes that are read at once
	buf   *buffer // what came is buf.b[from:]; nil: nothing
	from  int
	most  int // bytes to read ahead; 0: as many as there is room for
}

// newInbox reads from nc, behind what has come already.
func newInbox(nc net.Conn, already []byte) *inbox {
	in := &inbox{src: nc, ahead: transmitBuffer}
	if _, ok := nc.(*line); ok {
		in.ahead = readAhead
	}
	in.poll = newPoller(nc, in)
	if len(already) > 0 {
		in.came(copy(in.room(), already))
	}
	return in
}

// bytes is what has come and was not taken.
func (in *inbox) bytes() []byte {
	if in.buf == nil {
		return nil
	}
	return in.buf.b[in.from:]
}

// skip takes n bytes that have come.
func (in *inbox) skip(n int) {
	if in.from += n; in.buf != nil && in.from == len(in.buf.b) {
		in.buf.b, in.from = in.buf.b[:0], 0
	}
}

// rest gives the buffer back while there is nothing in it.
func (in *inbox) rest() {
	if in.buf != nil && len(in.bytes()) == 0 {
		in.close()
	}
}

// close gives the buffer back. What is in it is lost.
func (in *inbox) close() {
	if in.buf != nil {
		putBuffer(in.buf)
	}
	in.buf, in.from = nil, 0
}

// fill waits for more to come. It invalidates what bytes and peek returned.
func (in *inbox) fill() error {
	if in.poll != nil {
		return in.poll.read()
	}
	n, err := in.src.Read(in.room())
	in.came(n)
	if n > 0 {
		return nil
	}
	return err
}

// came says that n bytes were put into the room.
func (in *inbox) came(n int) { in.buf.b = in.buf.b[:len(in.buf.b)+n] }

// room is where the next bytes go: there is some unless more is awaited than fits.
func (in *inbox) room() []byte {
	switch {
	case in.buf == nil:
		in.buf = getBuffer(in.ahead)
	case in.from > 0:
		in.buf.b = in.buf.b[:copy(in.buf.b, in.buf.b[in.from:])]
		in.from = 0
	}
	room := in.buf.b[len(in.buf.b):cap(in.buf.b)]
	if in.most > 0 {
		return room[:max(in.most-len(in.buf.b), 0)]
	}
	return room
}

// fits reports whether peek can show n bytes.
func (in *inbox) fits(n int) bool { return in.poll != nil && n <= in.ahead/2 }

// peek waits until n bytes have come, which fit, and shows them. They are good
// until more is read.
func (in *inbox) peek(n int) ([]byte, error) {
	for len(in.bytes()) < n {
		if err := in.fill(); err != nil {
			return nil, unexpected(err)
		}
	}
	return in.bytes()[:n], nil
}

// Read takes what has come, or waits for more. Long reads go around the buffer.
func (in *inbox) Read(p []byte) (int, error) {
	b := in.bytes()
	if len(b) == 0 && len(p) >= transmitBuffer {
		return in.src.Read(p)
	}
	if len(b) == 0 {
		if err := in.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, in.bytes())
	in.skip(n)
	return n, nil
}

// scatter fills the parts. Of what is behind them it reads the header of a
// request at most, and so do those who read next, until there is one: where
// payload comes that is worth a place of its own, more of it may follow.
func (in *inbox) scatter(parts [][]byte, header int) error {
	for len(parts) > 0 {
		if b := in.bytes(); len(b) > 0 {
			n := copy(parts[0], b)
			in.skip(n)
			if parts[0] = parts[0][n:]; len(parts[0]) == 0 {
				parts = parts[1:]
			}
			continue
		}
		var err error
		in.most = header
		if parts, err = in.poll.scatter(parts); err != nil {
			return unexpected(err)
		}
	}
	return nil
}

// discard takes n bytes, and throws them away.
func (in *inbox) discard(n uint64) error {
	for {
		k := min(uint64(len(in.bytes())), n)
		in.skip(int(k))
		if n -= k; n == 0 {
			return nil
		}
		if err := in.fill(); err != nil {
			return unexpected(err)
		}
	}
}

// request reads the header of a request. It does not wait for the rest of one
// that is wrong already. At the end, before a request, the error is io.EOF.
func (in *inbox) request(extended bool) (wire.Request, error) {
	parse := wire.ParseRequest
	if extended {
		parse = wire.ParseExtendedRequest
	}
	for {
		b := in.bytes()
		if len(b) > 0 {
			q, n, err := parse(b)
			if err == nil {
				in.skip(n)
				in.most = 0
				return q, nil
			}
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				return q, err
			}
		}
		if err := in.fill(); err != nil {
			if len(b) > 0 {
				err = unexpected(err)
			}
			return wire.Request{}, err
		}
	}
}

// unexpected is err in the middle of something.
func unexpected(err error) error {
	if err == io.EOF { //nolint:errorlint // readers return it bare
		return io.ErrUnexpectedEOF
	}
	return err
}
