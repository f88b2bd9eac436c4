package program

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"nbdconform/reference/starttls"
	"nbdconform/reference/starttls/pki"
)

// A TLSKind is what the two sides of TLS authenticate each other with.
type TLSKind int

// The kinds of TLS.
const (
	NoTLS TLSKind = iota
	X509
	PreSharedKey
	Anonymous
)

// NeedsGnuTLS reports whether it takes GnuTLS to connect to a server with it.
func (k TLSKind) NeedsGnuTLS() bool { return k == PreSharedKey || k == Anonymous }

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

// WithTLS makes a profile of one that starts a server with the directory PKI.
func (f Profile) WithTLS() Profile {
	start := f.Start
	f.Kind = X509
	f.TLS = func() starttls.Client { return pki.Shared().Client("localhost") }
	f.Start = func(p Place) Launch {
		l := start(p)
		l.Prepare = append(Certificates(), l.Prepare...)
		return l
	}
	return f
}

// PSK is the file with a pre-shared key that [WithPSK] makes.
const PSK = "keys.psk"

// PSKUser is the user whose key it is.
const PSKUser = "alice"

const pskKey = "000102030405060708090a0b0c0d0e0f"

// Keys is the contents of the file PSK.
const Keys = PSKUser + ":" + pskKey + "\n"

// WithPSK makes profiles of those that start a server with the file PSK.
func WithPSK(profiles ...Profile) (list []Profile) {
	for _, f := range profiles {
		list = append(list, f.withPSK())
	}
	return list
}

func (f Profile) withPSK() Profile {
	start := f.Start
	f.Kind = PreSharedKey
	f.Ready = func() error {
		_, err := pskClient()
		return err
	}
	f.TLS = func() starttls.Client {
		c, _ := pskClient() // Ready has reported why there is none
		return c
	}
	f.Start = func(p Place) Launch {
		l := start(p)
		l.Prepare = append([]string{"umask 077", fmt.Sprintf("echo %s > %s", strings.TrimSpace(Keys), PSK)}, l.Prepare...)
		return l
	}
	return f
}

func pskClient() (starttls.Client, error) {
	key, err := hex.DecodeString(pskKey)
	if err != nil {
		return nil, err
	}
	return starttls.NewPSKClient(PSKUser, key)
}

// WithAnonymous makes profiles of those that start a server with anonymous TLS.
func WithAnonymous(profiles ...Profile) (list []Profile) {
	for _, f := range profiles {
		f.Kind = Anonymous
		f.Ready = func() error {
			_, err := starttls.NewAnonymousClient()
			return err
		}
		f.TLS = func() starttls.Client {
			c, _ := starttls.NewAnonymousClient() // Ready has reported why there is none
			return c
		}
		list = append(list, f)
	}
	return list
}
