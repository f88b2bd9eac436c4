package clientquirk

// Ends of TLS sessions.
var (
	HardCutsTLS = breaking("client-hard-cuts-tls", "haggling.hard.tls-shutdown.client",
		"closes the connection below TLS where the server breaks a rule of the negotiation")
	HardCutsTLSLater = breaking("client-hard-cuts-tls-later", "trans.end.hard.tls-shutdown.client",
		"closes the connection below TLS where the server breaks a rule of transmission")
)
