package servers

import (
	"fmt"
	"strings"

	"nbdconform/containers/internal/nbdkit"
	"nbdconform/containers/internal/nbdserver"
	"nbdconform/containers/internal/program"
	"nbdconform/containers/internal/qemunbd"
	"nbdconform/containers/internal/qemustorage"
)

// Programs are all of them, in the order of reports.
var Programs = []program.Program{qemunbd.Program, nbdkit.Program, nbdserver.Program, qemustorage.Program}

// Find returns the program of a name, or an error that lists the valid names.
func Find(name string) (program.Program, error) {
	var names []string
	for _, p := range Programs {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return program.Program{}, fmt.Errorf("unknown target %q: use one of %s", name, strings.Join(names, ", "))
}
