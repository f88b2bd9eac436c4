package session

import (
	"fmt"

	"nbdconform/reference/wire"
)

// A Point is a state, or a kind of answer in a state, that a session got to.
// Points compare with ==; a campaign keeps the scripts that reach new ones.
type Point struct {
	What What
	Mode Mode
	A, B uint32 // what they are depends on What
}

// What says what a Point is about.
type What uint8

// What points are about, with the meaning of A and B.
const (
	AtEntry  What = iota // the transmission phase was entered: flags of the export, number of contexts
	AtOption             // an option got a reply: option, reply type
	AtReply              // a request got its answer: command, error
	AtChunk              // a chunk came: command, chunk type
	AtEnd                // the server hung up: 0 while options were due or 1 behind, last option or command
	AtInfo               // information came: option, type
)

// Mode is what was negotiated by then.
type Mode uint8

// The modes, as flags.
const (
	ModeStructured Mode = 1 << iota
	ModeExtended
	ModeTLS
	ModeFlags   // the request had flags
	ModeSeveral // other requests were in flight
)

func (m Mode) String() string {
	s := "simple"
	switch {
	case m&ModeExtended != 0:
		s = "extended"
	case m&ModeStructured != 0:
		s = "structured"
	}
	for i, name := range []string{"tls", "flags", "several"} {
		if m&(ModeTLS<<i) != 0 {
			s += "+" + name
		}
	}
	return s
}

func (p Point) String() string {
	switch p.What {
	case AtEntry:
		return fmt.Sprintf("%v: entered with %v and %d contexts", p.Mode, wire.TransmissionFlags(p.A), p.B)
	case AtOption:
		return fmt.Sprintf("%v: %v answered by %v", p.Mode, wire.Option(p.A), wire.ReplyType(p.B))
	case AtInfo:
		return fmt.Sprintf("%v: %v with %v", p.Mode, wire.Option(p.A), wire.InfoType(p.B))
	case AtReply:
		return fmt.Sprintf("%v: %v: %v", p.Mode, wire.Command(p.A), wire.Errno(p.B))
	case AtChunk:
		return fmt.Sprintf("%v: %v with %v", p.Mode, wire.Command(p.A), wire.ChunkType(p.B))
	case AtEnd:
		if p.A == 0 {
			return fmt.Sprintf("%v: hangs up on %v", p.Mode, wire.Option(p.B))
		}
		return fmt.Sprintf("%v: hangs up on %v", p.Mode, wire.Command(p.B))
	}
	return fmt.Sprintf("%v: %d %d %d", p.Mode, p.What, p.A, p.B)
}

// reach notes a point.
func (r *run) reach(l *link, w What, a, b uint32, more Mode) {
	p := Point{What: w, Mode: l.mode() | more, A: a, B: b}
	if _, ok := r.seen[p]; !ok {
		r.seen[p] = struct{}{}
		r.result.Reached = append(r.result.Reached, p)
	}
}
