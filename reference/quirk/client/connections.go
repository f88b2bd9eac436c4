package clientquirk

// Several connections.
var (
	MultiConnAlways = breaking("client-multi-conn-always", "flag.transmission.multi-conn.absent",
		"reads by two connections, round-robin, whatever the server advertises")
	Flushless = breaking("client-flushless", "interop.client.flush",
		"flushes nothing that it has written")
)
