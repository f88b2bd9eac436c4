package matrix

// An Activity is something that people do with a client program.
type Activity string

// The activities, in the order in which reports show them.
const (
	Connect Activity = "connect"
	List    Activity = "list"
	Map     Activity = "map"      // block status
	CopyOut Activity = "copy-out" // from the server to a file
	CopyIn  Activity = "copy-in"  // from a file to the server
	Compare Activity = "compare"
	Discard Activity = "discard"
	Zero    Activity = "zero"
	TLS     Activity = "tls"     // connect by X.509
	TLSKey  Activity = "tls-psk" // connect by a pre-shared key
)

// Activities lists all of them.
var Activities = []Activity{Connect, List, Map, CopyOut, CopyIn, Compare, Discard, Zero, TLS, TLSKey}

// An Outcome is how an activity went.
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

// A Pairing is one activity of one client program with one server.
type Pairing struct {
	Client   Peer     `json:"client"`
	Server   Peer     `json:"server"`
	Activity Activity `json:"activity"`
	Outcome  Outcome  `json:"outcome"`
	Lost     []string `json:"lost,omitempty"`    // features that were not used, and what was used instead
	Detail   string   `json:"detail,omitempty"`  // why, for anything but works
	Command  string   `json:"command,omitempty"` // what was run
	Output   string   `json:"output,omitempty"`  // the end of what it printed, where it did not work
	Seconds  float64  `json:"seconds"`
}

// Between are the pairings of a client with a server, by activity.
func (m Matrix) Between(client, server Peer) map[Activity]Pairing {
	found := make(map[Activity]Pairing)
	for _, p := range m.Pairings {
		if p.Client.Same(client) && p.Server.Same(server) {
			found[p.Activity] = p
		}
	}
	return found
}
