package client

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"nbdconform/reference/wire"
)

// Hooks are the seams of the client: they rewrite messages as they are sent,
// and let it break rules on purpose. All may be nil. They may be called from
// several goroutines.
type Hooks struct {
	// Flags rewrites the client's flags as they are sent. The client itself goes
	// by those that it would have sent.
	Flags func(*wire.ClientFlags)
	// Option sees every option before it is sent.
	Option func(*OptionMessage)
	// Negotiated may say something of its own, with [Negotiation.Say], once TLS
	// and the form of replies are settled.
	Negotiated func(context.Context, *Negotiation)
	// Request sees every request before it is sent, NBD_CMD_DISC included.
	Request func(*RequestMessage)
	// Skip has the ids of clauses that the client does not keep, of those that
	// it asks [Config] about.
	Skip map[string]bool
}

// An OptionMessage is an option that is about to be sent.
type OptionMessage struct {
	Request        wire.OptionRequest
	Raw            []byte // sent instead, if it is not nil
	Before, Behind []byte // sent with it
	Fixed          bool   // both sides speak fixed newstyle
}

// Is reports whether the option is one of these.
func (m *OptionMessage) Is(options ...wire.Option) bool {
	for _, o := range options {
		if m.Request.Option == o {
			return true
		}
	}
	return false
}

// A RequestMessage is a request that is about to be sent.
type RequestMessage struct {
	Request        wire.Request
	Payload        []byte
	Raw            []byte // sent instead of header and payload, if it is not nil
	Before, Behind []byte // sent with it
	Client         *Client
}

// Encode is a request in the form that was negotiated.
func (m *RequestMessage) Encode(q wire.Request, payload []byte) []byte {
	return append(m.Client.header(nil, q, payload), payload...)
}

// breaks reports whether a hook wants the clause broken.
func (c *Config) breaks(clause string) bool { return c.Hooks != nil && c.Hooks.Skip[clause] }

// sendFlags sends the client's flags.
func (n *Negotiation) sendFlags(ctx context.Context) error {
	f := n.flags
	if h := n.cfg.Hooks; h != nil && h.Flags != nil {
		h.Flags(&f)
	}
	return n.raw.SendFlags(ctx, f)
}

// sendOption sends an option.
func (n *Negotiation) sendOption(ctx context.Context, o wire.OptionRequest) error {
	h := n.cfg.Hooks
	if h == nil || h.Option == nil {
		return n.raw.SendOption(ctx, o)
	}
	m := OptionMessage{Request: o, Fixed: n.Fixed()}
	h.Option(&m)
	b := m.Raw
	if b == nil {
		b = m.Request.Append(nil)
	}
	return n.raw.Send(ctx, bytes.Join([][]byte{m.Before, b, m.Behind}, nil))
}

// Say sends an option and takes any reply to it. It keeps no rules.
func (n *Negotiation) Say(ctx context.Context, o wire.OptionRequest) ([]wire.OptionReply, error) {
	return n.raw.Option(ctx, o)
}

// sendHooked sends a request as a hook leaves it.
func (c *Client) sendHooked(q wire.Request, p []byte) error {
	m := RequestMessage{Request: q, Payload: p, Client: c}
	c.cfg.Hooks.Request(&m)
	b := m.Raw
	if b == nil {
		b = m.Encode(m.Request, m.Payload)
	}
	_, err := c.conn.Write(bytes.Join([][]byte{m.Before, b, m.Behind}, nil))
	return err
}

// lenient takes a chunk whole, and bears what is wrong with it.
func (c *Client) lenient(t *transaction, h wire.ChunkHeader) *SessionError {
	payload := make([]byte, h.Length)
	if _, err := io.ReadFull(c.r, payload); err != nil {
		return sessionError("reading a chunk", unexpected(err))
	}
	r := c.r
	c.r = bufio.NewReader(bytes.NewReader(payload))
	err := c.chunk(t, h)
	c.r = r
	if err != nil && !err.Violation && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	return nil
}

// badInfo refuses information of a type that the document does not define, for
// a client that can't ignore it.
func badInfo(t wire.InfoType) error { return fmt.Errorf("what is %v", t) }

// early negotiates the form of replies before TLS, and goes on as if TLS left
// that alone, for a client that breaks just this rule.
func (n *Negotiation) early(ctx context.Context) (bool, error) {
	var o wire.Option
	switch {
	case n.cfg.TLS.Mode == TLSOff:
		return false, nil
	case n.cfg.breaks("opt.structured-reply.after-starttls"):
		o = wire.OptStructuredReply
	case n.cfg.breaks("opt.extended-headers.after-starttls"):
		o = wire.OptExtendedHeaders
	case n.cfg.breaks("opt.starttls.defer-stateful"): // and then once more, as is due
		if _, err := n.wish(ctx, wire.OptStructuredReply); !refused(err, wire.RepErrTLSReqd) {
			return false, err
		}
		return false, nil
	default:
		return false, nil
	}
	return n.wish(ctx, o)
}
