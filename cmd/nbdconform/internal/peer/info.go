package peer

import (
	"context"
	"errors"
	"strings"

	"nbdconform/reference/client"
)

// Info is what a server says of itself and one of its exports.
type Info struct {
	Negotiation string   `json:"negotiation"` // oldstyle, newstyle or fixed newstyle
	Replies     string   `json:"replies"`     // simple, structured or extended
	TLS         string   `json:"tls,omitempty"`
	Export      string   `json:"export"`
	Canonical   string   `json:"canonicalName,omitempty"`
	Description string   `json:"description,omitempty"`
	Size        uint64   `json:"size"`
	Flags       []string `json:"flags"`
	Constraints *Sizes   `json:"blockSizes,omitempty"` // where the server says them
	InitState   string   `json:"initState,omitempty"`
	Contexts    []string `json:"contexts"`
}

// Sizes are block sizes.
type Sizes struct {
	Minimum    uint32 `json:"minimum"`
	Preferred  uint32 `json:"preferred"`
	MaxPayload uint32 `json:"maximumPayload"`
}

// Info asks for everything that a server says of an export, and leaves.
func (p *Peer) Info(ctx context.Context, uri string) (Info, error) {
	u, n, err := p.Negotiate(ctx, uri)
	if err != nil {
		return Info{}, err
	}
	about := Info{Negotiation: "newstyle", Replies: "simple", Export: u.Export, Contexts: []string{}}
	if n.Oldstyle() {
		about.Negotiation = "oldstyle"
	}
	if n.Fixed() {
		about.Negotiation = "fixed newstyle"
		contexts, err := n.ListMetaContext(ctx, u.Export)
		if err != nil && !isOptionError(err) && !isUsage(err) {
			_ = n.Close()
			return about, err
		}
		about.Contexts = append(about.Contexts, contexts...)
	}
	if n.TLS() != nil {
		about.TLS = "yes"
	}
	c, err := p.enter(ctx, n, u.Export)
	if err != nil {
		_ = n.Close()
		return about, err
	}
	defer func() { _ = c.Disconnect(ctx) }()
	about.of(c)
	return about, nil
}

func isUsage(err error) bool {
	_, ok := errors.AsType[*client.UsageError](err)
	return ok
}

// of fills in what the client of an export knows.
func (s *Info) of(c *client.Client) {
	e := c.Export()
	switch {
	case c.Extended():
		s.Replies = "extended"
	case c.Structured():
		s.Replies = "structured"
	}
	s.Canonical, s.Description, s.Size = e.Canonical, e.Description, e.Size
	s.Flags = strings.Split(e.Flags.String(), "|")
	if e.Advertised {
		s.Constraints = &Sizes{e.Constraints.Minimum, e.Constraints.Preferred, e.Constraints.MaxPayload}
	}
	if e.InitState != 0 {
		s.InitState = e.InitState.String()
	}
}
