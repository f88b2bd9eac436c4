package clientquirk

// ErrnoFatal gives up on unknown error values.
var ErrnoFatal = breaking("client-errno-fatal", "err.unexpected",
	"closes the connection on an error value that it does not know")
