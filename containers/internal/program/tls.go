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
func (s Profile) WithTLS() Profile {
	start := s.Start
	s.TLS = func() starttls.Client { return pki.Shared().Client("localhost") }
	s.Start = func(p Place) Launch {
		l := start(p)
		l.Prepare = append(Certificates(), l.Prepare...)
		return l
	}
	return s
}

// PSK is the file with a pre-shared key that [WithPSK] makes.
const PSK = "keys.psk"

// PSKUser is the user whose key it is.
const PSKUser = "alice"

const pskKey = "000102030405060708090a0b0c0d0e0f"

// Keys is what the file PSK says.
const Keys = PSKUser + ":" + pskKey + "\n"

// WithPSK makes setups of some that start a server with the file PSK.
func WithPSK(setups ...Profile) (list []Profile) {
	for _, s := range setups {
		list = append(list, s.withPSK())
	}
	return list
}

func (s Profile) withPSK() Profile {
	start := s.Start
	s.GnuTLS = true
	s.Ready = func() error {
		_, err := pskClient()
		return err
	}
	s.TLS = func() starttls.Client {
		c, _ := pskClient() // Ready has said why there is none
		return c
	}
	s.Start = func(p Place) Launch {
		l := start(p)
		l.Prepare = append([]string{"umask 077", fmt.Sprintf("echo %s > %s", strings.TrimSpace(Keys), PSK)}, l.Prepare...)
		return l
	}
	return s
}

func pskClient() (starttls.Client, error) {
	key, err := hex.DecodeString(pskKey)
	if err != nil {
		return nil, err
	}
	return starttls.NewPSKClient(PSKUser, key)
}

// WithAnonymous makes setups of some that start a server with anonymous TLS.
func WithAnonymous(setups ...Profile) (list []Profile) {
	for _, s := range setups {
		s.GnuTLS = true
		s.Ready = func() error {
			_, err := starttls.NewAnonymousClient()
			return err
		}
		s.TLS = func() starttls.Client {
			c, _ := starttls.NewAnonymousClient() // Ready has said why there is none
			return c
		}
		list = append(list, s)
	}
	return list
}
