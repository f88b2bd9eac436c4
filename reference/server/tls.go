package server

import (
	"fmt"

	"nbdconform/reference/starttls"
	"nbdconform/reference/wire"
)

// A TLSMode is how a server goes about TLS. Section "Server-side requirements".
type TLSMode uint8

// The modes of the document.
const (
	NoTLS        TLSMode = 0 // NOTLS
	ForcedTLS    TLSMode = 1 // FORCEDTLS: nothing goes without
	SelectiveTLS TLSMode = 2 // SELECTIVETLS: exports that are TLSOnly don't go without
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

// TLS is how a server goes about TLS. The zero value does without.
type TLS struct {
	Mode   TLSMode
	Server starttls.Server // does the handshakes; needed unless Mode is NoTLS
}

// validate rejects what could never be served as it is meant.
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
// negotiated (tls.mode.not-fixed). That gives nobody an export without TLS
// which needs it, see needsTLS.
func (c *conn) mode() TLSMode {
	if !c.enforce("tls.mode.not-fixed", c.ClientFlags&wire.FlagCFixedNewstyle != 0 && c.fixed) {
		return NoTLS
	}
	return c.srv.cfg.TLS.Mode
}

// needsTLS reports whether e is not to be had on this connection as it is.
func (c *conn) needsTLS(e *Export) bool {
	return !c.TLS && (e.TLSOnly || c.srv.cfg.TLS.Mode == ForcedTLS)
}

// insists answers options that have to wait for TLS in FORCEDTLS mode. That
// NBD_OPT_ABORT need not wait is what the summary of the modes says.
func (o *option) insists() bool {
	waits := o.mode() == ForcedTLS && !o.TLS && o.req.Option != wire.OptStartTLS && o.req.Option != wire.OptAbort
	if o.enforce("tls.forced.other-options", !waits) {
		return false
	}
	o.fail(wire.RepErrTLSReqd, "nothing goes without TLS here")
	return true
}

// exportNameClause is the clause that keeps an export which needs TLS from
// NBD_OPT_EXPORT_NAME.
func (o *option) exportNameClause() string {
	if o.srv.cfg.TLS.Mode == ForcedTLS {
		return "tls.forced.export-name"
	}
	return "tls.selective.export-name"
}

// withheld answers NBD_OPT_INFO and NBD_OPT_GO for an export that needs TLS.
// Without fixed newstyle there is no NBD_REP_ERR_TLS_REQD.
func (o *option) withheld(e *Export) bool {
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
