package client

import (
	"context"
	"fmt"

	"nbdconform/reference/wire"
)

// option sends an option and reads its replies up to the final one. What comes
// before NBD_REP_ACK has to be of type want; 0 allows nothing. An error reply
// becomes an *OptionError, and the replies before it come with it.
func (n *Negotiation) option(ctx context.Context, o wire.OptionRequest, want wire.ReplyType) ([]wire.OptionReply, error) {
	switch {
	case n.ended != nil:
		return nil, n.ended
	case !n.Fixed() && !n.cfg.breaks("tls.client.starttls.not-fixed"):
		return nil, notFixed(o.Option)
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%v: %w", o.Option, context.Cause(ctx))
	}
	if err := n.sendOption(ctx, o); err != nil {
		return nil, n.fail(sessionError(fmt.Sprintf("sending %v", o.Option), unwrapOnce(err)))
	}
	replies, err := n.replies(ctx, o.Option, want)
	if err != nil {
		return nil, n.fail(sessionError(fmt.Sprintf("reading the replies to %v", o.Option), err))
	}
	last := replies[len(replies)-1]
	replies = replies[:len(replies)-1]
	if !last.Type.IsError() {
		return replies, nil
	}
	refusal := &OptionError{Option: o.Option, Type: last.Type, Message: string(last.Data)}
	if last.Type == wire.RepErrShutdown && n.cfg.breaks("haggling.shutdown.abort") {
		refusal.Type = wire.RepErrUnsup
		_, _ = n.Say(ctx, wire.OptionRequest{Option: wire.OptList})
	}
	if refusal.Type == wire.RepErrShutdown && o.Option != wire.OptAbort {
		_ = n.Close() // haggling.shutdown.abort
		n.ended = &SessionError{Err: refusal}
		return replies, n.ended
	}
	return replies, refusal
}

// replies reads the replies to o, the final one included. Its errors end the session.
func (n *Negotiation) replies(ctx context.Context, o wire.Option, want wire.ReplyType) ([]wire.OptionReply, error) {
	var all []wire.OptionReply
	for size := 0; ; {
		p, err := n.raw.OptionReply(ctx)
		if err != nil {
			return nil, unwrapOnce(err)
		}
		if p.Option != o {
			return nil, violation("", "reading the replies to %v: one to %v comes", o, p.Option)
		}
		if err := p.Validate(); err != nil {
			return nil, err
		}
		if p.Type != want && !p.Type.IsFinal() {
			return nil, violation("", "reading the replies to %v: %v is none of them", o, p.Type)
		}
		if all = append(all, p); p.Type.IsFinal() {
			return all, nil
		}
		if size += len(p.Data); len(all) >= maxOptionReplies || size > maxOptionBytes {
			return nil, errNoFinal
		}
	}
}

// simpleOption sends an option without data that is answered with NBD_REP_ACK alone.
func (n *Negotiation) simpleOption(ctx context.Context, o wire.Option) error {
	_, err := n.option(ctx, wire.OptionRequest{Option: o}, 0)
	return err
}

// List asks for the exports of the server.
func (n *Negotiation) List(ctx context.Context) ([]wire.ServerReply, error) {
	replies, err := n.option(ctx, wire.OptionRequest{Option: wire.OptList}, wire.RepServer)
	if err != nil {
		return nil, err
	}
	exports := make([]wire.ServerReply, len(replies))
	for i, p := range replies {
		if exports[i], err = wire.ParseServerReply(p.Data); err != nil {
			return nil, n.fail(sessionError("reading the list of exports", err))
		}
	}
	return exports, nil
}

// ListMetaContext asks which metadata contexts of an export match the queries,
// or for all where there is none. Names can be wildcards: what they stand for is
// up to their namespace.
func (n *Negotiation) ListMetaContext(ctx context.Context, export string, queries ...string) ([]string, error) {
	list, err := n.metaContext(ctx, wire.OptListMetaContext, export, queries)
	names := make([]string, len(list))
	for i, m := range list {
		names[i] = m.Name // the id is reserved and to be disregarded
		if m.ID != 0 && n.cfg.breaks("opt.list-meta.id-disregard") {
			return nil, n.fail(violation("opt.list-meta.id-zero", "listing metadata contexts: %q has id %d", m.Name, m.ID))
		}
	}
	return names, err
}

// SetMetaContext selects the metadata contexts of an export that match the
// queries, in place of all that were selected before. That it returns none is
// no error of the server.
func (n *Negotiation) SetMetaContext(ctx context.Context, export string, queries ...string) ([]wire.MetaContext, error) {
	n.contexts = contexts{} // the former selection is gone even if the option fails
	list, err := n.metaContext(ctx, wire.OptSetMetaContext, export, queries)
	if err != nil {
		return nil, err
	}
	ids, names := make(map[uint32]bool), make(map[string]bool)
	for _, m := range list {
		if ids[m.ID] {
			return nil, n.fail(violation("opt.set-meta.unique-ids", "selecting metadata contexts: id %d comes twice", m.ID))
		}
		if names[m.Name] {
			return nil, n.fail(violation("opt.set-meta.reply", "selecting metadata contexts: %q comes twice", m.Name))
		}
		ids[m.ID], names[m.Name] = true, true
	}
	n.contexts = contexts{export: export, list: list}
	return list, nil
}

func (n *Negotiation) metaContext(ctx context.Context, o wire.Option, export string, queries []string) ([]wire.MetaContext, error) {
	q := wire.OptionRequest{Option: o, Data: wire.MetaContextRequest{Export: export, Queries: queries}.Append(nil)}
	if err := q.Validate(); err != nil {
		return nil, usageOf(err)
	}
	if !n.structured && !n.cfg.breaks("opt.set-meta.needs-structured") {
		clause := "opt.set-meta.needs-structured"
		if o == wire.OptListMetaContext {
			clause = "opt.list-meta.needs-structured"
		}
		return nil, usage(clause, "%v needs structured replies or extended headers, which are not negotiated", o)
	}
	replies, err := n.option(ctx, q, wire.RepMetaContext)
	if err != nil && n.ended == nil && n.cfg.breaks("opt.list-meta.disregard-on-error") {
		err = nil
	}
	if err != nil {
		return nil, err // and no contexts: those that came before an error are void
	}
	list := make([]wire.MetaContext, len(replies))
	for i, p := range replies {
		if list[i], err = wire.ParseMetaContext(p.Data); err != nil {
			return nil, n.fail(sessionError("reading metadata contexts", err))
		}
	}
	return list, nil
}
