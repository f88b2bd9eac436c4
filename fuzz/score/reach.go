package score

import (
	"strings"

	serverquirk "nbdconform/reference/quirk/server"
)

// beyond says which clauses no script can see broken, by the start of their
// ids, or which quirk alone, and why: what a script is made of begins behind the
// TLS handshake, and all of it comes from a client that the server has no reason
// to outlive.
var beyond = []struct{ what, why string }{
	{"tls.version.", "within the TLS handshake, which is not an operation"},
	{"tls.handshake.", "within the TLS handshake, which is not an operation"},
	{"cmd.disc.tls", "in the TLS records behind the last message"},
	{"cmdflag.fua.persist", "behind a crash of the server, which is not an operation"},
	{"flush-lies", "behind a crash of the server, which is not an operation"},
	{"get-lba-status.", "in a draft of the protocol that the model does not know"},
}

// Unreachable says why no valid session shows the quirk, or "" if one can.
func Unreachable(q serverquirk.Quirk) string {
	if q.Unseen != "" {
		return q.Unseen
	}
	for _, b := range beyond {
		if q.Name == b.what || strings.HasPrefix(q.Breaks, b.what) {
			return b.why
		}
	}
	return ""
}
