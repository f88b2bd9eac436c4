package clientquirk

// ChunkLenient does not compare the chunks of a reply with each other.
var ChunkLenient = breaking("client-chunk-lenient", "chunk.inconsistent",
	"accepts chunks whose contents contradict each other")
