package session

import (
	"context"
	"sync"
	"time"

	"nbdconform/conformance/feature"
	"nbdconform/conformance/internal/outcome"
	"nbdconform/conformance/internal/verdict"
	"nbdconform/conformance/subject"
	"nbdconform/reference/wire"
	"nbdconform/reports/render/words"
	"nbdconform/reports/result"
)

// A Server is a server under test with what is known of it.
type Server struct {
	Target subject.Server
	Facts  Facts
	Patience
	Destructive bool            // specs may write to the export
	Seed        int64           // of what specs leave to chance
	Record      bool            // keep the bytes of specs that do not end well, as their Evidence
	Early       outcome.Outcome // what the judge saw while the target was discovered: Violations and Kept

	lost bool // nobody listens since the target was asked

	mu     sync.Mutex
	dead   string // the spec after which the target could not be brought back
	silent int    // specs in which an answer did not come
	grace  time.Duration
}

// A machine that has a lot to do makes slow servers of good ones. So the first
// silences are borne for longer; who has been silent so often is not slow, and
// neither is who negotiates with somebody else meanwhile.
const (
	firstSilences = 3
	firstPatience = 15 * time.Second
)

// limit is how long an answer may take that moves n bytes.
func (b *Server) limit(n uint64) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.silent < firstSilences {
		return max(b.forBytes(n), b.grace)
	}
	return b.forBytes(n)
}

// quick returns a function that f is, unless f takes longer than an answer of n
// bytes may and the target serves somebody else then: in that case f is given up.
func (b *Server) quick(n uint64, f func(context.Context) error) func(context.Context) error {
	if !b.Facts.Entered || !b.Facts.Concurrent {
		return f
	}
	return func(ctx context.Context) error {
		ctx, giveUp := context.WithCancelCause(ctx)
		asked := make(chan struct{})
		ask := time.AfterFunc(b.forBytes(n), func() {
			defer close(asked)
			if b.served(ctx) == nil {
				giveUp(context.DeadlineExceeded)
			}
		})
		err := f(ctx)
		giveUp(nil)
		if !ask.Stop() {
			<-asked
		}
		return err
	}
}

func (b *Server) noteSilence() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.silent++
}

// Facts are what a target shows of itself before the first spec.
type Facts struct {
	Flags       wire.HandshakeFlags
	Export      string   // the export under test
	Exports     []string // what NBD_OPT_LIST says, or nil
	Size        uint64   // of the export, bytes
	Trans       wire.TransmissionFlags
	Constraints wire.SizeConstraints // advertised, or the default
	Features    feature.Set          // advertised
	Declared    feature.Set          // promised by the target's profile
	Promised    []string             // the exports that the target's profile declares, or nil
	Greeted     bool                 // a greeting came that can be understood
	Entered     bool                 // the transmission phase could be entered
	Secure      bool                 // Haggle and Enter go over to TLS
	TLSOnly     string               // an export that needs TLS where others don't, with feature.TLSOnlyExport
	Concurrent  bool                 // two connections are served at the same time
	Trouble     result.Value         // what went wrong while asking, or result.Nothing

	Old          result.Value // what the server speaks instead of fixed newstyle negotiation, or result.Nothing
	QEMUContexts []string     // metadata contexts of the namespace "qemu" that are listed

	refusal   wire.ReplyType // the final reply to NBD_OPT_INFO for the export
	stranger  error          // why what listens is no server of NBD, or nil
	startTLS  string         // how NBD_OPT_STARTTLS was answered, in a few words
	handshake error          // why peers don't trust each other within TLS that the user demands, or nil
}

// Describe is the target as a result shows it.
func (b *Server) Describe() result.Target {
	id, p := b.Target.Identity(), b.Target.Profile()
	return result.Target{
		Name: id.Name, Provider: id.Provider, Release: id.Release, Version: id.Version, Image: id.Image, Command: id.Command,
		Profile: p.Name, Export: b.Facts.Export, Size: b.Facts.Size,
		Advertised: b.Facts.Features.Names(), Declared: b.Facts.Declared.Names(),
	}
}

// Block is the smallest length and alignment that specs use, in bytes.
func (f Facts) Block() uint64 { return max(512, uint64(f.Constraints.Minimum)) }

// Patience says how long an answer may take.
type Patience struct {
	RoundTrip time.Duration // measured
	Answer    time.Duration // until a server that says nothing counts as hanging
}

// mostPatience bounds how long an answer may take, however slow the target is.
const mostPatience = 20 * time.Second

// PatienceFor scales deadlines to a measured round trip: a hundred times as
// long, but not below least and not above 20 s.
func PatienceFor(roundTrip, least time.Duration) Patience {
	return Patience{RoundTrip: roundTrip, Answer: max(least, min(100*roundTrip, mostPatience))}
}

// body is how long a spec may take.
func (p Patience) body() time.Duration { return 20 * p.Answer }

// forBytes is how long an answer that moves n bytes may take: a second more
// for every 4 MiB.
func (p Patience) forBytes(n uint64) time.Duration {
	return p.Answer + time.Duration(n>>22)*time.Second
}

// Dead says after which spec the target could not be brought back, or "".
func (b *Server) Dead() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.dead
}

func (b *Server) kill(spec string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dead = spec
}

// served opens a connection, goes as far as the target was seen to go, and
// leaves politely. An error says that the target serves nobody.
func (b *Server) served(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, b.Answer)
	defer cancel()
	t := &attempt{server: b}
	defer t.hangUp()
	return t.do(ctx, func(ctx context.Context) {
		if b.Facts.Entered {
			Enter(ctx)
			return
		}
		switch s := Open(ctx); {
		case b.Facts.Old.None() && !b.Facts.Greeted: // as from the start, which blocks what needs more
		case b.Facts.Old.None() || b.Facts.Old.Name == newstyle:
			s.Greeting()
		default:
			s.oldGreeting()
		}
	})
}

// do runs f and returns how it was ended early, as an error.
func (t *attempt) do(ctx context.Context, f func(context.Context)) error {
	if end := verdict.Try(func() { f(with(ctx, t)) }); end != nil {
		return ended{end.Failure}
	}
	return nil
}

// ended is a failure as an error.
type ended struct{ failure result.Failure }

// Error implements [error].
func (e ended) Error() string { return words.Failure(e.failure) }

// Value implements [result.Valuer].
func (e ended) Value() result.Value { return verdict.Term(e.failure) }
