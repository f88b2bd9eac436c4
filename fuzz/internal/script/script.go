package script

import (
	"nbdconform/reference/wire"
)

// A Script is a list of operations for a server.
type Script struct {
	// Profile names the set-up of the server that the script is meant for, as
	// the target knows it; "" stands for any.
	Profile string
	Ops     []Op
}

// A Kind says what an operation does.
type Kind uint8

// The kinds of operations.
const (
	Flags   Kind = 0 // sends the client's flags
	Option  Kind = 1 // sends an option
	Request Kind = 2 // sends a request
	Raw     Kind = 3 // sends bytes as they are
	Await   Kind = 4 // waits for all answers that are due
	Half    Kind = 5 // ends the client's direction
	Close   Kind = 6 // closes the connection without a word
)

// Connections is how many connections a script may use.
const Connections = 4

// An Op is one operation. Which fields count depends on Kind.
type Op struct {
	Conn int // the connection, from 0
	Kind Kind

	ClientFlags wire.ClientFlags // of Flags

	// Of Option.
	Option  wire.Option
	Export  string // "@0", "@1" and so on stand for what the target calls its exports
	Infos   []wire.InfoType
	Queries []string

	// Of Request. A Cookie of 0 stands for a fresh one, an Offset FromEnd is
	// counted from the end of the export.
	Request wire.Request
	FromEnd bool
	Fill    Fill // of the payload
	// Contexts are which of the selected metadata contexts a filter of
	// NBD_CMD_BLOCK_STATUS names, by number; one that does not exist becomes an
	// id that nobody has. nil: there is no filter. It needs extended headers,
	// and brings NBD_CMD_FLAG_PAYLOAD_LEN along.
	Contexts []int
	// Bare leaves NBD_CMD_FLAG_PAYLOAD_LEN out where extended headers call for it.
	Bare bool

	// Data is what Raw sends and, if it is not nil, the data of an option, or the
	// payload of a request that has one, in place of what the fields above say.
	Data []byte
	// Announce, if it is not nil, is the length that the header says instead of
	// that of what follows.
	Announce *uint64

	// Anyway sends it even where it does not belong: a request while options
	// are due, an option behind the last one, flags again.
	Anyway bool
	// NoWait goes on without the answer.
	NoWait bool
	// Glue keeps the bytes back until the next operation of the connection
	// sends any: both arrive in one segment.
	Glue bool
	// Split cuts the bytes into segments of so many, if it is positive.
	Split int
}

// HasPayload reports whether bytes of Fill follow the request, with the
// headers that were negotiated.
func (o Op) HasPayload(extended bool) bool {
	if extended && o.Request.Flags&wire.CmdFlagPayloadLen != 0 {
		return true
	}
	return o.Request.Type == wire.CmdWrite && !(extended && o.Bare)
}

// OptionData is the data of an option. names are the target's exports, which
// "@0" and so on stand for; nil leaves such a name as it is.
func (o Op) OptionData(names []string) []byte {
	if o.Data != nil {
		return o.Data
	}
	export := resolve(o.Export, names)
	switch o.Option {
	case wire.OptExportName:
		return []byte(export)
	case wire.OptInfo, wire.OptGo:
		return wire.InfoRequest{Export: export, Infos: o.Infos}.Append(nil)
	case wire.OptListMetaContext, wire.OptSetMetaContext:
		return wire.MetaContextRequest{Export: export, Queries: o.Queries}.Append(nil)
	}
	return nil
}

// resolve returns what a name stands for.
func resolve(name string, names []string) string {
	if len(name) == 2 && name[0] == '@' && name[1] >= '0' && name[1] <= '9' {
		if i := int(name[1] - '0'); i < len(names) {
			return names[i]
		}
	}
	return name
}

// Conns is how many connections the script uses: one more than the highest number.
func (s Script) Conns() int {
	n := 0
	for _, o := range s.Ops {
		n = max(n, o.Conn+1)
	}
	return n
}

// Writes reports whether the script may change an export.
func (s Script) Writes() bool {
	for _, o := range s.Ops {
		switch {
		case o.Kind == Raw, o.Announce != nil, o.Anyway:
			return true // what a server makes of it is unknown
		case o.Kind != Request:
		case o.Request.Type == wire.CmdRead, o.Request.Type == wire.CmdDisc, o.Request.Type == wire.CmdFlush,
			o.Request.Type == wire.CmdCache, o.Request.Type == wire.CmdBlockStatus:
		default:
			return true
		}
	}
	return false
}
