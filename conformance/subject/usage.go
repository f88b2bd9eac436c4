package subject

import "context"

// A Measurable target says what its server takes of the machine.
type Measurable interface {
	// Usage sums up the server's processes. An error says why that can't be
	// known here.
	Usage(ctx context.Context) (Usage, error)
}

// A Usage is what the processes of a server take.
type Usage struct {
	Memory      uint64 // resident, bytes
	Descriptors int    // open files and connections; -1 where that can't be seen
	Processes   int
}
