package pairing

import (
	"errors"
	"fmt"

	"nbdconform/conformance/subject"
	"nbdconform/conformance/subject/referenceclient"
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
	return []clients.NoTLS{{Kind: subject.TLSKey, Reason: "it was built without pre-shared keys"}}
}

// openReference gets the reference client ready. It accepts a server that does
// not close the connection after NBD_CMD_DISC, as nbdkit does: a violation that a
// run reports, and not one of what was asked for.
func openReference() (*Client, error) {
	c, err := referenceclient.Open("")
	if err != nil {
		return nil, err
	}
	c.Tolerates = []string{"cmd.disc.close"}
	return newClient(c, referenceClient), nil
}
