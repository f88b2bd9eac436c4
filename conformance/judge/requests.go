package judge

import (
	"encoding/binary"
	"errors"
	"io"

	"nbdconform/reference/wire"
	"nbdconform/reports/result"
)

// transmission is what the judge remembers of the transmission phase.
type transmission struct {
	export   export
	viaGo    bool  // entered by NBD_OPT_GO
	padding  check // what zeroes ahead of the first reply break, or 0
	pending  map[uint64][]*request
	waiting  int // requests in pending
	resizes  resizes
	crowded  bool     // there were more than the judge keeps
	unframed bool     // whether a payload follows a write is unknown
	ended    ring     // requests that have their whole answer, the last ones
	kept     int      // of what pending replies are made of
	disc     *request // NBD_CMD_DISC, once it was sent
	failed   bool     // a simple reply to a read had an error, which lets the server hang up
	eshut    bool     // NBD_ESHUTDOWN was sent
	unsized  bool     // a request was announced as too long to be borne
	overlong bool     // so was a reply
	mishaps  []Mishap
	chunk    chunkData
	read     readData
	statuses statusData
}

// An export is what the server said of the export in use.
type export struct {
	size      uint64
	flags     wire.TransmissionFlags
	sizes     *wire.SizeConstraints // advertised on entry, or nil
	committed bool                  // the client asked for them there, and so abides by them
	unknown   bool                  // nothing was said
}

// maxPayload is the largest payload that the server advertised, or what every
// server should take.
func (e *export) maxPayload() uint64 {
	if e.sizes != nil {
		return uint64(e.sizes.MaxPayload)
	}
	return wire.DefaultMaxPayload
}

const (
	maxPending = 1 << 16
	maxParts   = 1 << 18
)

// keep counts a part of a reply, and returns whether it may be kept.
func (t *transmission) keep() bool {
	if t.kept >= maxParts {
		return false
	}
	t.kept++
	return true
}

// A fault is something wrong with a request, for which the document names an error.
type fault uint32

const (
	beyondEnd    fault = 1 << iota // reaches beyond the end of the export
	unaligned                      // is not aligned to the minimum block size that was agreed on
	writesRO                       // writes to a read-only export
	unknownCmd                     // is no command of the document
	unknownFlag                    // has a flag that the document does not know
	strayFlag                      // has a flag that is not documented for the command
	unselected                     // asks for block status without contexts
	blindFast                      // has NBD_CMD_FLAG_FAST_ZERO unadvertised
	unadvertised                   // is a command that the server does not advertise
	oversized                      // has a payload, in either direction, beyond the maximum
	tooLong                        // announces a payload beyond the maximum, with extended headers
	unannounced                    // is a write without NBD_CMD_FLAG_PAYLOAD_LEN, with extended headers
	strayPayload                   // has a payload that is not documented for the command
	noFilter                       // has a payload that the server does not advertise
	badFilter                      // has a payload that does not have its layout
	unknownID                      // has a payload with a metadata context that is not selected
	duplicateID                    // has a payload with a metadata context twice
	shrunk                         // reaches beyond the end of the export, and would not have before it was made smaller
)

// A request is a request without its whole answer.
type request struct {
	wire.Request
	place
	faults    fault
	ambiguous bool // another one with its cookie is, or was, pending at the same time
	mixed     bool // that one, or one like it, would be followed by another amount of data
	announced bool // a payload follows as NBD_CMD_FLAG_PAYLOAD_LEN says: until it is read, Length is the payload's
	filtered  bool // the payload was read: Length is the effect length in it
	filter    []uint32
	quiet     bool // it was taken for the one that is answered: nothing of the answer is judged
	answer    answer
}

// unspecified reports whether the document leaves open what the reply says: a
// length of 0 is no more than something that a client should not ask for.
func (r *request) unspecified() bool { return r.Length == 0 && (!r.announced || r.filtered) }

// request handles a request of the client.
func (j *Judge) request(b []byte) int {
	s := &j.client
	if len(b) < 4 {
		return 0
	}
	if j.unframed {
		j.stray(s, result.Term("payload-of-write-unknown"))
		return 0
	}
	parse := wire.ParseRequest
	if j.extended {
		parse = wire.ParseExtendedRequest
	}
	q, n, err := parse(b)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return 0
	}
	if err != nil {
		return j.noRequest(b, err)
	}
	j.broken(requestMagic, true)
	r := &request{Request: q, announced: j.extended && q.Flags&wire.CmdFlagPayloadLen != 0}
	var filter sink
	if r.announced && q.Type == wire.CmdBlockStatus {
		filter = &filterData{judge: j, r: r}
	}
	kind := KindRequest
	if n == wire.ExtendedRequestSize {
		kind = KindExtendedRequest
	}
	j.open(s, kind, b[:n], q.PayloadLength(j.extended), filter)
	r.place = s.here()
	if j.extended {
		j.broken(extendedRequest, true)
		j.judgeAnnounced(r)
	}
	j.judgeRequest(r)
	if q.Type == wire.CmdDisc {
		j.disc = r
		return n
	}
	if j.waiting >= maxPending {
		j.crowded = true
		return n
	}
	same := j.pending[q.Cookie]
	if j.broken(cookieUnique, len(same) == 0) {
		j.accuse(r.place, cookieUnique, "cookie-in-use", q.Cookie, len(same))
		r.ambiguous = true
		for _, other := range same {
			other.ambiguous = true
		}
	}
	if j.pending == nil {
		j.pending = make(map[uint64][]*request)
	}
	j.pending[q.Cookie] = append(same, r)
	if j.waiting++; r.ambiguous && j.unlike(q.Cookie) {
		for _, other := range j.pending[q.Cookie] {
			other.mixed = true
		}
	}
	return n
}

// noRequest gives up on a client whose message is no request.
func (j *Judge) noRequest(b []byte, err error) int {
	s := &j.client
	c := requestMagic
	if j.extended && binary.BigEndian.Uint32(b) == wire.RequestMagic {
		c = extendedRequest
	}
	if j.viaGo && string(b[:4]) == "IHAV" {
		c = goNoMoreOptions
	}
	j.stray(s, result.Term("see-violation"))
	j.accuse(place{s.side, s.start, s.msg}, c, "request-magic", err)
	return 0
}

// drop takes a request off the pending ones.
func (j *Judge) drop(r *request) {
	same := j.pending[r.Cookie]
	for i, q := range same {
		if q == r {
			same = append(same[:i], same[i+1:]...)
			j.waiting--
			break
		}
	}
	if len(same) == 0 {
		delete(j.pending, r.Cookie)
	} else {
		j.pending[r.Cookie] = same
	}
	a := &r.answer
	j.kept -= len(a.covered.spans) + len(a.offsets) + len(a.statuses)
	a.covered, a.offsets, a.statuses = coverage{}, nil, nil
	j.ended.add(r)
}

// A ring remembers requests that have their whole answer.
type ring struct {
	requests [64]*request
	next     int
}

func (g *ring) add(r *request) {
	g.requests[g.next%len(g.requests)] = r
	g.next++
}

// find returns the last of them with a cookie, or nil.
func (g *ring) find(cookie uint64) *request {
	for i := 1; i <= len(g.requests) && i <= g.next; i++ {
		if r := g.requests[(g.next-i)%len(g.requests)]; r.Cookie == cookie {
			return r
		}
	}
	return nil
}
