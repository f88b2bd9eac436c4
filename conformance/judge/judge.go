// Package judge is the protocol document made executable: one state machine
// that reads both directions of one connection and names every clause that
// either side breaks.
//
// A [Judge] never acts. It is told what the client sent, what the server sent
// and how either direction ended, in any segmentation, and can be asked at any
// time what was wrong so far. [Conn] wraps a connection so that this happens by
// itself.
//
// Both errors hurt: a missed violation makes the judge useless, a false
// accusation makes it ignored. So where the document permits several answers
// all are fine, where it is silent nothing is judged, and where a client broke
// a rule first its server is accused only of what the document still demands.
//
// Memory is bounded whatever the peers send: payloads are checked as they
// pass, the transcript is a ring, and lists stop growing at a limit beyond
// which the judge knows less and accuses less.
package judge

import (
	"math/bits"
	"sort"
	"sync"

	"nbdconform/conformance/clause"
	"nbdconform/reference/wire"
)

// Options say what the judge can't know from the bytes. The zero value suits
// a newstyle connection whose TLS, if any, stays closed to the judge.
type Options struct {
	// Oldstyle says that a server which is not up to the fixed newstyle
	// handshake was asked for, and is no violation.
	Oldstyle bool
	// Dialect is what both sides were told to speak.
	Dialect wire.Dialect
	// Decrypted says that the bytes given after the answer NBD_REP_ACK to
	// NBD_OPT_STARTTLS are the plain text from within TLS. Without it nothing
	// behind that answer is judged until [Judge.Decrypted] is called.
	Decrypted bool
	// Messages is how many messages the transcript keeps; 0 stands for 512.
	Messages int
}

// A Judge follows one connection. Its methods may be called from any goroutine;
// the order of the calls is the order of events.
type Judge struct {
	mu     sync.Mutex
	opts   Options
	client stream
	server stream
	log    log

	violations []Violation
	more       int // violations beyond the limit, not kept
	came       [(checkCount + 63) / 64]uint64
	lost       bool
	lostBy     clause.ID
	broke      [2]bool // who broke a MUST so far: client, server

	phase phase
	handshake
	haggling
	transmission
}

// A phase is how far the connection has come.
type phase uint8

const (
	phaseGreeting     phase = iota // the server's greeting is due
	phaseFlags                     // the client's flags are due
	phaseHaggling                  // options and their replies
	phaseTransmission              // requests and their replies
)

// maxViolations bounds what one connection is accused of.
const maxViolations = 1000

// New returns a judge for a connection on which nothing was sent yet.
func New(opts Options) *Judge {
	if opts.Messages <= 0 {
		opts.Messages = 512
	}
	j := &Judge{opts: opts}
	j.client = stream{side: clause.Client, header: j.clientHeader, msg: -1}
	j.server = stream{side: clause.Server, header: j.serverHeader, msg: -1}
	j.log.limit = opts.Messages
	j.haggling.modes = modeNone | modeForced | modeSelective
	return j
}

// FromClient tells what the client sent next.
func (j *Judge) FromClient(b []byte) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.feed(&j.client, b)
}

// FromServer tells what the server sent next.
func (j *Judge) FromServer(b []byte) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.feed(&j.server, b)
}

// Violations returns what was broken so far, in the order in which it was noticed.
func (j *Judge) Violations() []Violation {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]Violation(nil), j.violations...)
}

// Exercised returns the clauses of the judge that the connection gave occasion
// to break or keep, sorted. The others never came up.
func (j *Judge) Exercised() []clause.ID {
	j.mu.Lock()
	defer j.mu.Unlock()
	var ids []clause.ID
	for w, word := range j.came {
		for ; word != 0; word &= word - 1 {
			ids = append(ids, table[w*64+bits.TrailingZeros64(word)].id)
		}
	}
	return sortedIDs(ids)
}

// Lost reports that the server's stream can't be followed any further: where
// its next message would start, or what it would answer, is unknown. The clause
// is the one whose violation was the cause, or "" where the client was the cause.
func (j *Judge) Lost() (clause.ID, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lostBy, j.lost
}

// Transcript returns the messages of both directions in order.
func (j *Judge) Transcript() Transcript {
	j.mu.Lock()
	defer j.mu.Unlock()
	t := j.log.transcript()
	t.Violations = append([]Violation(nil), j.violations...)
	return t
}

// Spoken is how many messages the transcript has had so far, ends included.
func (j *Judge) Spoken() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.log.next
}

// Checks returns every clause that the judge can find broken, sorted.
func Checks() []clause.ID {
	var ids []clause.ID
	for _, row := range table {
		ids = append(ids, row.id)
	}
	return sortedIDs(ids)
}

func sortedIDs(ids []clause.ID) []clause.ID {
	sort.Slice(ids, func(a, b int) bool { return ids[a] < ids[b] })
	n := 0
	for i, id := range ids {
		if i == 0 || id != ids[n-1] {
			ids[n] = id
			n++
		}
	}
	return ids[:n]
}

// broken notes that c came up, and returns whether it was broken.
func (j *Judge) broken(c check, ok bool) bool {
	j.came[c/64] |= 1 << (c % 64)
	return !ok
}

func sideIndex(s clause.Side) int {
	if s == clause.Client {
		return 0
	}
	return 1
}

// clientBroke reports whether the client has broken a MUST: from there on a
// server is free to hang up.
func (j *Judge) clientBroke() bool { return j.broke[0] }
func (j *Judge) serverBroke() bool { return j.broke[1] }
