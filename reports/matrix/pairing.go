package matrix

// An Operation is something that users do with a client program.
type Operation string

// The operations, in the order in which reports show them.
const (
	Connect Operation = "connect"
	List    Operation = "list"
	Map     Operation = "map"      // block status
	CopyOut Operation = "copy-out" // from the server to a file
	CopyIn  Operation = "copy-in"  // from a file to the server
	Compare Operation = "compare"
	Discard Operation = "discard"
	Zero    Operation = "zero"
	TLS     Operation = "tls"     // connect by X.509
	TLSKey  Operation = "tls-psk" // connect by a pre-shared key
)

// Operations lists all of them.
var Operations = []Operation{Connect, List, Map, CopyOut, CopyIn, Compare, Discard, Zero, TLS, TLSKey}

// An Outcome is how an operation went.
type Outcome string

// The outcomes, the worst last.
const (
	Unable   Outcome = "unable"   // the program, or the server, has no such thing; Detail says which
	Works    Outcome = "works"    // done, and right where it could be checked
	Degraded Outcome = "degraded" // right, without a feature that both have alone; Lost names it
	Broken   Outcome = "broken"   // not done, and the program said so, crashed or hung
	Corrupt  Outcome = "corrupt"  // wrong data, and the program claims success
)

// Outcomes lists all of them.
var Outcomes = []Outcome{Unable, Works, Degraded, Broken, Corrupt}

// A Pairing is one operation of one client program with one server.
type Pairing struct {
	Client    Peer      `json:"client"`
	Server    Peer      `json:"server"`
	Operation Operation `json:"activity"`
	Outcome   Outcome   `json:"outcome"`
	Lost      []string  `json:"lost,omitempty"`    // features that were not used, and what was used instead
	Detail    string    `json:"detail,omitempty"`  // why, for anything but works
	Command   string    `json:"command,omitempty"` // what was run
	Output    string    `json:"output,omitempty"`  // the end of what it printed, where it did not work
	Seconds   float64   `json:"seconds"`
}

// Between are the pairings of a client with a server, by operation.
func (m Matrix) Between(client, server Peer) map[Operation]Pairing {
	found := make(map[Operation]Pairing)
	for _, p := range m.Pairings {
		if p.Client.Same(client) && p.Server.Same(server) {
			found[p.Operation] = p
		}
	}
	return found
}
