package program

// MiB is the unit of the exports' sizes.
const MiB = 1 << 20

// A Program is one NBD server program.
type Program struct {
	Name     string    // what it is called on the command line
	Package  string    // Debian package that has it
	Profiles []Profile // the first is the default
	Interop  []string  // names of the profiles in which the reference client is tried with it
	// LeavesWaiting says that it does not disconnect clients that break the
	// protocol, but leaves them waiting, so that runs take long.
	LeavesWaiting bool
}
