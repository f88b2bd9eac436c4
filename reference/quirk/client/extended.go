package clientquirk

import (
	"nbdconform/reference/client"
	"nbdconform/reference/wire"
)

// Extended headers.
var (
	ExtendedData = saying("client-extended-data", "opt.extended-headers.no-data",
		"sends data with NBD_OPT_EXTENDED_HEADERS", wire.OptExtendedHeaders, more)
	ExportNameExtended = saying("client-export-name-extended", "opt.export-name.extended",
		"chooses the export with NBD_OPT_EXPORT_NAME although it negotiated extended headers", wire.OptGo, func(m *client.OptionMessage) {
			m.Raw = wire.OptionRequest{Option: wire.OptExportName, Data: []byte("disk")}.Append(nil)
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
