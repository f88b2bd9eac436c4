package clientquirk

import (
	"nbdconform/reference/client"
	"nbdconform/reference/wire"
)

// Ends of connections.
var (
	ShutdownHard = breaking("client-eshutdown-hard", "trans.end.eshutdown.soft",
		"closes the connection on NBD_ESHUTDOWN")
	FlushEarly = breaking("client-flush-early", "trans.order.flush.connections",
		"flushes while another connection of its own still writes")
	DiscRange = asking("client-disc-range", "cmd.disc.zero",
		"sends NBD_CMD_DISC with a length", wire.CmdDisc, func(m *client.RequestMessage) { m.Request.Length = 512 })
)
