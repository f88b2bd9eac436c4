package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"nbdconform/cmd/nbdconform/internal/audit"
)

func auditCommand() *cobra.Command {
	p := audit.Proxy{Version: version(), Log: os.Stderr}
	var a audit.Auditor
	var ports []uint
	c := &cobra.Command{
		Use:   "audit [flags] [FILE]",
		Short: "Judge conversations between any client and any server",
		Long: `Audit reads along on conversations and names every clause that either side
breaks: as a proxy between a client and a server, or in a capture, pcapng or
pcap, that tcpdump, tshark or Wireshark made.

In a capture a conversation is one whose server has port 10809 or a --port, or
opens with NBDMAGIC. What is within TLS can't be judged, and neither can what
the capture misses.

Exit status: 0 no MUST was broken, 1 one was, 2 nothing could be judged.`,
		Example: `  nbdconform audit --listen unix:/tmp/a.sock --to nbd://localhost
  nbdconform audit --listen localhost:10810 --to 'nbd+unix:///?socket=/tmp/s'
  nbdconform audit --listen unix:/tmp/a.sock --to nbd://localhost --once
  nbdconform audit --listen :10810 --to nbd://localhost --capture said.pcapng
  tcpdump -i lo -s 0 -w nbd.pcap port 10809; nbdconform audit nbd.pcap`,
		Args: arguments(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			a.Out = c.OutOrStdout()
			switch {
			case len(args) == 1 && p.Capture != "":
				return errors.New("--capture goes with --listen and --to: FILE is a capture already")
			case len(args) == 1 && (p.Listen != "" || p.To != ""):
				return errors.New("audit either a FILE or, with --listen and --to, as a proxy")
			case len(args) == 1:
				for _, n := range ports {
					if n == 0 || n > 65535 {
						return fmt.Errorf("--port %d: want 1 to 65535", n)
					}
					a.Ports = append(a.Ports, uint16(n))
				}
				if err := a.File(args[0]); err != nil {
					return err
				}
			case p.Listen == "" || p.To == "":
				return errors.New("name a capture, or --listen ADDRESS and --to URI")
			default:
				if err := p.Run(c.Context(), &a); err != nil {
					return err
				}
			}
			if status := a.Conclude(); status != exitConforms {
				return &exitError{status: status}
			}
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&p.Listen, "listen", "", "where clients connect: HOST:PORT or unix:PATH")
	f.StringVar(&p.To, "to", "", "NBD URI of the server; its export and TLS are the client's business")
	f.BoolVar(&p.Once, "once", false, "end with the first connection")
	f.StringVar(&p.Capture, "capture", "", "write what was said to this file, as pcapng")
	f.UintSliceVar(&ports, "port", nil, "more ports of servers in a capture")
	f.BoolVar(&a.Transcripts, "transcript", false, "print every conversation with a violation whole")
	return c
}
