package server

import "nbdconform/reference/wire"

// constraintsMet reports whether a client that did or did not ask for the size
// constraints may use e. The clause says what the server may do otherwise.
func (c *conn) constraintsMet(clause string, e *Export, asked bool) bool {
	return c.enforce(clause, asked || !e.RequireBlockSize || e.Constraints == wire.DefaultSizeConstraints)
}

// choose makes e the export of the transmission phase. Contexts that were
// selected for an export of another name are void.
func (c *conn) choose(e *Export, name string, flags wire.TransmissionFlags) {
	c.Export, c.Name, c.Flags = e, name, flags
	if !c.enforce("cmd.block-status.needs-context", c.ContextsFor == name) {
		c.Contexts = nil
	}
}
