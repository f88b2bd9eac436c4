package serverquirk

import (
	"encoding/binary"

	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

func onLBAReply(f func(*server.Exchange, *server.Message)) server.Hooks {
	return server.Hooks{Reply: func(x *server.Exchange) {
		if x.Session.Dialect() == wire.GetLBAStatus && x.Is(wire.CmdGetLBAStatus) && len(x.Replies) == 1 {
			f(x, &x.Replies[0])
		}
	}}
}

// LBACounted has a number of descriptors where their length belongs.
var LBACounted = register(Quirk{
	Name: "lba-counted", Breaks: "get-lba-status.reply",
	Doc: "answers NBD_CMD_GET_LBA_STATUS with the number of descriptors in place of their length",
	Hooks: onLBAReply(func(_ *server.Exchange, m *server.Message) {
		if d, _, err := wire.ParseLBAData(m.Data); err == nil {
			m.Data = append(binary.BigEndian.AppendUint32(nil, uint32(len(d)/wire.LBADescriptorSize)), d...)
		}
	}),
})

// LBARagged pads its descriptors, as a compiler does.
var LBARagged = register(Quirk{
	Name: "lba-ragged", Breaks: "get-lba-status.descriptors",
	Doc: "answers NBD_CMD_GET_LBA_STATUS with two bytes more than the descriptors have",
	Hooks: onLBAReply(func(_ *server.Exchange, m *server.Message) {
		if d, _, err := wire.ParseLBAData(m.Data); err == nil {
			m.Data = append(d, 0, 0).Append(nil)
		}
	}),
})

// onLBA makes hooks that change what is after a successful reply to
// NBD_CMD_GET_LBA_STATUS, in the dialect that has it.
func onLBA(f func(q wire.Request, s wire.LBAStatus) wire.LBAStatus) server.Hooks {
	return onLBAReply(func(x *server.Exchange, m *server.Message) {
		d, _, err := wire.ParseLBAData(m.Data)
		if err != nil || m.Simple.Error != wire.OK {
			return
		}
		if s, err := wire.ParseLBAStatus(d); err == nil {
			m.Data = wire.LBAData(f(x.Request, s).Append(nil)).Append(nil)
		}
	})
}

// LBAFromZero counts from the beginning of the range.
var LBAFromZero = register(Quirk{
	Name: "lba-from-zero", Breaks: "get-lba-status.range",
	Doc: "has offsets in NBD_CMD_GET_LBA_STATUS that are relative to that of the request",
	Hooks: onLBA(func(q wire.Request, s wire.LBAStatus) wire.LBAStatus {
		for i := range s {
			s[i].Offset -= q.Offset
		}
		return s
	}),
})

// lbaAlways gives all descriptors in replies about a type the same status.
func lbaAlways(kind wire.LBAType, status uint16) server.Hooks {
	return onLBA(func(q wire.Request, s wire.LBAStatus) wire.LBAStatus {
		for i := range s {
			if wire.LBAType(q.Flags) == kind {
				s[i].Status = status
			}
		}
		return s
	})
}

// LBAHoles never saw anything that was allocated.
var LBAHoles = register(Quirk{
	Name: "lba-holes", Breaks: "get-lba-status.allocated",
	Doc:   "says NBD_STATE_DEALLOCATED whatever was written",
	Hooks: lbaAlways(wire.LBAAllocated, wire.LBAStateDeallocated),
})

// LBAZeroed never saw anything but zeroes.
var LBAZeroed = register(Quirk{
	Name: "lba-zeroed", Breaks: "get-lba-status.zeroed",
	Doc:   "says NBD_STATE_ZEROED whatever was written",
	Hooks: lbaAlways(wire.LBAAllocated, wire.LBAStateZeroed),
})

// LBAClean never saw anything change.
var LBAClean = register(Quirk{
	Name: "lba-clean", Breaks: "get-lba-status.dirty",
	Doc:   "says NBD_STATE_CLEAN whatever was written",
	Hooks: lbaAlways(wire.LBADirty, wire.LBAStateClean),
})

// LBADirtyBit takes the states for the flag of a dirty bitmap.
var LBADirtyBit = register(Quirk{
	Name: "lba-dirty-bit", Breaks: "get-lba-status.dirty",
	Doc:   "says 2 for the dirtiness state",
	Hooks: lbaAlways(wire.LBADirty, 2),
})

// LBATypeEINVAL takes the type for flags.
var LBATypeEINVAL = register(Quirk{
	Name: "lba-type-einval", Breaks: "get-lba-status.unimplemented",
	Doc: "answers NBD_EINVAL to a type of NBD_CMD_GET_LBA_STATUS that it does not know",
	Hooks: onLBAReply(func(x *server.Exchange, _ *server.Message) {
		if x.Request.Flags > wire.CommandFlags(wire.LBADirty) {
			x.Fail(wire.EINVAL, "unknown command flag")
		}
	}),
})

// LBATypeIgnored has one answer for all.
var LBATypeIgnored = register(Quirk{
	Name: "lba-type-ignored", Breaks: "get-lba-status.unimplemented",
	Doc: "tells the provisioning state whatever type is asked for",
	Hooks: server.Hooks{Request: func(s *server.Session, q *wire.Request) {
		if s.Dialect() == wire.GetLBAStatus && q.Type == wire.CmdGetLBAStatus {
			q.Flags = 0
		}
	}},
})

// LBABeyondAccepted knows what is where nothing is.
var LBABeyondAccepted = register(Quirk{
	Name: "lba-beyond-accepted", Breaks: "get-lba-status.error",
	Doc:   "tells the state of what is beyond the end of the export",
	Hooks: skip("get-lba-status.error"),
})

// LBAErrorBare leaves the client waiting for a length.
var LBAErrorBare = register(Quirk{
	Name: "lba-error-bare", Breaks: "get-lba-status.error.data",
	Doc: "sends nothing after an error in reply to NBD_CMD_GET_LBA_STATUS, and goes on",
	Hooks: onLBAReply(func(_ *server.Exchange, m *server.Message) {
		if m.Simple.Error != wire.OK {
			m.Data = nil
		}
	}),
})

// LBAFlags takes the states for the flags of base:allocation.
var LBAFlags = register(Quirk{
	Name: "lba-flags", Breaks: "get-lba-status.allocated",
	Doc: "has flags of base:allocation for the provisioning state",
	Hooks: onLBA(func(q wire.Request, s wire.LBAStatus) wire.LBAStatus {
		for i := range s {
			if wire.LBAType(q.Flags) == wire.LBAAllocated && s[i].Status == wire.LBAStateDeallocated {
				s[i].Status = uint16(wire.StateHole | wire.StateZero)
			}
		}
		return s
	}),
})
