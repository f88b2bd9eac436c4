package clientquirk

// Chunks of structured replies.
var (
	ReadInOrder = breaking("client-read-in-order", "cmd.read.reassemble",
		"takes content chunks to come in the order of their offsets")
	ChunkFlagFatal = breaking("client-chunk-flag-fatal", "chunk.flag.ignore-unknown",
		"gives up on a chunk with a flag that it does not know")
	ChunkUnknownSkipped = breaking("client-chunk-unknown-skipped", "chunk.unknown-type",
		"skips chunks of a type that it does not know")
	ErrorUnknownSkipped = breaking("client-error-unknown-skipped", "chunk.error.unknown-type",
		"skips error chunks of a type that it does not know")
)
