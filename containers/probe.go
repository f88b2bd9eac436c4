package containers

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

const (
	probeEvery = 20 * time.Millisecond // between two tries to be greeted
	probeTime  = 5 * time.Second       // for one try
	startTime  = 30 * time.Second      // for a server to greet after its start
)

// errOtherGreeting is the error for a server of another protocol.
var errOtherGreeting = errors.New("it does not greet as NBD servers do")

// awaitGreeting dials until the server greets, the context ends, or dead
// returns an error: the reason why it never will.
func awaitGreeting(ctx context.Context, dial func(context.Context) (net.Conn, error), dead func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		err := probe(ctx, dial)
		if err == nil || errors.Is(err, errOtherGreeting) {
			return err
		}
		if why := dead(ctx); why != nil {
			return why
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the server's greeting: %w; the last try ended with: %w", ctx.Err(), err)
		case <-time.After(probeEvery):
		}
	}
}

// probe makes one connection, reads the server's greeting and ends with
// NBD_OPT_ABORT, so that no server sees a client that disconnects without.
func probe(ctx context.Context, dial func(context.Context) (net.Conn, error)) error {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	conn, err := dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()

	var hello [18]byte // NBDMAGIC, IHAVEOPT, handshake flags
	if n, err := io.ReadFull(conn, hello[:]); err != nil {
		return fmt.Errorf("reading the greeting, of which %d bytes were received: %w", n, err)
	}
	if bytes.Equal(hello[:16], []byte("NBDMAGIC\x00\x00\x42\x02\x81\x86\x12\x53")) {
		return leaveOldstyle(conn)
	}
	if !bytes.Equal(hello[:16], []byte("NBDMAGICIHAVEOPT")) {
		return fmt.Errorf("%w: % x", errOtherGreeting, hello)
	}
	flags := binary.BigEndian.Uint16(hello[16:])
	if flags&1 == 0 {
		return nil // not fixed newstyle: closing is the only way to disconnect
	}
	bye := binary.BigEndian.AppendUint32(nil, uint32(flags&3))
	bye = append(bye, "IHAVEOPT\x00\x00\x00\x02\x00\x00\x00\x00"...)
	if _, err := conn.Write(bye); err != nil {
		return fmt.Errorf("disconnecting: %w", err)
	}
	// The server may acknowledge or just close; both end the stream.
	io.Copy(io.Discard, io.LimitReader(conn, 20))
	return nil
}

// leaveOldstyle reads the rest of an oldstyle greeting, which enters the
// transmission phase, and disconnects.
func leaveOldstyle(conn net.Conn) error {
	if _, err := io.CopyN(io.Discard, conn, 152-18); err != nil {
		return fmt.Errorf("reading the oldstyle greeting: %w", err)
	}
	bye := make([]byte, 28) // NBD_CMD_DISC
	binary.BigEndian.PutUint32(bye, 0x25609513)
	bye[7] = 2
	if _, err := conn.Write(bye); err != nil {
		return fmt.Errorf("disconnecting: %w", err)
	}
	return nil
}
