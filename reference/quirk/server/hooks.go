package serverquirk

import (
	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// simple replaces a reply by a simple one with the same error.
func simple(x *server.Exchange) {
	x.Replies = []server.Message{{Simple: wire.SimpleReply{Error: x.Err(), Cookie: x.Request.Cookie}}}
}

// onZeroLength makes hooks that change the reply to a request for nothing.
func onZeroLength(c wire.Command, f func(*server.Exchange)) server.Hooks {
	return onReply(c, func(x *server.Exchange) {
		if x.Request.Length == 0 {
			f(x)
		}
	})
}

// onOption makes hooks that change the answer to one kind of option.
func onOption(o wire.Option, f func(*server.OptionExchange)) server.Hooks {
	return server.Hooks{OptionReply: func(x *server.OptionExchange) {
		if x.Is(o) {
			f(x)
		}
	}}
}

// onOptionError makes hooks that change every option reply that is an error.
func onOptionError(f func(*wire.OptionReply)) server.Hooks {
	return server.Hooks{OptionReply: func(x *server.OptionExchange) {
		if x.Failed() {
			f(&x.Replies[len(x.Replies)-1])
		}
	}}
}

// onInfo makes hooks that change successful answers to NBD_OPT_INFO and NBD_OPT_GO.
func onInfo(f func(*server.OptionExchange)) server.Hooks {
	return server.Hooks{OptionReply: func(x *server.OptionExchange) {
		if x.Is(wire.OptInfo, wire.OptGo) && !x.Failed() {
			f(x)
		}
	}}
}

// onConstraints makes hooks that change the advertised size constraints. The
// server goes on with its own.
func onConstraints(f func(*wire.SizeConstraints)) server.Hooks {
	return onInfo(func(x *server.OptionExchange) {
		x.Infos(wire.InfoBlockSize, func(i *wire.Info) {
			if c, err := wire.ParseSizeConstraints(i.Payload); err == nil {
				f(&c)
				*i = c.Info()
			}
		})
	})
}

// onFlags makes hooks that change the transmission flags, however the client
// comes to know them. The server goes on with its own.
func onFlags(f func(s *server.Session, flags wire.TransmissionFlags) wire.TransmissionFlags) server.Hooks {
	h := onInfo(func(x *server.OptionExchange) {
		x.ExportInfo(func(e *wire.ExportInfo) { e.Flags = f(x.Session, e.Flags) })
	})
	h.ExportName = func(x *server.ExportNameExchange) { x.Reply.Flags = f(x.Session, x.Reply.Flags) }
	return h
}

// onReply makes hooks that change the reply to one kind of request.
func onReply(c wire.Command, f func(*server.Exchange)) server.Hooks {
	return server.Hooks{Reply: func(x *server.Exchange) {
		if x.Is(c) {
			f(x)
		}
	}}
}

// onError makes hooks that change the reply to a request if it is this error.
func onError(c wire.Command, e wire.Errno, f func(*server.Exchange)) server.Hooks {
	return onReply(c, func(x *server.Exchange) {
		if x.Err() == e {
			f(x)
		}
	})
}

// onAnyError makes hooks that change the reply to a request that failed.
func onAnyError(f func(*server.Exchange)) server.Hooks {
	return server.Hooks{Reply: func(x *server.Exchange) {
		if x.Err() != wire.OK {
			f(x)
		}
	}}
}

// onRead makes hooks that change successful structured replies to
// NBD_CMD_READ of at least n bytes.
func onRead(n uint64, f func(*server.Exchange)) server.Hooks {
	return onReply(wire.CmdRead, func(x *server.Exchange) {
		if x.Session.Structured && x.Err() == wire.OK && x.Request.Length >= n {
			f(x)
		}
	})
}

// onStatus makes hooks that change every chunk of block status.
func onStatus(f func(*server.Exchange, *wire.BlockStatus)) server.Hooks {
	return onReply(wire.CmdBlockStatus, func(x *server.Exchange) {
		x.EachStatus(func(s *wire.BlockStatus) { f(x, s) })
	})
}

// beyond reports whether the request reaches beyond the export.
func beyond(x *server.Exchange) bool {
	size := x.Session.Export.Disk.Size()
	return x.Request.Offset > size || x.Request.Length > size-x.Request.Offset
}

// hangup ends the connection without a reply.
func hangup(x *server.Exchange) { x.Silent, x.Hangup = true, true }

// fail makes a function that replaces a reply by an error.
func fail(e wire.Errno) func(*server.Exchange) {
	return func(x *server.Exchange) { x.Fail(e, "because I say so") }
}

// insert puts chunks before the others.
func insert(x *server.Exchange, m ...server.Message) { x.Replies = append(m, x.Replies...) }

// wrap makes hooks that wrap the disk of every connection.
func wrap(f func(export.Export) export.Export) server.Hooks { return server.Hooks{Wrap: f} }

// A disk is an export with some of its operations replaced.
type disk struct {
	export.Export
	read  func(p []byte, off uint64) error
	write func(p []byte, off uint64) error
	zero  func(off, n uint64, noHole, fast bool) error
	cache func(off, n uint64) error
}

func (d disk) ReadAt(p []byte, off uint64) error {
	if d.read != nil {
		return d.read(p, off)
	}
	return d.Export.ReadAt(p, off)
}

func (d disk) WriteAt(p []byte, off uint64) error {
	if d.write != nil {
		return d.write(p, off)
	}
	return d.Export.WriteAt(p, off)
}

func (d disk) Zero(off, n uint64, noHole, fast bool) error {
	if d.zero != nil {
		return d.zero(off, n, noHole, fast)
	}
	return d.Export.Zero(off, n, noHole, fast)
}

func (d disk) Cache(off, n uint64) error {
	if d.cache != nil {
		return d.cache(off, n)
	}
	return d.Export.Cache(off, n)
}
