package main

import (
	"os"
	"time"

	"github.com/spf13/pflag"

	"nbdconform/cmd/nbdconform/internal/peer"
)

// peerFlags has a command take how to reach a server.
func peerFlags(p *peer.Peer, f *pflag.FlagSet) {
	p.Warn = os.Stderr
	f.DurationVar(&p.Timeout, "timeout", 30*time.Second, "for connecting and the handshake")
	f.BoolVar(&p.SimpleReplies, "simple-replies", false, "do not ask for structured replies")
	f.BoolVar(&p.CompactHeaders, "compact-headers", false, "do not ask for extended headers")
}
