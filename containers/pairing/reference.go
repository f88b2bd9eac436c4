package pairing

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"nbdconform/conformance/caller"
	"nbdconform/conformance/caller/inprocess"
	"nbdconform/containers/clients"
	"nbdconform/reference/starttls"
)

// Reference is the name of the reference server and of the reference client.
const Reference = "reference"

// referenceClient is the reference client among the programs.
var referenceClient = clients.Program{
	Name:  Reference,
	NoTLS: withoutGnuTLS(),
	Output: clients.Output{
		Size: func(stdout string) (size uint64, err error) {
			if _, err := fmt.Sscanf(stdout, "size %d", &size); err != nil {
				return 0, errors.New("its output can't be read")
			}
			return size, nil
		},
		Exports: clients.TextExports,
		Extents: clients.TextExtents,
	},
}

func withoutGnuTLS() []clients.NoTLS {
	if starttls.BuiltWithGnuTLS {
		return nil
	}
	return []clients.NoTLS{{Kind: caller.TLSKey, Reason: "it was built without pre-shared keys"}}
}

// openReference gets the reference client ready.
func openReference() (*Client, error) {
	c, err := inprocess.Open("")
	if err != nil {
		return nil, err
	}
	return newClient(tolerant{c}, referenceClient), nil
}

// A tolerant client is the reference client that accepts a server that does not
// close the connection after NBD_CMD_DISC, as nbdkit does: a violation that a run
// reports, and not one of what was asked for.
type tolerant struct{ caller.Caller }

func (p tolerant) Do(ctx context.Context, t caller.Task) (caller.Report, error) {
	r, err := p.Caller.Do(ctx, t)
	if strings.HasSuffix(r.Stderr, "(cmd.disc.close)") && !strings.Contains(r.Stderr, "\n") {
		r.Exit, r.Hung = "", false
	}
	return r, err
}
