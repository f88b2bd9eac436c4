package nbduri

import (
	"errors"
	"fmt"
	"os/user"

	"nbdconform/reference/starttls"
)

// StartTLS is how a client does TLS with the server, or nil where the URI says
// nothing of it. Where u.TLS is set there must be no session without. With a
// plain scheme, TLS is opportunistic: somebody in between can prevent it.
//
// Without tls-type, a file of pre-shared keys decides for those, and anything
// else for certificates. Without tls-certificates the authorities that the
// machine trusts have to do.
func (u URI) StartTLS() (starttls.Client, error) {
	c, err := u.startTLS()
	if err != nil {
		return nil, fmt.Errorf("preparing TLS for %v: %w", u, err)
	}
	return c, nil
}

func (u URI) startTLS() (starttls.Client, error) {
	t := u.TLSType
	switch {
	case t != "":
	case u.TLSPSKFile != "":
		t = TLSPSK
	case u.TLS || u.TLSCertificates != "":
		t = TLSX509
	default:
		return nil, nil
	}
	switch t {
	case TLSX509:
		return u.startX509()
	case TLSPSK:
		name := u.User
		if name == "" { // "default to a local operating system credential"
			me, err := user.Current()
			if err != nil {
				return nil, err
			}
			name = me.Username
		}
		return starttls.LoadPSKClient(u.TLSPSKFile, name)
	case TLSAnonymous:
		if u.TLSVerifyPeer == VerifyAlways {
			return nil, errors.New("tls-verify-peer=1 wants to know who the server is, which tls-type=anon never says")
		}
		return starttls.NewAnonymousClient()
	}
	return nil, fmt.Errorf("tls-type=%s is not supported", t)
}

func (u URI) startX509() (starttls.Client, error) {
	c := &starttls.X509Client{}
	if u.TLSCertificates != "" {
		var err error
		if c, err = starttls.LoadClient(u.TLSCertificates); err != nil {
			return nil, err
		}
	}
	c.NoVerify = u.TLSVerifyPeer == VerifyNever
	c.ServerName = u.TLSHostname
	if c.ServerName == "" && u.Transport == TCP {
		c.ServerName = u.Host
		if u.Host == "" {
			c.ServerName = DefaultHost
		}
	}
	return c, nil
}
