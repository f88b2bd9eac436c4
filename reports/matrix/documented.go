package matrix

import (
	"slices"

	"nbdconform/reports/debversion"
)

// A Claim is a line of a server's own list of features by version.
type Claim struct {
	Since   string // version of the program
	Feature string // our name for it
	Profile string // a profile that should show it; "" for any
	Text    string // what the list calls it
}

// qemuClaims is what docs/interop/nbd.txt of qemu lists under "Features by
// version", as far as a server shows it.
var qemuClaims = []Claim{
	{Since: "2.6", Feature: "starttls", Text: "NBD_OPT_STARTTLS with X.509 certificates"},
	{Since: "2.8", Feature: "write-zeroes", Text: "NBD_CMD_WRITE_ZEROES"},
	{Since: "2.10", Feature: "info", Text: "NBD_OPT_GO"},
	{Since: "2.10", Feature: "block-size", Text: "NBD_INFO_BLOCK_SIZE"},
	{Since: "2.11", Feature: "structured-reply", Text: "NBD_OPT_STRUCTURED_REPLY"},
	{Since: "2.12", Feature: "base-allocation", Text: "NBD_CMD_BLOCK_STATUS for base:allocation"},
	{Since: "3.0", Feature: "dirty-bitmap", Text: "NBD_CMD_BLOCK_STATUS for qemu:dirty-bitmap:"},
	{Since: "3.0", Feature: "cache", Text: "NBD_CMD_CACHE"},
	{Since: "4.2", Feature: "multi-conn", Profile: "read-only", Text: "NBD_FLAG_CAN_MULTI_CONN for shareable read-only exports"},
	{Since: "4.2", Feature: "fast-zero", Text: "NBD_CMD_FLAG_FAST_ZERO"},
	{Since: "5.2", Feature: "allocation-depth", Text: "NBD_CMD_BLOCK_STATUS for qemu:allocation-depth"},
	{Since: "7.1", Feature: "multi-conn", Profile: "default", Text: "NBD_FLAG_CAN_MULTI_CONN for shareable writable exports"},
	{Since: "8.2", Feature: "extended-headers", Text: "NBD_OPT_EXTENDED_HEADERS"},
	{Since: "8.2", Feature: "block-status-payload", Text: "NBD_FLAG_BLOCK_STATUS_PAYLOAD"},
}

// A Standing is how a claim and a version of the server agree.
type Standing string

// The standings.
const (
	Agreed  Standing = "as claimed" // there since the version, or not there before it
	Missing Standing = "missing"    // claimed for this version, and no profile showed it
	Early   Standing = "early"      // there, although the list names a later version
	Unseen  Standing = "not looked" // the profile that would show it did not run
	Unknown Standing = "no version" // the server did not say which version it is
)

// A Documented is a claim held against the servers.
type Documented struct {
	Claim
	Servers   []Peer
	Standings []Standing // as Servers
}

// Qemu holds qemu's own list of features by version against what its servers
// in m advertised.
func (m Matrix) Qemu() []Documented {
	var servers []Peer
	for _, s := range m.Servers() {
		if s.Name == "qemu-nbd" {
			servers = append(servers, s)
		}
	}
	if len(servers) == 0 {
		return nil
	}
	var list []Documented
	for _, c := range qemuClaims {
		d := Documented{Claim: c, Servers: servers}
		for _, s := range servers {
			d.Standings = append(d.Standings, m.standing(c, s))
		}
		list = append(list, d)
	}
	return list
}

func (m Matrix) standing(c Claim, server Peer) Standing {
	looked, has := false, false
	for _, r := range m.RunsOf(server) {
		if c.Profile != "" && r.Target.Profile != c.Profile {
			continue
		}
		looked = true
		has = has || slices.Contains(r.Target.Advertised, c.Feature)
	}
	claimed := debversion.AtLeast(server.Version, c.Since)
	switch {
	case debversion.Upstream(server.Version) == "":
		return Unknown
	case !looked:
		return Unseen
	case claimed && !has:
		return Missing
	case !claimed && has:
		return Early
	}
	return Agreed
}
