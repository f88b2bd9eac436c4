package session

import (
	"context"
	"fmt"
	"net"
	"time"

	"nbdconform/conformance/subject"
	"nbdconform/fuzz/internal/model"
	"nbdconform/reference/starttls"
)

// A Target is what scripts run on.
type Target struct {
	// Dial opens a connection.
	Dial func(context.Context) (net.Conn, error)
	// TLS does the client's side, where NBD_OPT_STARTTLS is acknowledged; nil:
	// the session ends there.
	TLS starttls.Client
	// Model says what is known of the server beforehand.
	Model model.Options
	// Contents tells a new model what is known of the contents; nil: nothing.
	Contents func(*model.Model)
	// Alive returns an error if the server is no more; nil: nobody knows.
	Alive func() error
	// Patience is how long something that is due may take; 0: 5 seconds.
	Patience time.Duration
	// NoProbe leaves out the look at the server, and at the contents of the
	// export, from a connection of its own behind the script.
	NoProbe bool
	// Record keeps what goes over the wire.
	Record bool
	// Trace keeps how everything that was asked was answered.
	Trace bool
	// Seen reports whether a finding, by its signature, is known by now. Such
	// a one is neither waited for at length nor a reason to leave out the look
	// behind the script. nil: none is.
	Seen func(signature string) bool
}

func (t *Target) hasSeen(f Finding) bool { return t.Seen != nil && t.Seen(f.Signature()) }

func (t *Target) patience() time.Duration {
	if t.Patience > 0 {
		return t.Patience
	}
	return 5 * time.Second
}

// Of makes a Target of a server under test. Nothing is known of its contents.
// A server that is ours to start has working storage; of one at an address
// nothing is known at all.
func Of(t subject.Server) Target {
	about := t.Profile()
	ours := t.Identity().Provider != subject.URI
	return Target{
		Dial:  t.Dial,
		TLS:   about.TLS,
		Model: model.Options{Exports: about.Exports, Plain: ours && about.TLS == nil, Healthy: ours},
		Alive: func() error {
			h := t.Health(context.Background())
			if h.State != subject.Exited {
				return nil
			}
			return fmt.Errorf("the server has ended: %s\n%s", h.Exit, h.Stderr)
		},
	}
}
