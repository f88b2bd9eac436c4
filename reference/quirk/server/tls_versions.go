package serverquirk

import (
	"crypto/tls"

	"nbdconform/reference/server"
	"nbdconform/reference/starttls"
)

// onX509 changes a copy of what does TLS with certificates.
func onX509(f func(*starttls.X509Server)) func(*server.Config) {
	return wrapTLS(func(s starttls.Server) starttls.Server {
		if x, ok := s.(*starttls.X509Server); ok {
			changed := *x
			f(&changed)
			return &changed
		}
		return s
	})
}

// TLS13Only does without the version that is required.
var TLS13Only = register(Quirk{
	Name: "tls-1-3-only", Breaks: "tls.version.required.server",
	Doc:    "refuses TLS 1.2",
	Config: onX509(func(s *starttls.X509Server) { s.MinVersion = tls.VersionTLS13 }),
})

// TLS12Only does without what is new.
var TLS12Only = register(Quirk{
	Name: "tls-1-2-only", Breaks: "tls.version.later.server",
	Doc:    "does not know TLS 1.3",
	Config: onX509(func(s *starttls.X509Server) { s.MaxVersion = tls.VersionTLS12 }),
})

// TLSOldAccepted takes what is too old.
var TLSOldAccepted = register(Quirk{
	Name: "tls-old-accepted", Breaks: "tls.version.older.default.server",
	Doc:    "takes TLS 1.0 and 1.1",
	Config: onX509(func(s *starttls.X509Server) { s.MinVersion = tls.VersionTLS10 }),
})
