package clientquirk

import (
	"context"

	"nbdconform/reference/client"
	"nbdconform/reference/wire"
)

func startTLSAgain(ctx context.Context, n *client.Negotiation) {
	if n.TLS() != nil {
		_, _ = n.Say(ctx, wire.OptionRequest{Option: wire.OptStartTLS})
	}
}

// strayCookie is the cookie of requests that the client itself knows nothing of.
const strayCookie = 0x5717a7

// before has the client send a request of which it knows nothing before NBD_CMD_DISC.
func before(name, clause, doc string, q func(*client.Client) wire.Request) Quirk {
	return asking(name, clause, doc, wire.CmdDisc, func(m *client.RequestMessage) {
		r := q(m.Client)
		r.Cookie = strayCookie
		m.Before = m.Encode(r, nil)
	})
}

// flagged has the client set a flag, whether the server advertises it or not.
func flagged(name, clause, doc string, t wire.Command, f wire.CommandFlags) Quirk {
	return asking(name, clause, doc, t, func(m *client.RequestMessage) { m.Request.Flags |= f })
}

// Requests.
var (
	RequestMagic = asking("client-request-magic", "layout.request.magic",
		"opens NBD_CMD_DISC with another magic", wire.CmdDisc, func(m *client.RequestMessage) {
			m.Raw = m.Encode(m.Request, nil)
			m.Raw[0] ^= 0xff
		})
	Discless = asking("client-discless", "trans.end.unjustified.client",
		"closes the connection where NBD_CMD_DISC is due", wire.CmdDisc, func(m *client.RequestMessage) {
			m.Raw = []byte{}
		})
	DiscRange = asking("client-disc-range", "cmd.disc.zero",
		"sends NBD_CMD_DISC with a length", wire.CmdDisc, func(m *client.RequestMessage) { m.Request.Length = 512 })
	AfterDisc = asking("client-after-disc", "cmd.disc.silence",
		"sends a request behind NBD_CMD_DISC", wire.CmdDisc, func(m *client.RequestMessage) {
			m.Behind = m.Encode(wire.Request{Type: wire.CmdRead, Cookie: strayCookie, Length: 512}, nil)
		})
	OptionAfterGo = asking("client-option-after-go", "opt.info.go-no-more-options",
		"sends an option where NBD_CMD_DISC is due", wire.CmdDisc, func(m *client.RequestMessage) {
			m.Raw = wire.OptionRequest{Option: wire.OptAbort, Data: make([]byte, 32)}.Append(nil)
		})
	CommandUnknown = before("client-command-unknown", "baseline.client.negotiate",
		"sends a command that nobody defined", func(*client.Client) wire.Request { return wire.Request{Type: 0x77} })
	FlushUnadvertised = before("client-flush-unadvertised", "cmd.flush.needs-flag",
		"flushes whatever the server advertises", func(*client.Client) wire.Request { return wire.Request{Type: wire.CmdFlush} })
	FlushRange = before("client-flush-range", "cmd.flush.zero",
		"flushes a range", func(c *client.Client) wire.Request { return wire.Request{Type: wire.CmdFlush, Length: 4096} })
	TrimUnadvertised = before("client-trim-unadvertised", "cmd.trim.needs-flag",
		"trims whatever the server advertises", func(*client.Client) wire.Request { return wire.Request{Type: wire.CmdTrim, Length: 4096} })
	ZeroesUnadvertised = before("client-zeroes-unadvertised", "cmd.write-zeroes.needs-flag",
		"writes zeroes whatever the server advertises", func(*client.Client) wire.Request {
			return wire.Request{Type: wire.CmdWriteZeroes, Length: 4096}
		})
	StatusUnselected = before("client-status-unselected", "cmd.block-status.needs-context",
		"asks for block status whatever was selected", func(*client.Client) wire.Request {
			return wire.Request{Type: wire.CmdBlockStatus, Length: 4096}
		})
	BeyondEnd = before("client-beyond-end", "size.bounds.client",
		"reads beyond the end of the export", func(c *client.Client) wire.Request {
			return wire.Request{Type: wire.CmdRead, Offset: c.Size() - 4096, Length: 8192}
		})
	Unaligned = before("client-unaligned", "size.align.client",
		"reads half of what the minimum block size is", func(c *client.Client) wire.Request {
			return wire.Request{Type: wire.CmdRead, Length: uint64(max(c.Constraints().Minimum/2, 1))}
		})
	Oversized = asking("client-oversized", "size.client.max-payload",
		"writes more than the maximum payload size", wire.CmdWrite, func(m *client.RequestMessage) {
			if c := m.Client.Constraints(); c.MaxPayload < 1<<20 {
				m.Payload = make([]byte, c.MaxPayload+c.Minimum)
				m.Request.Offset, m.Request.Length = 0, uint64(len(m.Payload))
			}
		})
	FlagUndocumented = flagged("client-flag-undocumented", "cmdflag.documented",
		"reads with NBD_CMD_FLAG_REQ_ONE", wire.CmdRead, wire.CmdFlagReqOne)
	FUAUnadvertised = flagged("client-fua-unadvertised", "flag.transmission.client-use",
		"writes with NBD_CMD_FLAG_FUA whatever the server advertises", wire.CmdWrite, wire.CmdFlagFUA)
	DFUnadvertised = flagged("client-df-unadvertised", "cmdflag.df.needs-flag",
		"reads with NBD_CMD_FLAG_DF whatever the server advertises", wire.CmdRead, wire.CmdFlagDF)
	FastZeroUnadvertised = flagged("client-fast-zero-unadvertised", "cmdflag.fast-zero.needs-flag",
		"writes zeroes with NBD_CMD_FLAG_FAST_ZERO whatever the server advertises", wire.CmdWriteZeroes, wire.CmdFlagFastZero)
	WriteShort = asking("client-write-short", "cmd.write.payload",
		"sends less data behind a write than its header announces", wire.CmdWrite, func(m *client.RequestMessage) {
			b := m.Encode(m.Request, m.Payload)
			m.Raw = b[:len(b)-512]
		})
	ReadShifted = asking("client-read-shifted", "baseline.client.read",
		"reads one block off", wire.CmdRead, func(m *client.RequestMessage) {
			m.Request.Offset ^= 4096
		})
	WriteShifted = asking("client-write-shifted", "baseline.client.write",
		"writes one block off", wire.CmdWrite, func(m *client.RequestMessage) {
			m.Request.Offset ^= 4096
		})
)

// Requests of extensions.
var (
	CompactHeader = asking("client-compact-header", "trans.extended.request",
		"sends a compact header although extended ones were negotiated", wire.CmdDisc, func(m *client.RequestMessage) {
			if m.Client.Extended() {
				m.Raw = m.Request.Append(nil)
			}
		})
	WriteUnannounced = asking("client-write-unannounced", "trans.extended.write-payload",
		"writes without NBD_CMD_FLAG_PAYLOAD_LEN", wire.CmdWrite, func(m *client.RequestMessage) {
			if m.Client.Extended() {
				m.Request.Flags &^= wire.CmdFlagPayloadLen
			}
		})
	PayloadEmpty = before("client-payload-empty", "cmdflag.payload-len.nonzero",
		"announces a payload of no bytes", func(c *client.Client) wire.Request {
			if !c.Extended() {
				return wire.Request{Type: wire.CmdRead, Length: 4096}
			}
			return wire.Request{Type: wire.CmdBlockStatus, Flags: wire.CmdFlagPayloadLen}
		})
	FilterOdd = asking("client-filter-odd", "cmd.block-status.payload.length",
		"limits block status by a payload that ends within an id", wire.CmdDisc, func(m *client.RequestMessage) {
			if m.Client.Extended() {
				q := wire.Request{Type: wire.CmdBlockStatus, Flags: wire.CmdFlagPayloadLen, Cookie: strayCookie}
				m.Before = m.Encode(q, append(wire.StatusFilter{Length: 4096, ContextIDs: []uint32{1}}.Append(nil), 0, 0))
			}
		})
	ResizeUnadvertised = before("client-resize-unadvertised", "resize.needs-flag",
		"resizes whatever the server advertises", func(c *client.Client) wire.Request {
			return wire.Request{Type: wire.CmdResize, Offset: c.Size()}
		})
	ResizeOutstanding = asking("client-resize-outstanding", "resize.outstanding",
		"makes an export smaller while it reads from the end", wire.CmdResize, func(m *client.RequestMessage) {
			m.Request.Offset = m.Client.Size() / 2
			m.Before = m.Encode(wire.Request{Type: wire.CmdRead, Cookie: strayCookie, Offset: m.Client.Size() - 65536, Length: 65536}, nil)
		})
	ResizeBetween = asking("client-resize-between", "resize.between",
		"reads from where a resize that is under way makes the export grow", wire.CmdResize, func(m *client.RequestMessage) {
			m.Behind = m.Encode(wire.Request{Type: wire.CmdRead, Cookie: strayCookie, Offset: m.Client.Size(), Length: 4096}, nil)
		})
)

// What is unusual and correct.
var (
	Simple = register(Quirk{
		Name: "client-simple", Allowed: true, Doc: "asks for no structured replies",
		Config: func(c *client.Config) { c.ExtendedHeaders, c.SimpleReplies = false, true },
	})
	Compact = register(Quirk{
		Name: "client-compact", Allowed: true, Doc: "asks for no extended headers",
		Config: func(c *client.Config) { c.ExtendedHeaders = false },
	})
	Contextless = register(Quirk{
		Name: "client-contextless", Allowed: true, Doc: "selects no metadata context",
		Config: func(c *client.Config) { c.MetaContexts = nil },
	})
	AnyBlockSize = register(Quirk{
		Name: "client-any-block-size", Allowed: true, Permitted: []string{"opt.info.requests"}, Doc: "promises nothing about the sizes of blocks",
		Config: func(c *client.Config) { c.AnyBlockSize = true },
	})
	Zeroes = register(Quirk{
		Name: "client-zeroes", Allowed: true, Doc: "wants the zeroes behind the answer to NBD_OPT_EXPORT_NAME",
		Config: func(c *client.Config) { c.Zeroes = true },
	})
	SmallRequests = register(Quirk{
		Name: "client-small-requests", Allowed: true, Permitted: []string{"size.client.tighter"}, Doc: "reads and writes 4096 bytes at once",
		Config: func(c *client.Config) { c.MaxRequest = 4096 },
	})
	OneInFlight = register(Quirk{
		Name: "client-one-in-flight", Allowed: true, Doc: "has one request in flight",
		Config: func(c *client.Config) { c.MaxInFlight = 1 },
	})
	StructuredTwice = register(Quirk{
		Name: "client-structured-twice", Allowed: true, Permitted: []string{"tls.client.starttls.any-time"}, Doc: "negotiates structured replies before TLS, and once more within it",
		Hooks: client.Hooks{Skip: map[string]bool{"opt.starttls.defer-stateful": true}},
	})
)
