package wire

// Magic numbers.
const (
	InitPasswd          uint64 = 0x4e42444d41474943 // "NBDMAGIC", opens every handshake
	CliservMagic        uint64 = 0x00420281861253   // second number of the oldstyle handshake
	OptionMagic         uint64 = 0x49484156454F5054 // "IHAVEOPT", second number of the newstyle handshake, opens every option
	OptionReplyMagic    uint64 = 0x3e889045565a9    // opens every option reply
	RequestMagic        uint32 = 0x25609513         // NBD_REQUEST_MAGIC
	SimpleReplyMagic    uint32 = 0x67446698         // NBD_SIMPLE_REPLY_MAGIC
	StructuredMagic     uint32 = 0x668e33ef         // NBD_STRUCTURED_REPLY_MAGIC
	ExtendedRequest     uint32 = 0x21e41c71         // NBD_EXTENDED_REQUEST_MAGIC
	ExtendedReply       uint32 = 0x6e8a278c         // NBD_EXTENDED_REPLY_MAGIC
	HistoricRequest     uint32 = 0x12560953         // reserved: NBD_REQUEST_MAGIC until Linux 2.1.116pre2
	HistoricReply       uint32 = 0x96744668         // reserved: NBD_REPLY_MAGIC until Linux 2.1.116pre2
	TransactionLogMagic uint32 = 0x25609514         // reserved: in nbd-server's transaction log
)

// Sizes that the document sets, in bytes.
const (
	ReservedZeroes      = 124               // behind the oldstyle greeting and the answer to NBD_OPT_EXPORT_NAME
	MaxString           = 4096              // no string is longer
	RecommendedString   = 256               // no string should be longer
	DefaultMaxPayload   = 1 << 25           // what every server should take and every client may rely on
	DefaultPreferred    = 4096              // preferred block size where nothing was said
	MaxMinimumBlock     = 1 << 16           // no minimum block size is larger
	MaxExtents          = 1 << 20           // extents that a server should send in one chunk at most
	UnfragmentedRead    = 65536             // a read that NBD_CMD_FLAG_DF must work for
	UnlimitedMaxPayload = uint32(1<<32 - 1) // a maximum payload size that says there is none
)
