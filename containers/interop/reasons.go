package interop

// reasons say why a cell of the support table is empty, by item. Where no cell
// is empty any more, the table refuses the reason.
var reasons = map[string]string{
	"dialect GET_LBA_STATUS of 2016": draft,
	"dialect WRITE_ZEROES of 2016":   draft,

	"NBD_OPT_PEEK_EXPORT": "It was withdrawn. The reference client sends it to every server, and is refused.",

	"NBD_REP_ERR_PLATFORM": "It is for what the server's platform does not have. No server was observed to lack anything.",
	"NBD_REP_ERR_SHUTDOWN": ending,
	"NBD_REP_ERR_TOO_BIG":  "The other servers were not observed to send it for an option that is too long.",

	"NBD_INFO_INIT_STATE": proposal,
	"NBD_INIT_SPARSE":     proposal,
	"NBD_INIT_ZERO":       proposal,

	"NBD_FLAG_SEND_RESIZE": resize,
	"NBD_CMD_RESIZE":       resize,

	"NBD_REPLY_TYPE_ERROR_OFFSET": "The other servers were not observed to send the place of an error.",

	"NBD_EIO":       "The disks of the other servers do not fail.",
	"NBD_ENOMEM":    "The specification advises against it, so that the judge does not count it.",
	"NBD_EOVERFLOW": "It takes a read that is too long for one chunk, which the other servers were not observed to refuse so.",
	"NBD_ESHUTDOWN": ending,
}

const (
	draft    = "A draft that the specification does not have, and which no released program was observed to speak."
	proposal = "A proposal of 2020 that the specification does not have, and which no released program was observed to have."
	resize   = "An extension that no released program was observed to have."
	ending   = "It takes a server that gets requests while it ends. That was tested with the reference on both sides."
)
