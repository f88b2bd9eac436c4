//go:build !((linux || freebsd || darwin) && (amd64 || arm64)) || nopsk

package starttls

import "fmt"

// BuiltWithGnuTLS says whether this program can have what GnuTLS is for at all.
const BuiltWithGnuTLS = false

var errNotBuilt = fmt.Errorf("%w: this program was built without it (see the build tag nopsk)", ErrNoGnuTLS)

func newPSKServer(string) (Server, error) { return nil, errNotBuilt }

func newPSKClient(string, []byte) (Client, error) { return nil, errNotBuilt }

func newAnonServer() (Server, error) { return nil, errNotBuilt }

func newAnonClient() (Client, error) { return nil, errNotBuilt }
