package subject

import "context"

// A Durable target can lose its server and keep what that stored. Only a set-up
// whose profile is Durable keeps anything.
type Durable interface {
	// Crash ends the server without warning, as SIGKILL does, and starts it
	// again with the storage that it left.
	Crash(ctx context.Context) error
}
