package wire

import (
	"fmt"
	"slices"
	"strings"
)

// A Dialect is a draft that no document has any more, and whose numbers mean
// something else by now. It is spoken only where both sides are told so by its
// name: nothing on the wire tells it from the protocol of today. All that the
// draft does not speak of stays as the document has it, but for what would
// share a number with the draft.
type Dialect uint8

const (
	// Current is the protocol of the document.
	Current Dialect = iota
	// GetLBAStatus is the extension that was proposed in March 2016: command 7
	// and transmission flag bit 7, which are NBD_CMD_BLOCK_STATUS and
	// NBD_FLAG_SEND_DF today. So replies are always simple.
	GetLBAStatus
	// WriteZeroesRFC is the first proposal of NBD_CMD_WRITE_ZEROES, of February
	// 2016: the numbers are those of today, but the command is a write without
	// its payload, and has no flags but those of a write.
	WriteZeroesRFC
)

var dialects = []string{"current", "get-lba-status", "write-zeroes-rfc"}

func (d Dialect) String() string {
	if int(d) < len(dialects) {
		return dialects[d]
	}
	return fmt.Sprintf("Dialect(%d)", uint8(d))
}

// Dialects lists the names of all dialects, that of the document first.
func Dialects() []string { return slices.Clone(dialects) }

// DialectOf returns the dialect of a name; "" is [Current].
func DialectOf(name string) (Dialect, error) {
	if i := slices.Index(dialects, name); i >= 0 {
		return Dialect(i), nil
	}
	if name == "" {
		return Current, nil
	}
	return Current, fmt.Errorf("there is no dialect %q: use one of %s", name, strings.Join(dialects, ", "))
}

// Chunks reports whether replies in chunks, and so metadata contexts, go with
// the dialect.
func (d Dialect) Chunks() bool { return d != GetLBAStatus }

// AllowedFlags are the command flags that go with c in the dialect. Those of
// NBD_CMD_GET_LBA_STATUS are no flags but a type, of which any is allowed.
func (d Dialect) AllowedFlags(c Command) CommandFlags {
	switch {
	case d == GetLBAStatus && c == CmdGetLBAStatus:
		return ^CommandFlags(0)
	case d == GetLBAStatus && c == CmdRead:
		return CmdFlagFUA
	case d == WriteZeroesRFC && c == CmdWriteZeroes:
		return CmdFlagFUA
	}
	return c.AllowedFlags()
}

// CommandName is what c is called in the dialect.
func (d Dialect) CommandName(c Command) string {
	if d == GetLBAStatus && c == CmdGetLBAStatus {
		return "NBD_CMD_GET_LBA_STATUS"
	}
	return c.String()
}

// FlagNames prints transmission flags by their names in the dialect.
func (d Dialect) FlagNames(f TransmissionFlags) string {
	if d == GetLBAStatus {
		return strings.Replace(f.String(), "SEND_DF", "SEND_GET_LBA_STATUS", 1)
	}
	return f.String()
}
