// Package quirk is the catalogue of deliberate misbehaviour.
//
// A [Quirk] is one named departure from good manners, told in a few lines
// against the hooks of package server. The specs prove with it that they can
// fail, and the client specs use it as a stimulus. Most quirks break one
// clause of the protocol document; the Allowed ones are unusual and correct,
// and must trip nothing.
//
// Files follow the protocol: handshake.go, options.go, info.go, meta.go,
// read.go, write.go, zeroes.go, status.go, errors.go, lifecycle.go; then come
// extensions, extended.go and extended_status.go among them, and allowed.go.
package quirk
