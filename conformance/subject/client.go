package subject

import "context"

// An Operation is something that a client program can be asked to do.
type Operation string

// The operations. Those from CopyOut on need an export.
const (
	Visit   Operation = "visit"    // come, do anything, leave: all that is known of a command of the user's
	Info    Operation = "info"     // say what an export is like
	List    Operation = "list"     // list the exports
	Map     Operation = "map"      // say where an export has data
	CopyOut Operation = "copy-out" // copy all of an export to a file
	CopyIn  Operation = "copy-in"  // copy a file to an export, and flush
	Compare Operation = "compare"  // compare a file with an export: success if they are the same
	Zero    Operation = "zero"     // zero a range
	Trim    Operation = "trim"     // discard a range
	Resize  Operation = "resize"   // make an export as large as Task.Length says
	Stamp   Operation = "stamp"    // write the offset of every block into it, over all of an export, and flush
	Verify  Operation = "verify"   // read all of an export: success if it is as Stamp leaves it
	Extras  Operation = "extras"   // try what else of the protocol the program has, and leave
)

// StampBlock is the block of Stamp and Verify, in bytes. It holds nothing but
// its offset, again and again, in eight bytes with the lowest first.
const StampBlock = 64 << 10

// Operations are those that specs ask for, in the order in which they are tried.
var Operations = []Operation{Visit, Info, List, Map, CopyOut, CopyIn, Compare, Zero, Trim, Resize}

// Writes reports whether the operation changes the export.
func (o Operation) Writes() bool {
	return o == CopyIn || o == Zero || o == Trim || o == Resize || o == Stamp || o == Extras
}

// A TLS says what a client is told about TLS.
type TLS int

// What a client can be told.
const (
	NoTLS        TLS = iota // nothing: do without
	TLSAllow                // ask for it, and go on without where there is none
	TLSRequire              // ask for it, and give up where there is none
	TLSKey                  // as TLSRequire, with a pre-shared key instead of certificates
	TLSAnonymous            // as TLSRequire, without any authentication
)

func (t TLS) String() string {
	return [...]string{"without TLS", "with TLS if there is any", "with TLS", "with TLS and a pre-shared key", "with anonymous TLS"}[t]
}

// An Address is where the server is and how to talk to it.
type Address struct {
	Socket string // path of a Unix socket, below Client.Dir
	Export string
	TLS    TLS
	PKI    string // directory of certificates, below Client.Dir; their server is "localhost"
	Keys   string // directory with a file keys.psk, below Client.Dir; it has a key of "alice"
}

// A Task is one thing to do at one server.
type Task struct {
	Operation Operation
	Server    Address
	File      string // below Client.Dir: what is written by CopyOut, and read by CopyIn and Compare
	Offset    uint64 // of Zero and Trim, bytes
	Length    uint64 // of Zero and Trim, and the size of Resize, bytes
	Context   string // metadata context of Map; "": base:allocation
}

// A Report is how a program went about a task.
type Report struct {
	Argv   []string
	Exit   string // "" for success, or such as "exit status 1"
	Killed string // the signal that it died of, of its own doing, or ""
	Hung   bool   // it did not end in time and was killed
	Stdout string // the end of what it wrote, at most 64 KiB
	Stderr string
}

// Succeeded reports whether the program says that all went well.
func (r Report) Succeeded() bool { return r.Exit == "" && r.Killed == "" && !r.Hung }

// A Client is one client program under test.
type Client interface {
	// Identity says what the program is.
	Identity() Identity
	// Can reports whether the program, as far as is known, can do the operation.
	Can(a Operation, t TLS) bool
	// Dir is a directory that the program sees under the same path. Sockets and
	// files of tasks lie in it.
	Dir() string
	// Do has the program do a task, and waits for its end. When ctx ends first
	// the program is killed and the report says that it hung. The error is ours:
	// the program could not be run.
	Do(ctx context.Context, t Task) (Report, error)
	// Close frees what the caller holds. Calling it twice is harmless.
	Close() error
}
