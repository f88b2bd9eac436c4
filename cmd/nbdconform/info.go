package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	human "github.com/docker/go-units"
	"github.com/spf13/cobra"

	"nbdconform/reference/client"
	"nbdconform/reference/wire"
)

// serverInfo is what info says of a server and one of its exports.
type serverInfo struct {
	Negotiation string   `json:"negotiation"` // oldstyle, newstyle or fixed newstyle
	Replies     string   `json:"replies"`     // simple, structured or extended
	TLS         string   `json:"tls,omitempty"`
	Export      string   `json:"export"`
	Canonical   string   `json:"canonicalName,omitempty"`
	Description string   `json:"description,omitempty"`
	Size        uint64   `json:"size"`
	Flags       []string `json:"flags"`
	Constraints *sizes   `json:"blockSizes,omitempty"` // where the server says them
	InitState   string   `json:"initState,omitempty"`
	Contexts    []string `json:"contexts"`
}

type sizes struct {
	Minimum    uint32 `json:"minimum"`
	Preferred  uint32 `json:"preferred"`
	MaxPayload uint32 `json:"maximumPayload"`
}

func infoCommand() *cobra.Command {
	p := peer{infos: []wire.InfoType{wire.InfoName, wire.InfoDescription, wire.InfoInitState}}
	var asJSON bool
	c := &cobra.Command{
		Use:   "info URI",
		Short: "Say what a server offers for an export",
		Example: `  nbdconform info nbd://localhost:10809/disk
  nbdconform info 'nbd+unix:///?socket=/tmp/nbd.sock' --json`,
		Args: arguments(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			about, err := p.info(c.Context(), args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), about)
			}
			return about.write(c.OutOrStdout())
		},
	}
	p.flags(c.Flags())
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// info asks for everything that a server says of an export, and leaves.
func (p *peer) info(ctx context.Context, uri string) (serverInfo, error) {
	u, n, err := p.negotiate(ctx, uri)
	if err != nil {
		return serverInfo{}, err
	}
	about := serverInfo{Negotiation: "newstyle", Replies: "simple", Export: u.Export, Contexts: []string{}}
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
func (s *serverInfo) of(c *client.Client) {
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
		s.Constraints = &sizes{e.Constraints.Minimum, e.Constraints.Preferred, e.Constraints.MaxPayload}
	}
	if e.InitState != 0 {
		s.InitState = e.InitState.String()
	}
}

// write is s for people.
func (s *serverInfo) write(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(name, value string) { fmt.Fprintf(w, "%s:\t%s\n", name, value) }
	list := func(name string, values []string) {
		for i, row := range rows(values, 62) {
			if i == 0 {
				line(name, row)
			} else {
				fmt.Fprintf(w, "\t%s\n", row)
			}
		}
	}
	line("export", fmt.Sprintf("%q", s.Export))
	if s.Canonical != "" && s.Canonical != s.Export {
		line("canonical name", fmt.Sprintf("%q", s.Canonical))
	}
	if s.Description != "" {
		line("description", fmt.Sprintf("%q", s.Description))
	}
	line("size", fmt.Sprintf("%d (%s)", s.Size, human.BytesSize(float64(s.Size))))
	if s.Constraints != nil {
		line("block sizes", fmt.Sprintf("minimum %d, preferred %d, maximum payload %d",
			s.Constraints.Minimum, s.Constraints.Preferred, s.Constraints.MaxPayload))
	}
	list("flags", s.Flags)
	list("contexts", s.Contexts)
	if s.InitState != "" {
		line("initial state", s.InitState)
	}
	line("negotiation", s.Negotiation)
	line("replies", s.Replies)
	if s.TLS != "" {
		line("TLS", s.TLS)
	}
	return w.Flush()
}

// rows puts values on lines, none of them longer than width unless a value is.
func rows(values []string, width int) (list []string) {
	for i, v := range values {
		if i < len(values)-1 {
			v += ","
		}
		if last := len(list) - 1; last >= 0 && len(list[last])+1+len(v) <= width {
			list[last] += " " + v
		} else {
			list = append(list, v)
		}
	}
	return list
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
