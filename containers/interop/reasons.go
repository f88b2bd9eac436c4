package interop

// reasons say why a cell of the support table is empty, by item. Where no cell
// is empty any more, the table says so and wants the reason gone.
var reasons = map[string]string{
	"dialect GET_LBA_STATUS of 2016": draft,
	"dialect WRITE_ZEROES of 2016":   draft,

	"NBD_OPT_PEEK_EXPORT": "It was withdrawn. The reference client sends it to every server, and is refused.",

	"NBD_REP_ERR_POLICY":          "It takes a server that is told not to start TLS, and a client that wants it. " + untried,
	"NBD_REP_ERR_INVALID":         "It takes an option with wrong data, and no client was heard to send one.",
	"NBD_REP_ERR_PLATFORM":        "It is for what the server's platform does not have. No server was heard to miss anything.",
	"NBD_REP_ERR_SHUTDOWN":        ending,
	"NBD_REP_ERR_BLOCK_SIZE_REQD": "It takes a client that does not ask for the size of blocks, and a server that insists. No client was heard to be refused so, and no other server to insist.",
	"NBD_REP_ERR_TOO_BIG":         "It takes an option that is too long, which no client was heard to send. The other servers were not heard to say so.",
	"NBD_REP_ERR_EXT_HEADER_REQD": "It takes a client that asks for something older once it has extended headers, and no client was heard to.",

	"NBD_INFO_INIT_STATE": proposal,
	"NBD_INIT_SPARSE":     proposal,
	"NBD_INIT_ZERO":       proposal,

	"NBD_FLAG_SEND_RESIZE": resize,
	"NBD_CMD_RESIZE":       resize,

	"NBD_CMD_CACHE":          unasked,
	"NBD_CMD_FLAG_DF":        unasked,
	"NBD_CMD_FLAG_FAST_ZERO": unasked,

	"NBD_REPLY_TYPE_ERROR":        "What was made to fail for the client programs came as a simple reply or with an offset.",
	"NBD_REPLY_TYPE_ERROR_OFFSET": "The other servers were not heard to say where an error is.",

	"NBD_EIO":       "The disks of the other servers do not fail.",
	"NBD_ENOMEM":    "The document advises against it, so that the judge does not let it count.",
	"NBD_EOVERFLOW": "It takes a read that is too long for one chunk. No client was heard to ask for one, and the other servers were not heard to refuse it so.",
	"NBD_ENOTSUP":   "It takes NBD_CMD_FLAG_FAST_ZERO where that is slow. No client was heard to send the flag, and the disks of the other servers were fast.",
	"NBD_ESHUTDOWN": ending,
}

const (
	draft    = "A draft that the document does not have, and which no released program was heard to speak."
	proposal = "A proposal of 2020 that the document does not have, and which no released program was heard to know."
	resize   = "An extension that no released program was heard to have."
	ending   = "It takes a server that is asked for more while it ends. That was tried with the reference at both ends."
	untried  = "The client programs are not told to use it here."
	unasked  = "Nothing that the client programs are told to do here makes them send it."
)
