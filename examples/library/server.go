// Package library is a small NBD server, a small client, and tests that run the
// specs on both. They are written from the protocol document alone, to show how
// little it takes to conform: fixed newstyle negotiation, five options, four
// commands and simple replies.
package library

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
)

const (
	optExportName, optAbort, optList, optInfo, optGo = 1, 2, 3, 6, 7

	repAck, repServer, repInfo                         = 1, 2, 3
	repUnsup, repInvalid, repUnknown, repTooBig        = 1<<31 + 1, 1<<31 + 3, 1<<31 + 6, 1<<31 + 9
	cmdRead, cmdWrite, cmdDisc, cmdFlush               = 0, 1, 2, 3
	ok, eINVAL, eNOSPC, eOVERFLOW                      = 0, 22, 28, 75
	transmissionFlags                                  = 1 | 1<<2 | 1<<3 // HAS_FLAGS, SEND_FLUSH, SEND_FUA
	flagFUA                                            = 1
	maxOption, maxPayload                              = 64 << 10, 32 << 20
	optionMagic, replyMagic, requestMagic, simpleMagic = 0x49484156454F5054, 0x3e889045565a9, 0x25609513, 0x67446698
)

// A Disk is a disk in memory that any number of clients may use.
type Disk struct {
	mu   sync.RWMutex
	data []byte
}

// NewDisk makes a disk of zeroes.
func NewDisk(size int) *Disk { return &Disk{data: make([]byte, size)} }

// Serve serves the disk as the default export until the listener is closed.
func (d *Disk) Serve(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			_ = d.serve(conn) // how a client leaves is its own business
		}()
	}
}

var errLeft = errors.New("the client left, or has to")

func (d *Disk) serve(conn net.Conn) error {
	if _, err := conn.Write([]byte("NBDMAGICIHAVEOPT\x00\x03")); err != nil { // FIXED_NEWSTYLE, NO_ZEROES
		return err
	}
	var flags [4]byte
	if _, err := io.ReadFull(conn, flags[:]); err != nil {
		return err
	}
	chosen := binary.BigEndian.Uint32(flags[:])
	if chosen&^3 != 0 {
		return errLeft
	}
	if err := d.haggle(conn, chosen&2 != 0); err != nil {
		return err
	}
	for {
		if err := d.answer(conn); err != nil {
			return err
		}
	}
}

// haggle answers options until the client enters the transmission phase.
func (d *Disk) haggle(conn net.Conn, noZeroes bool) error {
	for {
		var head [16]byte
		if _, err := io.ReadFull(conn, head[:]); err != nil {
			return err
		}
		option, length := binary.BigEndian.Uint32(head[8:]), binary.BigEndian.Uint32(head[12:])
		if binary.BigEndian.Uint64(head[:]) != optionMagic || length > maxOption && option == optExportName {
			return errLeft
		}
		if length > maxOption {
			if _, err := io.CopyN(io.Discard, conn, int64(length)); err != nil {
				return err
			}
			if err := reply(conn, option, repTooBig, nil); err != nil {
				return err
			}
			continue
		}
		data := make([]byte, length)
		if _, err := io.ReadFull(conn, data); err != nil {
			return err
		}
		done, err := d.option(conn, option, data, noZeroes)
		if err != nil || done {
			return err
		}
	}
}

// option answers one option and reports whether the transmission phase begins.
func (d *Disk) option(conn net.Conn, option uint32, data []byte, noZeroes bool) (done bool, err error) {
	switch option {
	case optExportName:
		if len(data) != 0 {
			return false, errLeft // there is no such export, and no way to say so
		}
		b := binary.BigEndian.AppendUint64(nil, uint64(len(d.data)))
		b = binary.BigEndian.AppendUint16(b, transmissionFlags)
		if !noZeroes {
			b = append(b, make([]byte, 124)...)
		}
		_, err = conn.Write(b)
		return true, err
	case optAbort:
		_ = reply(conn, option, repAck, nil)
		return false, errLeft
	case optList:
		if len(data) != 0 {
			return false, reply(conn, option, repInvalid, nil)
		}
		if err := reply(conn, option, repServer, make([]byte, 4)); err != nil {
			return false, err
		}
		return false, reply(conn, option, repAck, nil)
	case optInfo, optGo:
		return d.describe(conn, option, data)
	}
	return false, reply(conn, option, repUnsup, nil)
}

// describe answers NBD_OPT_INFO and NBD_OPT_GO: a name, and a list of two-byte
// information requests, none of which is known here.
func (d *Disk) describe(conn net.Conn, option uint32, data []byte) (done bool, err error) {
	if len(data) < 6 {
		return false, reply(conn, option, repInvalid, nil)
	}
	name := uint64(binary.BigEndian.Uint32(data))
	if name > uint64(len(data))-6 {
		return false, reply(conn, option, repInvalid, nil)
	}
	if wanted := uint64(binary.BigEndian.Uint16(data[4+name:])); uint64(len(data)) != 6+name+2*wanted {
		return false, reply(conn, option, repInvalid, nil)
	}
	if name != 0 {
		return false, reply(conn, option, repUnknown, nil)
	}
	info := binary.BigEndian.AppendUint64([]byte{0, 0}, uint64(len(d.data))) // NBD_INFO_EXPORT
	info = binary.BigEndian.AppendUint16(info, transmissionFlags)
	if err := reply(conn, option, repInfo, info); err != nil {
		return false, err
	}
	return option == optGo, reply(conn, option, repAck, nil)
}

func reply(w io.Writer, option, kind uint32, data []byte) error {
	b := binary.BigEndian.AppendUint64(nil, replyMagic)
	b = binary.BigEndian.AppendUint32(b, option)
	b = binary.BigEndian.AppendUint32(b, kind)
	b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
	_, err := w.Write(append(b, data...))
	return err
}

// answer answers one request.
func (d *Disk) answer(conn net.Conn) error {
	var head [28]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return err
	}
	flags, command := binary.BigEndian.Uint16(head[4:]), binary.BigEndian.Uint16(head[6:])
	offset, length := binary.BigEndian.Uint64(head[16:]), binary.BigEndian.Uint32(head[24:])
	if binary.BigEndian.Uint32(head[:]) != requestMagic || command == cmdDisc {
		return errLeft
	}
	var data []byte
	if command == cmdWrite {
		if length > maxPayload {
			return errLeft
		}
		data = make([]byte, length)
		if _, err := io.ReadFull(conn, data); err != nil {
			return err
		}
	}
	status, data := d.do(command, flags, offset, length, data)
	b := binary.BigEndian.AppendUint32(nil, simpleMagic)
	b = binary.BigEndian.AppendUint32(b, status)
	b = append(b, head[8:16]...)
	_, err := conn.Write(append(b, data...))
	return err
}

// do carries out a request and returns the error to answer with, and the data.
// Memory is as stable as this disk gets, so that a flush has nothing to do.
func (d *Disk) do(command, flags uint16, offset uint64, length uint32, data []byte) (uint32, []byte) {
	size, n := uint64(len(d.data)), uint64(length)
	inside := offset <= size && n <= size-offset
	switch {
	case flags&^flagFUA != 0:
	case command == cmdFlush && offset == 0 && length == 0:
		return ok, nil
	case command == cmdRead && inside && length > maxPayload:
		return eOVERFLOW, nil
	case command == cmdRead && inside:
		d.mu.RLock()
		defer d.mu.RUnlock()
		return ok, append([]byte(nil), d.data[offset:offset+n]...)
	case command == cmdWrite && inside:
		d.mu.Lock()
		defer d.mu.Unlock()
		copy(d.data[offset:], data)
		return ok, nil
	case command == cmdWrite:
		return eNOSPC, nil
	}
	return eINVAL, nil
}
