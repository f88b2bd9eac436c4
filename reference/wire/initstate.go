package wire

// InitFlags are the payload of NBD_INFO_INIT_STATE, of an extension that was
// proposed in 2020: what is known of the export at the time of the answer. 0
// says as much as no answer.
type InitFlags uint16

// Bits that the proposal defines. Others are to be ignored.
const (
	InitSparse InitFlags = 1 << 0 // NBD_INIT_SPARSE
	InitZero   InitFlags = 1 << 1 // NBD_INIT_ZERO
)

var initFlagNames = []string{"NBD_INIT_SPARSE", "NBD_INIT_ZERO"}

func (f InitFlags) String() string { return flagString(uint64(f), "NBD_INIT_", initFlagNames) }

// Info wraps f as NBD_INFO_INIT_STATE.
func (f InitFlags) Info() Info {
	return Info{Type: InfoInitState, Payload: be.AppendUint16(nil, uint16(f))}
}

// ParseInitFlags parses b, the whole payload of NBD_INFO_INIT_STATE.
func ParseInitFlags(b []byte) (InitFlags, error) {
	if len(b) != 2 {
		return 0, malformed("init-state.length", "NBD_INFO_INIT_STATE has length %d, 4 is due", len(b)+2)
	}
	return InitFlags(be.Uint16(b)), nil
}
