package client

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"nbdconform/reference/wire"
)

// An Export is what a server says about one.
type Export struct {
	Name  string // as the client asked for it
	Size  uint64 // bytes
	Flags wire.TransmissionFlags
	// Constraints are wire.DefaultSizeConstraints unless Advertised.
	Constraints wire.SizeConstraints
	Advertised  bool
	Canonical   string // the server's name for it, or ""
	Description string // for people, or ""
	// InitState is what NBD_INFO_INIT_STATE says, if Config.Infos asks for it, with unknown flags.
	InitState wire.InitFlags
	// Infos is all information in the order it came, with types that are not
	// known. Of a type that comes twice the last counts.
	Infos []wire.Info
}

// Info asks for details of an export with NBD_OPT_INFO, for NBD_INFO_BLOCK_SIZE
// (unless Config.AnyBlockSize) and for what infos lists.
func (n *Negotiation) Info(ctx context.Context, export string, infos ...wire.InfoType) (Export, error) {
	return n.info(ctx, wire.OptInfo, export, infos)
}

// Go chooses an export and ends the negotiation. It uses NBD_OPT_GO, and
// NBD_OPT_EXPORT_NAME where the server does not know that or fixed newstyle.
// An [*OptionError] leaves the negotiation as it was.
func (n *Negotiation) Go(ctx context.Context, export string) (*Client, error) {
	if n.old != nil && n.ended == nil {
		return n.enter(*n.old), nil
	}
	if !n.Fixed() || n.cfg.breaks("size.client.go") {
		return n.ExportName(ctx, export)
	}
	e, err := n.info(ctx, wire.OptGo, export, n.cfg.Infos)
	if refused(err, wire.RepErrUnsup) && n.extended {
		return nil, n.fail(violation("opt.info.extended.unsup",
			"%v: the server answers %v although it acknowledged extended headers", wire.OptGo, wire.RepErrUnsup))
	}
	if refused(err, wire.RepErrUnsup) && !n.cfg.breaks("opt.info.fallback") {
		return n.ExportName(ctx, export)
	}
	if err != nil {
		return nil, err
	}
	if e.Flags&(1<<15) != 0 && n.cfg.breaks("flag.transmission.ignore-unknown") {
		return nil, n.fail(&SessionError{Err: fmt.Errorf("choosing an export: unknown flags %v", e.Flags)})
	}
	return n.enter(e), nil
}

// ExportName chooses an export with NBD_OPT_EXPORT_NAME. [Negotiation.Go] is
// to be preferred. The server's only way to refuse is to hang up.
func (n *Negotiation) ExportName(ctx context.Context, export string) (*Client, error) {
	if n.ended != nil {
		return nil, n.ended
	}
	if n.old != nil {
		return nil, usage("", "oldstyle negotiation has no NBD_OPT_EXPORT_NAME")
	}
	if err := wire.ValidateClientString("export name", export); err != nil {
		return nil, usageOf(err)
	}
	if n.extended {
		return nil, usage("opt.export-name.extended", "NBD_OPT_EXPORT_NAME does not go with extended headers, which are negotiated")
	}
	const doing = "choosing the export with NBD_OPT_EXPORT_NAME"
	if err := n.sendOption(ctx, wire.OptionRequest{Option: wire.OptExportName, Data: []byte(export)}); err != nil {
		return nil, n.fail(sessionError(doing, unwrapOnce(err)))
	}
	p, err := n.raw.ExportNameReply(ctx, n.flags&wire.FlagCNoZeroes == 0)
	if err != nil {
		return nil, n.fail(sessionError(doing, unwrapOnce(err)))
	}
	e := Export{Name: export, Size: p.Size, Flags: p.Flags, Constraints: wire.DefaultSizeConstraints}
	if err := n.checkFlags(e.Flags); err != nil {
		return nil, n.fail(sessionError(doing, err))
	}
	return n.enter(e), nil
}

func (n *Negotiation) info(ctx context.Context, o wire.Option, export string, infos []wire.InfoType) (Export, error) {
	q := wire.InfoRequest{Export: export, Infos: infos}
	if !n.cfg.AnyBlockSize && !q.Wants(wire.InfoBlockSize) {
		q.Infos = append([]wire.InfoType{wire.InfoBlockSize}, infos...)
	}
	if err := q.Validate(); err != nil {
		return Export{}, usageOf(err)
	}
	replies, err := n.option(ctx, wire.OptionRequest{Option: o, Data: q.Append(nil)}, wire.RepInfo)
	if refused(err, wire.RepErrBlockSizeReqd) && q.Wants(wire.InfoBlockSize) {
		return Export{}, n.fail(violation("opt.info.block-size-reqd.requested",
			"%v: the server answers %v to a request with NBD_INFO_BLOCK_SIZE", o, wire.RepErrBlockSizeReqd))
	}
	if err != nil {
		return Export{}, err
	}
	e, err := n.details(export, q.Infos, replies)
	if err != nil {
		return Export{}, n.fail(sessionError(fmt.Sprintf("reading the replies to %v", o), err))
	}
	return e, nil
}

// details makes an Export of the replies to NBD_OPT_INFO and NBD_OPT_GO that asked for some information. Its errors end the session.
func (n *Negotiation) details(name string, asked []wire.InfoType, replies []wire.OptionReply) (Export, error) {
	e := Export{Name: name, Constraints: wire.DefaultSizeConstraints}
	for _, p := range replies {
		i, err := wire.ParseInfo(p.Data)
		if err != nil {
			return e, err
		}
		e.Infos = append(e.Infos, i)
		if len(e.Infos) == 1 && i.Type != wire.InfoExport && n.cfg.breaks("rep.info.no-order") {
			return e, errors.New("NBD_INFO_EXPORT does not come first")
		}
		switch i.Type {
		case wire.InfoExport:
			x, err := wire.ParseExportInfo(i.Payload)
			if err != nil {
				return e, err
			}
			e.Size, e.Flags = x.Size, x.Flags
		case wire.InfoBlockSize:
			if e.Constraints, err = wire.ParseSizeConstraints(i.Payload); err != nil {
				return e, err
			}
			e.Advertised = true
		case wire.InfoInitState:
			if !slices.Contains(asked, i.Type) {
				continue // a later extension may have the number
			}
			if e.InitState, err = wire.ParseInitFlags(i.Payload); err != nil {
				return e, err
			}
		case wire.InfoName:
			e.Canonical = string(i.Payload)
		case wire.InfoDescription:
			e.Description = string(i.Payload)
		default:
			if n.cfg.breaks("opt.info.unknown-reply") {
				return e, badInfo(i.Type)
			}
		}
	}
	if !slices.ContainsFunc(e.Infos, func(i wire.Info) bool { return i.Type == wire.InfoExport }) {
		return e, violation("opt.info.export-before-ack", "NBD_REP_ACK comes without NBD_INFO_EXPORT")
	}
	return e, n.checkFlags(e.Flags)
}

// checkFlags holds transmission flags against the document and what was negotiated.
func (n *Negotiation) checkFlags(f wire.TransmissionFlags) error {
	if f&wire.FlagSendDF != 0 && !n.structured && n.cfg.Dialect.Chunks() {
		return violation("flag.transmission.send-df.structured",
			"transmission flags %v has NBD_FLAG_SEND_DF without structured replies", f)
	}
	if f&wire.FlagBlockStatusPayload != 0 && !n.extended {
		return violation("flag.transmission.block-status-payload.negotiated",
			"transmission flags %v has NBD_FLAG_BLOCK_STATUS_PAYLOAD without extended headers", f)
	}
	return f.Validate()
}

// enter begins the transmission phase. n is of no use after that.
func (n *Negotiation) enter(e Export) *Client {
	n.ended = &SessionError{Err: fmt.Errorf("option haggling is over: export %q was chosen", e.Name)}
	var list []wire.MetaContext
	if n.contexts.export == e.Name {
		list = n.contexts.list
	}
	return newClient(n, e, list)
}
