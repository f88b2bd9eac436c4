package library

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
)

// Fetch copies the whole export at a Unix socket to a file. It is all that a
// client needs: fixed newstyle negotiation, NBD_OPT_GO, reads with simple
// replies, and an orderly end.
func Fetch(socket, export, file string) (err error) {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return err
	}
	defer conn.Close()
	size, err := enter(conn, export)
	if err != nil {
		return err
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	const most = 1 << 20
	for at := uint64(0); at < size; at += most {
		data, err := read(conn, at, min(most, size-at))
		if errors.Is(err, errRefused) {
			_ = request(conn, cmdDisc, 0, 0) // the session is in order, the read is not
		}
		if err != nil {
			return err
		}
		if _, err := out.Write(data); err != nil {
			return err
		}
	}
	return request(conn, cmdDisc, 0, 0)
}

var errRefused = errors.New("the server refuses a read")

// enter negotiates the transmission phase and returns the size of the export.
func enter(conn net.Conn, export string) (size uint64, err error) {
	var greeting [18]byte
	if _, err := io.ReadFull(conn, greeting[:]); err != nil {
		return 0, err
	}
	if string(greeting[:16]) != "NBDMAGICIHAVEOPT" || greeting[17]&1 == 0 {
		return 0, errors.New("the server does not speak fixed newstyle negotiation")
	}
	flags := uint32(greeting[17] & 3) // FIXED_NEWSTYLE, and NO_ZEROES where it is offered
	b := binary.BigEndian.AppendUint32(nil, flags)
	b = append(b, "IHAVEOPT"...)
	b = binary.BigEndian.AppendUint32(b, optGo)
	b = binary.BigEndian.AppendUint32(b, uint32(4+len(export)+2))
	b = binary.BigEndian.AppendUint32(b, uint32(len(export)))
	b = append(append(b, export...), 0, 0) // no information is asked for
	if _, err := conn.Write(b); err != nil {
		return 0, err
	}
	told := false
	for {
		var head [20]byte
		if _, err := io.ReadFull(conn, head[:]); err != nil {
			return 0, err
		}
		kind, length := binary.BigEndian.Uint32(head[12:]), binary.BigEndian.Uint32(head[16:])
		if binary.BigEndian.Uint64(head[:]) != replyMagic || binary.BigEndian.Uint32(head[8:]) != optGo || length > maxOption {
			return 0, errors.New("the server sends something else than a reply to NBD_OPT_GO")
		}
		data := make([]byte, length)
		if _, err := io.ReadFull(conn, data); err != nil {
			return 0, err
		}
		switch {
		case kind == repInfo && len(data) == 12 && binary.BigEndian.Uint16(data) == 0: // NBD_INFO_EXPORT
			size, told = binary.BigEndian.Uint64(data[2:]), true
		case kind == repInfo: // of another type: not asked for, and to be ignored
		case kind == repAck && told:
			return size, nil
		default:
			_, err := conn.Write(append([]byte("IHAVEOPT"), 0, 0, 0, optAbort, 0, 0, 0, 0))
			return 0, errors.Join(fmt.Errorf("the server answers NBD_OPT_GO by %#x", kind), err)
		}
	}
}

const cookie = 0x1234

func request(conn net.Conn, command uint16, offset uint64, length uint32) error {
	b := binary.BigEndian.AppendUint32(nil, requestMagic)
	b = binary.BigEndian.AppendUint16(b, 0)
	b = binary.BigEndian.AppendUint16(b, command)
	b = binary.BigEndian.AppendUint64(b, cookie)
	b = binary.BigEndian.AppendUint64(b, offset)
	_, err := conn.Write(binary.BigEndian.AppendUint32(b, length))
	return err
}

func read(conn net.Conn, offset, n uint64) ([]byte, error) {
	if err := request(conn, cmdRead, offset, uint32(n)); err != nil {
		return nil, err
	}
	var head [16]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return nil, err
	}
	switch {
	case binary.BigEndian.Uint32(head[:]) != simpleMagic || binary.BigEndian.Uint64(head[8:]) != cookie:
		return nil, errors.New("the server sends something else than a simple reply to the read")
	case binary.BigEndian.Uint32(head[4:]) != ok:
		return nil, fmt.Errorf("%w: error %d", errRefused, binary.BigEndian.Uint32(head[4:]))
	}
	data := make([]byte, n)
	_, err := io.ReadFull(conn, data)
	return data, err
}
