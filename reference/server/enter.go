package server

import "nbdconform/reference/wire"

// constraintsMet reports whether a client may use e that asked for the size
// constraints or did not. The clause allows the server to refuse it otherwise.
func (c *conn) constraintsMet(clause string, e *Export, asked bool) bool {
	return c.enforce(clause, asked || !e.RequireBlockSize || e.Constraints == wire.DefaultSizeConstraints)
}

// choose makes e the export of the transmission phase. Contexts that were
// selected for an export of another name are dropped.
func (c *conn) choose(e *Export, name string, flags wire.TransmissionFlags) {
	c.Export, c.Name, c.Flags = e, name, flags
	if !c.enforce("cmd.block-status.needs-context", c.ContextsFor == name) {
		c.Contexts = nil
	}
}
