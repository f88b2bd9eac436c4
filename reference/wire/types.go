package wire

// An Option is what a client haggles about.
type Option uint32

// Section "Option types".
const (
	OptExportName      Option = 1  // NBD_OPT_EXPORT_NAME
	OptAbort           Option = 2  // NBD_OPT_ABORT
	OptList            Option = 3  // NBD_OPT_LIST
	OptPeekExport      Option = 4  // NBD_OPT_PEEK_EXPORT
	OptStartTLS        Option = 5  // NBD_OPT_STARTTLS
	OptInfo            Option = 6  // NBD_OPT_INFO
	OptGo              Option = 7  // NBD_OPT_GO
	OptStructuredReply Option = 8  // NBD_OPT_STRUCTURED_REPLY
	OptListMetaContext Option = 9  // NBD_OPT_LIST_META_CONTEXT
	OptSetMetaContext  Option = 10 // NBD_OPT_SET_META_CONTEXT
	OptExtendedHeaders Option = 11 // NBD_OPT_EXTENDED_HEADERS
)

// A ReplyType is the type of an option reply. Bit 31 marks errors.
type ReplyType uint32

// Section "Option reply types".
const (
	RepAck              ReplyType = 1          // NBD_REP_ACK
	RepServer           ReplyType = 2          // NBD_REP_SERVER
	RepInfo             ReplyType = 3          // NBD_REP_INFO
	RepMetaContext      ReplyType = 4          // NBD_REP_META_CONTEXT
	RepErrUnsup         ReplyType = 1<<31 + 1  // NBD_REP_ERR_UNSUP
	RepErrPolicy        ReplyType = 1<<31 + 2  // NBD_REP_ERR_POLICY
	RepErrInvalid       ReplyType = 1<<31 + 3  // NBD_REP_ERR_INVALID
	RepErrPlatform      ReplyType = 1<<31 + 4  // NBD_REP_ERR_PLATFORM
	RepErrTLSReqd       ReplyType = 1<<31 + 5  // NBD_REP_ERR_TLS_REQD
	RepErrUnknown       ReplyType = 1<<31 + 6  // NBD_REP_ERR_UNKNOWN
	RepErrShutdown      ReplyType = 1<<31 + 7  // NBD_REP_ERR_SHUTDOWN
	RepErrBlockSizeReqd ReplyType = 1<<31 + 8  // NBD_REP_ERR_BLOCK_SIZE_REQD
	RepErrTooBig        ReplyType = 1<<31 + 9  // NBD_REP_ERR_TOO_BIG
	RepErrExtHeaderReqd ReplyType = 1<<31 + 10 // NBD_REP_ERR_EXT_HEADER_REQD
)

// IsError reports whether the reply says that the option failed, known or not.
func (t ReplyType) IsError() bool { return t&(1<<31) != 0 }

// IsFinal reports whether no reply to the same option follows this one.
func (t ReplyType) IsFinal() bool { return t == RepAck || t.IsError() }

// An InfoType is the type of a piece of information in NBD_REP_INFO.
type InfoType uint16

// Section "NBD_REP_INFO".
const (
	InfoExport      InfoType = 0 // NBD_INFO_EXPORT
	InfoName        InfoType = 1 // NBD_INFO_NAME
	InfoDescription InfoType = 2 // NBD_INFO_DESCRIPTION
	InfoBlockSize   InfoType = 3 // NBD_INFO_BLOCK_SIZE
	InfoInitState   InfoType = 4 // NBD_INFO_INIT_STATE
)

// A Command is the type of a transmission request.
type Command uint16

// Section "Request types".
const (
	CmdRead        Command = 0 // NBD_CMD_READ
	CmdWrite       Command = 1 // NBD_CMD_WRITE
	CmdDisc        Command = 2 // NBD_CMD_DISC
	CmdFlush       Command = 3 // NBD_CMD_FLUSH
	CmdTrim        Command = 4 // NBD_CMD_TRIM
	CmdCache       Command = 5 // NBD_CMD_CACHE
	CmdWriteZeroes Command = 6 // NBD_CMD_WRITE_ZEROES
	CmdBlockStatus Command = 7 // NBD_CMD_BLOCK_STATUS
	CmdResize      Command = 8 // NBD_CMD_RESIZE
)

// A ChunkType is the type of a structured or extended reply chunk. Bit 15 marks errors.
type ChunkType uint16

// Section "Structured reply types".
const (
	ChunkNone           ChunkType = 0         // NBD_REPLY_TYPE_NONE
	ChunkOffsetData     ChunkType = 1         // NBD_REPLY_TYPE_OFFSET_DATA
	ChunkOffsetHole     ChunkType = 2         // NBD_REPLY_TYPE_OFFSET_HOLE
	ChunkBlockStatus    ChunkType = 5         // NBD_REPLY_TYPE_BLOCK_STATUS
	ChunkBlockStatusExt ChunkType = 6         // NBD_REPLY_TYPE_BLOCK_STATUS_EXT
	ChunkError          ChunkType = 1<<15 + 1 // NBD_REPLY_TYPE_ERROR
	ChunkErrorOffset    ChunkType = 1<<15 + 2 // NBD_REPLY_TYPE_ERROR_OFFSET
)

// IsError reports whether the chunk is an error chunk, of a known type or not.
func (t ChunkType) IsError() bool { return t&(1<<15) != 0 }

// IsContent reports whether the chunk describes bytes of a read.
func (t ChunkType) IsContent() bool { return t == ChunkOffsetData || t == ChunkOffsetHole }

// An Errno is the error value of a reply. As a Go error it stands for what the
// peer said, so errors.Is(err, wire.EINVAL) works; 0 is success and no error.
type Errno uint32

// Section "Error values".
const (
	OK        Errno = 0   // success
	EPERM     Errno = 1   // NBD_EPERM
	EIO       Errno = 5   // NBD_EIO
	ENOMEM    Errno = 12  // NBD_ENOMEM
	EINVAL    Errno = 22  // NBD_EINVAL
	ENOSPC    Errno = 28  // NBD_ENOSPC
	EOVERFLOW Errno = 75  // NBD_EOVERFLOW
	ENOTSUP   Errno = 95  // NBD_ENOTSUP
	ESHUTDOWN Errno = 108 // NBD_ESHUTDOWN
)

func (e Errno) Error() string { return e.String() }

// Known reports whether the document defines the value.
func (e Errno) Known() bool {
	switch e {
	case OK, EPERM, EIO, ENOMEM, EINVAL, ENOSPC, EOVERFLOW, ENOTSUP, ESHUTDOWN:
		return true
	}
	return false
}
