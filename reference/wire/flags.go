package wire

import (
	"fmt"
	"strings"
)

// HandshakeFlags are what the server offers in its greeting.
type HandshakeFlags uint16

// Section "Handshake flags".
const (
	FlagFixedNewstyle HandshakeFlags = 1 << 0 // NBD_FLAG_FIXED_NEWSTYLE
	FlagNoZeroes      HandshakeFlags = 1 << 1 // NBD_FLAG_NO_ZEROES

	knownHandshakeFlags = FlagFixedNewstyle | FlagNoZeroes
)

// ClientFlags are the client's answer to the greeting.
type ClientFlags uint32

// Section "Client flags".
const (
	FlagCFixedNewstyle ClientFlags = 1 << 0 // NBD_FLAG_C_FIXED_NEWSTYLE
	FlagCNoZeroes      ClientFlags = 1 << 1 // NBD_FLAG_C_NO_ZEROES
)

// TransmissionFlags say what an export can do.
type TransmissionFlags uint16

// Section "Transmission flags".
const (
	FlagHasFlags           TransmissionFlags = 1 << 0  // NBD_FLAG_HAS_FLAGS
	FlagReadOnly           TransmissionFlags = 1 << 1  // NBD_FLAG_READ_ONLY
	FlagSendFlush          TransmissionFlags = 1 << 2  // NBD_FLAG_SEND_FLUSH
	FlagSendFUA            TransmissionFlags = 1 << 3  // NBD_FLAG_SEND_FUA
	FlagRotational         TransmissionFlags = 1 << 4  // NBD_FLAG_ROTATIONAL
	FlagSendTrim           TransmissionFlags = 1 << 5  // NBD_FLAG_SEND_TRIM
	FlagSendWriteZeroes    TransmissionFlags = 1 << 6  // NBD_FLAG_SEND_WRITE_ZEROES
	FlagSendDF             TransmissionFlags = 1 << 7  // NBD_FLAG_SEND_DF
	FlagCanMultiConn       TransmissionFlags = 1 << 8  // NBD_FLAG_CAN_MULTI_CONN
	FlagSendResize         TransmissionFlags = 1 << 9  // NBD_FLAG_SEND_RESIZE
	FlagSendCache          TransmissionFlags = 1 << 10 // NBD_FLAG_SEND_CACHE
	FlagSendFastZero       TransmissionFlags = 1 << 11 // NBD_FLAG_SEND_FAST_ZERO
	FlagBlockStatusPayload TransmissionFlags = 1 << 12 // NBD_FLAG_BLOCK_STATUS_PAYLOAD
)

// CommandFlags go with a request.
type CommandFlags uint16

// Section "Command flags".
const (
	CmdFlagFUA        CommandFlags = 1 << 0 // NBD_CMD_FLAG_FUA
	CmdFlagNoHole     CommandFlags = 1 << 1 // NBD_CMD_FLAG_NO_HOLE
	CmdFlagDF         CommandFlags = 1 << 2 // NBD_CMD_FLAG_DF
	CmdFlagReqOne     CommandFlags = 1 << 3 // NBD_CMD_FLAG_REQ_ONE
	CmdFlagFastZero   CommandFlags = 1 << 4 // NBD_CMD_FLAG_FAST_ZERO
	CmdFlagPayloadLen CommandFlags = 1 << 5 // NBD_CMD_FLAG_PAYLOAD_LEN
)

// ReplyFlags go with a structured or extended reply chunk.
type ReplyFlags uint16

// Section "Structured reply flags".
const (
	ReplyFlagDone ReplyFlags = 1 << 0 // NBD_REPLY_FLAG_DONE
)

// StateFlags are the status of an extent in the context base:allocation.
type StateFlags uint64

// Section "`base:allocation` metadata context".
const (
	StateHole StateFlags = 1 << 0 // NBD_STATE_HOLE
	StateZero StateFlags = 1 << 1 // NBD_STATE_ZERO
)

var (
	handshakeFlagNames    = []string{"NBD_FLAG_FIXED_NEWSTYLE", "NBD_FLAG_NO_ZEROES"}
	clientFlagNames       = []string{"NBD_FLAG_C_FIXED_NEWSTYLE", "NBD_FLAG_C_NO_ZEROES"}
	transmissionFlagNames = []string{
		"NBD_FLAG_HAS_FLAGS", "NBD_FLAG_READ_ONLY", "NBD_FLAG_SEND_FLUSH", "NBD_FLAG_SEND_FUA", "NBD_FLAG_ROTATIONAL",
		"NBD_FLAG_SEND_TRIM", "NBD_FLAG_SEND_WRITE_ZEROES", "NBD_FLAG_SEND_DF", "NBD_FLAG_CAN_MULTI_CONN",
		"NBD_FLAG_SEND_RESIZE", "NBD_FLAG_SEND_CACHE", "NBD_FLAG_SEND_FAST_ZERO", "NBD_FLAG_BLOCK_STATUS_PAYLOAD",
	}
	commandFlagNames = []string{
		"NBD_CMD_FLAG_FUA", "NBD_CMD_FLAG_NO_HOLE", "NBD_CMD_FLAG_DF", "NBD_CMD_FLAG_REQ_ONE",
		"NBD_CMD_FLAG_FAST_ZERO", "NBD_CMD_FLAG_PAYLOAD_LEN",
	}
	replyFlagNames = []string{"NBD_REPLY_FLAG_DONE"}
	stateFlagNames = []string{"NBD_STATE_HOLE", "NBD_STATE_ZERO"}
)

// flagString prints set bits by name, without the prefix that all share, and
// the rest in hex: "FUA|NO_HOLE|0x40".
func flagString(bits uint64, prefix string, names []string) string {
	if bits == 0 {
		return "0"
	}
	var parts []string
	for i, name := range names {
		if bits&(1<<i) != 0 {
			parts = append(parts, strings.TrimPrefix(name, prefix))
			bits &^= 1 << i
		}
	}
	if bits != 0 {
		parts = append(parts, fmt.Sprintf("%#x", bits))
	}
	return strings.Join(parts, "|")
}

func (f HandshakeFlags) String() string {
	return flagString(uint64(f), "NBD_FLAG_", handshakeFlagNames)
}

func (f ClientFlags) String() string {
	return flagString(uint64(f), "NBD_FLAG_C_", clientFlagNames)
}

func (f TransmissionFlags) String() string {
	return flagString(uint64(f), "NBD_FLAG_", transmissionFlagNames)
}

func (f CommandFlags) String() string {
	return flagString(uint64(f), "NBD_CMD_FLAG_", commandFlagNames)
}

func (f ReplyFlags) String() string {
	return flagString(uint64(f), "NBD_REPLY_FLAG_", replyFlagNames)
}

func (f StateFlags) String() string {
	return flagString(uint64(f), "NBD_STATE_", stateFlagNames)
}
