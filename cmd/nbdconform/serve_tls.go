package main

import (
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"nbdconform/reference/server"
	"nbdconform/reference/starttls"
)

// serveTLS is what the command line says of TLS.
type serveTLS struct {
	mode         string
	certificates string
	psk          string
	verifyPeer   bool
}

func (t *serveTLS) flags(f *pflag.FlagSet) {
	f.StringVar(&t.mode, "tls", "off", "off, on: for clients that ask for it (SELECTIVETLS), or require (FORCEDTLS)")
	f.StringVar(&t.certificates, "tls-certificates", "", "directory with server-cert.pem, server-key.pem and ca-cert.pem")
	f.StringVar(&t.psk, "tls-psk", "", "file of pre-shared keys, name:hex lines, instead of certificates")
	f.BoolVar(&t.verifyPeer, "tls-verify-peer", false, "take clients with a certificate that ca-cert.pem signed only")
}

// apply sets cfg up with TLS. What a profile says of TLS stays if the command
// line says nothing.
func (t *serveTLS) apply(cfg *server.Config) error {
	modes := map[string]server.TLSMode{"off": server.NoTLS, "on": server.SelectiveTLS, "require": server.ForcedTLS}
	mode, ok := modes[t.mode]
	switch {
	case !ok:
		return fmt.Errorf("--tls %s is none of off, on, require", t.mode)
	case mode == server.NoTLS && (t.certificates != "" || t.psk != "" || t.verifyPeer):
		return errors.New("without --tls on or --tls require the other flags for TLS have no effect")
	case mode == server.NoTLS:
		return nil
	case (t.certificates == "") == (t.psk == ""):
		return errors.New("TLS takes either --tls-certificates or --tls-psk")
	case t.psk != "" && t.verifyPeer:
		return errors.New("--tls-verify-peer goes with --tls-certificates: a pre-shared key says who the client is")
	}
	cfg.TLS.Mode = mode
	if t.psk != "" {
		how, err := starttls.LoadPSKServer(t.psk)
		cfg.TLS.Server = how
		return err
	}
	how, err := starttls.LoadServer(t.certificates, t.verifyPeer)
	cfg.TLS.Server = how
	return err
}
