package known

import _ "embed"

// Pairings is the YAML of the pairings, see package interop.
//
//go:embed pairings/reference.yaml
var Pairings []byte
