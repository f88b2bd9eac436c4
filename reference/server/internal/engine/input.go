package engine

import (
	"errors"
	"io"
	"net"

	"nbdconform/reference/server/internal/socket"
	"nbdconform/reference/wire"
)

// An input is the reading side of a connection. It takes a buffer from the pool
// when bytes arrive and gives it back when all of them were taken, so that an
// idle connection holds none. Where only reading shows that something has
// arrived, as within TLS, it keeps a small one.
type input struct {
	src      io.Reader
	receiver *receiver // nil: src can only be read
	ahead    int       // bytes that are read at once
	buf      *buffer   // buf.b[from:] was read and not taken; nil: nothing
	from     int
	most     int // bytes to read ahead; 0: as many as there is room for
}

// init reads from nc, after the bytes that were received before.
func (in *input) init(nc net.Conn, blocking *socket.Socket, before []byte) {
	in.src, in.ahead = nc, plainReadAhead
	if blocking != nil {
		in.ahead = ReadAhead
	}
	in.receiver = newReceiver(nc, blocking, in)
	if len(before) > 0 {
		in.received(copy(in.room(), before))
	}
}

// bytes is what was received and not taken.
func (in *input) bytes() []byte {
	if in.buf == nil {
		return nil
	}
	return in.buf.b[in.from:]
}

// skip takes n bytes that were received.
func (in *input) skip(n int) {
	if in.from += n; in.buf != nil && in.from == len(in.buf.b) {
		in.buf.b, in.from = in.buf.b[:0], 0
	}
}

// rest gives the buffer back while there is nothing in it.
func (in *input) rest() {
	if in.buf != nil && len(in.bytes()) == 0 {
		in.close()
	}
}

// close gives the buffer back, and drops what is in it.
func (in *input) close() {
	if in.buf != nil {
		in.buf.release()
	}
	in.buf, in.from = nil, 0
}

// fill waits for more to arrive. It invalidates what bytes and peek returned.
func (in *input) fill() error {
	if in.receiver != nil {
		return in.receiver.read()
	}
	n, err := in.src.Read(in.room())
	in.received(n)
	if n > 0 {
		return nil
	}
	return err
}

// received says that n bytes were put into the room.
func (in *input) received(n int) { in.buf.b = in.buf.b[:len(in.buf.b)+n] }

// room is where the next bytes go. It is not empty, unless more is awaited than
// fits.
func (in *input) room() []byte {
	switch {
	case in.buf == nil:
		in.buf = newBuffer(in.ahead)
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

// fits reports whether peek can return n bytes.
func (in *input) fits(n int) bool { return in.receiver != nil && n <= in.ahead/2 }

// peek waits until n bytes have arrived, which fit, and returns them. They are
// good until more is read.
func (in *input) peek(n int) ([]byte, error) {
	for len(in.bytes()) < n {
		if err := in.fill(); err != nil {
			return nil, unexpected(err)
		}
	}
	return in.bytes()[:n], nil
}

// Read takes what was received, or waits for more. Long reads bypass the buffer.
func (in *input) Read(p []byte) (int, error) {
	b := in.bytes()
	if len(b) == 0 && len(p) >= plainReadAhead {
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

// scatter fills the parts. It reads at most the header of a request beyond them,
// and so does all reading until there is one: where payload arrives that is
// received without a copy, more of it may follow.
func (in *input) scatter(parts [][]byte, header int) error {
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
		if parts, err = in.receiver.scatter(parts); err != nil {
			return unexpected(err)
		}
	}
	return nil
}

// discard takes n bytes, and drops them.
func (in *input) discard(n uint64) error {
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
// that is wrong already.
func (in *input) request(parse func([]byte) (wire.Request, int, error)) (wire.Request, error) {
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
