package server

import (
	"fmt"

	"nbdconform/reference/starttls"
	"nbdconform/reference/wire"
)

// A TLSMode is when a server requires TLS. Section "Server-side requirements".
type TLSMode uint8

// The modes of the specification.
const (
	NoTLS        TLSMode = 0 // NOTLS
	ForcedTLS    TLSMode = 1 // FORCEDTLS: all exports need it
	SelectiveTLS TLSMode = 2 // SELECTIVETLS: exports that are TLSOnly need it
)

func (m TLSMode) String() string {
	switch m {
	case NoTLS:
		return "NOTLS"
	case ForcedTLS:
		return "FORCEDTLS"
	case SelectiveTLS:
		return "SELECTIVETLS"
	}
	return fmt.Sprintf("TLSMode(%d)", uint8(m))
}

// TLS is how a server does TLS. The zero value has none.
type TLS struct {
	Mode   TLSMode
	Server starttls.Server // does the handshakes; needed unless Mode is NoTLS
}

// validate rejects configurations that can't work.
func (t TLS) validate(exports []Export) error {
	switch t.Mode {
	case NoTLS:
		for _, e := range exports {
			if e.TLSOnly {
				return fmt.Errorf("export %q is TLS-only, and the server has no TLS", e.Name)
			}
		}
		return nil
	case ForcedTLS, SelectiveTLS:
		if t.Server == nil {
			return fmt.Errorf("%v needs something that does TLS", t.Mode)
		}
		return nil
	}
	return fmt.Errorf("%v is no mode", t.Mode)
}

// mode is the mode of this connection: NOTLS where fixed newstyle was not
// negotiated (tls.mode.not-fixed). Exports that need TLS are refused all the same,
// see needsTLS.
func (c *conn) mode() TLSMode {
	if !c.enforce("tls.mode.not-fixed", c.ClientFlags&wire.FlagCFixedNewstyle != 0 && c.fixed) {
		return NoTLS
	}
	return c.srv.cfg.TLS.Mode
}

// needsTLS reports whether e is refused on this connection until TLS is in use.
func (c *conn) needsTLS(e *Export) bool {
	return !c.TLS && (e.TLSOnly || c.srv.cfg.TLS.Mode == ForcedTLS)
}

// waitsForTLS refuses options that have to wait for TLS in FORCEDTLS mode, and
// reports whether it did. By the summary of the modes NBD_OPT_ABORT need not wait.
func (o *option) waitsForTLS() bool {
	waits := o.mode() == ForcedTLS && !o.TLS && o.req.Option != wire.OptStartTLS && o.req.Option != wire.OptAbort
	if o.enforce("tls.forced.other-options", !waits) {
		return false
	}
	o.fail(wire.RepErrTLSReqd, "TLS has to be negotiated first")
	return true
}

// exportNameClause is the clause that refuses NBD_OPT_EXPORT_NAME for an export
// which needs TLS.
func (o *option) exportNameClause() string {
	if o.srv.cfg.TLS.Mode == ForcedTLS {
		return "tls.forced.export-name"
	}
	return "tls.selective.export-name"
}

// needsTLSFirst refuses NBD_OPT_INFO and NBD_OPT_GO for an export that needs TLS,
// and reports whether it did. Without fixed newstyle there is no
// NBD_REP_ERR_TLS_REQD.
func (o *option) needsTLSFirst(e *Export) bool {
	clause := "tls.selective.info"
	if o.req.Option == wire.OptGo {
		clause = "tls.selective.go"
	}
	if o.enforce(clause, !o.needsTLS(e)) {
		return false
	}
	t := wire.RepErrTLSReqd
	if o.mode() == NoTLS {
		t = wire.RepErrPolicy
	}
	o.fail(t, fmt.Sprintf("export %q needs TLS", e.Name))
	return true
}
