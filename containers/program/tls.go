package program

import (
	"fmt"
	"maps"
	"slices"

	"nbdconform/reference/starttls"
	"nbdconform/reference/starttls/pki"
)

// PKI is the directory that [Certificates] makes.
const PKI = "pki"

// Certificates are the shell commands that make the directory PKI with the
// certificates that this process has for tests.
func Certificates() []string {
	files := pki.Shared().Files
	commands := []string{"umask 077", "mkdir " + PKI}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		commands = append(commands, fmt.Sprintf("cat > %s/%s <<'END'\n%sEND", PKI, name, files[name]))
	}
	return commands
}

// WithTLS makes a setup of one that starts a server with the directory PKI.
func (s Setup) WithTLS() Setup {
	start := s.Start
	s.TLS = func() starttls.Client { return pki.Shared().Client("localhost") }
	s.Start = func(p Place) Launch {
		l := start(p)
		l.Prepare = append(Certificates(), l.Prepare...)
		return l
	}
	return s
}
