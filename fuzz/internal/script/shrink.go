package script

import (
	"slices"

	"nbdconform/reference/wire"
)

// Shrink returns a short script for which fails still holds: operations are
// left out, then what is unusual about the rest. It asks fails at most tries
// times, and expects that it holds for s.
func Shrink(s Script, tries int, fails func(Script) bool) Script {
	z := &shrinker{best: s, left: tries, fails: fails}
	for size := -1; size != z.size() && z.left > 0; {
		size = z.size()
		z.operations()
		z.arguments()
	}
	return z.best
}

type shrinker struct {
	best  Script
	left  int
	fails func(Script) bool
}

// size falls with every success: the length of the text.
func (z *shrinker) size() int { return len(z.best.String()) }

// try adopts s if it is another script that fails too.
func (z *shrinker) try(s Script) {
	if z.left <= 0 {
		return
	}
	if z.left--; z.fails(s) {
		z.best = s
	}
}

// operations leaves out as many as it can, in ever smaller runs, from the end.
func (z *shrinker) operations() {
	for run := max(len(z.best.Ops)/2, 1); ; run /= 2 {
		for end := len(z.best.Ops); end > 0 && z.left > 0; end -= run {
			end = min(end, len(z.best.Ops))
			s := z.best
			s.Ops = slices.Concat(s.Ops[:max(end-run, 0)], s.Ops[end:])
			z.try(s)
		}
		if run <= 1 {
			return
		}
	}
}

// arguments makes operations plainer, one change at a time.
func (z *shrinker) arguments() {
	if z.best.Profile != "" {
		s := z.best
		s.Profile = ""
		z.try(s)
	}
	z.connections()
	for i := range z.best.Ops {
		for _, simpler := range simplifications {
			o := z.best.Ops[i]
			simpler(&o)
			if o.String() == z.best.Ops[i].String() {
				continue
			}
			s := z.best
			s.Ops = slices.Clone(s.Ops)
			s.Ops[i] = o
			z.try(s)
		}
	}
}

// connections gives connections the lowest numbers, in the order of their
// first operations, and has them share one if that will do.
func (z *shrinker) connections() {
	numbers := make(map[int]int)
	low, one := z.best, z.best
	low.Ops, one.Ops = slices.Clone(low.Ops), slices.Clone(one.Ops)
	for i, o := range z.best.Ops {
		if _, ok := numbers[o.Conn]; !ok {
			numbers[o.Conn] = len(numbers)
		}
		low.Ops[i].Conn, one.Ops[i].Conn = numbers[o.Conn], 0
	}
	for _, s := range []Script{low, one} {
		if s.String() != z.best.String() {
			z.try(s)
		}
	}
}

// simplifications, the greatest first. None of them makes an operation longer.
var simplifications = []func(*Op){
	func(o *Op) { o.NoWait, o.Glue, o.Split = false, false, 0 },
	func(o *Op) { o.NoWait = false },
	func(o *Op) { o.Anyway = false },
	func(o *Op) { o.Glue = false },
	func(o *Op) { o.Split = 0 },
	func(o *Op) { o.Conn = 0 },
	func(o *Op) { o.Infos, o.Queries, o.Export = nil, nil, "" },
	func(o *Op) { o.Export = "" },
	func(o *Op) { o.Infos = nil },
	func(o *Op) { o.Infos = o.Infos[:len(o.Infos)/2] },
	func(o *Op) { o.Infos = o.Infos[(len(o.Infos)+1)/2:] },
	func(o *Op) { o.Queries = o.Queries[:len(o.Queries)/2] },
	func(o *Op) { o.Queries = o.Queries[(len(o.Queries)+1)/2:] },
	func(o *Op) {
		if len(o.Export) > 8 {
			o.Export = o.Export[:len(o.Export)/2]
		}
	},
	func(o *Op) {
		if len(o.Data) > 1 {
			o.Data = o.Data[:len(o.Data)/2]
		}
	},
	func(o *Op) { o.Announce = nil },
	func(o *Op) { o.Bare = false },
	func(o *Op) { o.Request.Flags = 0 },
	func(o *Op) { o.Request.Flags &^= wire.CmdFlagFUA },
	func(o *Op) { o.Request.Cookie = 0 },
	func(o *Op) {
		if o.Kind == Request && o.Request.Type != wire.CmdResize {
			o.FromEnd, o.Request.Offset = false, 0
		}
	},
	func(o *Op) { o.Request.Length = min(o.Request.Length, 1) },
	func(o *Op) { o.Request.Length = min(o.Request.Length, 512) },
	func(o *Op) { o.Request.Length = min(o.Request.Length, 4096) },
	func(o *Op) { o.Request.Length = min(o.Request.Length, 65536) },
	func(o *Op) {
		if o.Fill != Requests && o.Fill != Magics {
			o.Fill = min(o.Fill, 1)
		}
	},
	func(o *Op) {
		if len(o.Contexts) > 1 {
			o.Contexts = o.Contexts[1:]
		}
	},
}
