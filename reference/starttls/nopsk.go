//go:build !((linux || freebsd || darwin) && (amd64 || arm64)) || nopsk

package starttls

import "fmt"

// BuiltWithPSK says whether this program can have pre-shared keys at all.
const BuiltWithPSK = false

var errNotBuilt = fmt.Errorf("%w: this program was built without it (see the build tag nopsk)", ErrNoPSK)

func newPSKServer(string) (Server, error) { return nil, errNotBuilt }

func newPSKClient(string, []byte) (Client, error) { return nil, errNotBuilt }
