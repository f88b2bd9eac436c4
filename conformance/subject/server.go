package subject

import (
	"context"
	"errors"
	"net"

	"nbdconform/reference/starttls"
	"nbdconform/reference/wire"
)

// ErrNoRestart is what Restart returns for a server that is not ours to start.
var ErrNoRestart = errors.New("this target can't be restarted from here")

// A Server is one server under test. Its methods may be called from several
// goroutines.
type Server interface {
	// Identity says what the server is. It is fixed once the target runs.
	Identity() Identity
	// Profile says how the server was set up and what it was told to offer.
	Profile() Profile
	// Dial opens a connection to the server. The caller closes it.
	Dial(ctx context.Context) (net.Conn, error)
	// Health asks whether the program behind the address still runs.
	Health(ctx context.Context) Health
	// Restart replaces the server by a fresh one with the contents that it
	// had at first, or returns ErrNoRestart. The address may change.
	Restart(ctx context.Context) error
	// Close stops the server and frees all that it held. Calling it twice is harmless.
	Close() error
}

// The providers: who started the program under test.
const (
	InProcess = "in-process" // it is a part of this process
	Container = "container"  // the suite, in a container
	Local     = "local"      // the suite, as a child process
	URI       = "uri"        // somebody else, who named its address
)

// An Identity names a server in a report.
type Identity struct {
	Name     string   // "qemu-nbd", "reference", or the address for a server that the user named
	Provider string   // InProcess, Container, Local or URI
	Release  string   // the Debian release of a container, or ""
	Version  string   // version of the package or program, or "" where it can't be known
	Image    string   // image digest, or ""
	Command  []string // the command line that started it, or nil
}

// A Profile is one way of setting up a server.
type Profile struct {
	Name        string   // "default", "read-only", ...
	Export      string   // the export to test; "" is the default export
	Exports     []string // all exports that the server was told to have, or nil where unknown
	Size        uint64   // size of Export in bytes, or 0 where unknown
	Features    []string // features that the setup promises, by their names in package feature; nil: nothing is known
	Destructive bool     // the specs may write to the export
	Durable     bool     // the storage outlives the server, see the interface [Durable]

	// Dialect is what the server was told to speak, and what the specs speak
	// with it.
	Dialect wire.Dialect

	TLS       starttls.Client // how to do TLS with the server; nil where that is not known
	TLSAlways bool            // talk within TLS even where the server does not insist
}

// Health is what is known of the program behind an address.
type Health struct {
	State  State
	Exit   string // how it ended, such as "exit status 1" or "signal: segmentation fault"; "" while it runs
	Stderr string // the end of what the program wrote to its standard error, at most 64 KiB
}

// A State says whether a program runs.
type State int

// The states of a program.
const (
	Unknown State = iota // the program is not ours to watch
	Running
	Exited
)

func (s State) String() string {
	switch s {
	case Running:
		return "running"
	case Exited:
		return "exited"
	default:
		return "unknown"
	}
}
