package script

import "nbdconform/reference/wire"

// request makes one request that the connection may make, or nearly so.
func (b *builder) request() {
	o := Op{Kind: Request, NoWait: b.intn(4) == 1}
	q := &o.Request
	switch b.intn(16) {
	case 0, 1, 2, 3:
		q.Type = wire.CmdRead
		b.place(&o, false)
		if b.structured && oneIn(b, 4) {
			q.Flags |= wire.CmdFlagDF
		}
	case 4, 5, 6:
		q.Type = wire.CmdWrite
		b.place(&o, false)
		o.Fill = pick[Fill](b, 1, 2, 3, 5, 77, 200, Magics, Zeroes)
	case 7:
		q.Type = wire.CmdTrim
		b.place(&o, true)
	case 8, 9:
		q.Type = wire.CmdWriteZeroes
		b.place(&o, true)
		switch b.intn(5) {
		case 1:
			q.Flags |= wire.CmdFlagNoHole
		case 2:
			q.Flags |= wire.CmdFlagFastZero
		case 3:
			q.Flags |= wire.CmdFlagFastZero | wire.CmdFlagNoHole
		}
	case 10:
		q.Type = wire.CmdCache
		b.place(&o, true)
	case 11:
		q.Type = wire.CmdFlush
	case 12, 13, 14:
		q.Type = wire.CmdBlockStatus
		b.place(&o, true)
		if oneIn(b, 3) {
			q.Flags |= wire.CmdFlagReqOne
		}
		if b.extended && oneIn(b, 3) {
			b.filter(&o)
		}
		if b.contexts == 0 && b.temper == Valid {
			q.Type = wire.CmdRead
			q.Flags, o.Contexts = 0, nil
		}
	case 15:
		q.Type = wire.CmdResize
		q.Offset = 4096 * uint64(pick(b, 1024, 16, 2048, 3000, 0, 4096, 1<<30))
	}
	if oneIn(b, 10) {
		q.Flags |= wire.CmdFlagFUA
	}
	if b.temper != Valid && oneIn(b, 5) {
		b.fault(&o)
	}
	b.add(o)
}

func (b *builder) filter(o *Op) {
	o.Contexts = []int{b.intn(max(b.contexts, 1))}
	switch b.intn(5) {
	case 1:
		o.Contexts = append(o.Contexts, (o.Contexts[0]+1)%max(b.contexts, 1))
	case 2:
		if b.temper != Valid {
			o.Contexts = append(o.Contexts, o.Contexts[0])
		}
	case 3:
		if b.temper != Valid {
			o.Contexts = append(o.Contexts, 99)
		}
	case 4:
		if b.temper != Valid {
			o.Contexts = []int{}
		}
	}
}

// place chooses a range, within a small area most of the time so that ranges
// meet. wide ranges carry no payload and may be very long.
func (b *builder) place(o *Op, wide bool) {
	q := &o.Request
	q.Length = b.grain * uint64(1+b.intn(4))
	switch b.intn(12) {
	case 8:
		q.Length = 4096 * uint64(1+b.intn(16))
	case 9:
		q.Length = pick[uint64](b, 65536, 65536+4096, 1<<17, 40960)
	case 10:
		if oneIn(b, 4) { // costs time
			q.Length = pick[uint64](b, 1<<20+4096, 2<<20, 3<<20)
		}
	case 11:
		if wide {
			q.Length = pick[uint64](b, 1<<20, 2<<20, 4<<20, 8<<20, 1<<26, 1<<29+4096, 1<<32-4096, 1<<32, 1<<32+8192, 5<<30)
		}
	}
	q.Offset = b.grain * uint64(b.intn(16))
	switch b.intn(10) {
	case 6:
		q.Offset = 4096 * uint64(b.intn(64))
	case 7:
		o.FromEnd = true
		q.Offset = -q.Length
	case 8:
		o.FromEnd = true
		q.Offset = -q.Length - b.grain*uint64(b.intn(8))
	case 9:
		q.Offset = pick[uint64](b, 1<<22, 1<<20, 1<<21, 1<<22+4096, 1<<32, 1<<32+1<<20, 4<<30+4096)
	}
}

// fault breaks one of the rules for requests.
func (b *builder) fault(o *Op) {
	q := &o.Request
	ranged := q.Type != wire.CmdFlush && q.Type != wire.CmdResize
	switch b.intn(14) {
	case 0:
		o.FromEnd, q.Offset, q.Length = true, -b.grain, 2*b.grain
	case 1:
		o.FromEnd, q.Offset = true, b.grain*uint64(b.intn(3))
	case 2:
		o.FromEnd = false
		q.Offset, q.Length = -b.grain, pick(b, b.grain, 2*b.grain, 8*b.grain)
	case 3:
		q.Offset, q.Length = q.Offset+1, max(q.Length, 2)-1
	case 4:
		q.Flags |= pick[wire.CommandFlags](b, 1<<6, 1<<9, 1<<15)
	case 5:
		q.Flags |= pick(b, wire.CmdFlagNoHole, wire.CmdFlagDF, wire.CmdFlagReqOne, wire.CmdFlagFastZero, wire.CmdFlagPayloadLen)
		if q.Flags&wire.CmdFlagPayloadLen != 0 {
			q.Length, o.Fill = min(q.Length, 8192), Requests
		}
	case 6:
		q.Type = pick[wire.Command](b, 9, 77, 0xffff)
		o.Fill, o.Contexts = 0, nil
	case 7:
		if ranged {
			q.Length = 0
		}
	case 8:
		if ranged && oneIn(b, 3) { // costs time
			q.Length = pick[uint64](b, 32<<20+4096, 6<<20, 9<<20)
		}
	case 9:
		o.Fill = Requests
		o.FromEnd, q.Offset = true, 0
		if q.Type == wire.CmdWrite {
			q.Length = 28 * 4
		}
	case 10:
		o.Bare = true
	case 11:
		q.Cookie = pick[uint64](b, 7, 7, 1<<40, 1<<63)
	case 12:
		if !ranged {
			q.Offset, q.Length = 512, 512
		} else if b.extended {
			b.filter(o)
		}
	case 13:
		if q.Type == wire.CmdWrite {
			q.Length = pick[uint64](b, 1, 3, 100, 513)
		}
	}
}

func (b *builder) disconnect() {
	o := Op{Kind: Request, Request: wire.Request{Type: wire.CmdDisc}}
	if b.temper != Valid && oneIn(b, 10) {
		o.Request.Offset, o.Request.Length = 1, 1
	}
	b.add(o)
}
