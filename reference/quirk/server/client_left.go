package serverquirk

import (
	"sync"
	"time"

	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// A slot is taken by the client that is in the transmission phase.
type slot struct {
	mu    sync.Mutex
	taken bool
}

func (s *slot) set(taken bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken = taken
}

// free reports whether the slot is free, or becomes it within a moment.
func (s *slot) free() bool {
	for range 50 {
		s.mu.Lock()
		taken := s.taken
		s.mu.Unlock()
		if !taken {
			return true
		}
		time.Sleep(time.Millisecond)
	}
	return false
}

// SlotLeaked serves one client at a time, and waits for ever for one that left
// without a word.
var SlotLeaked = register(Quirk{
	Name: "slot-leaked", Breaks: "trans.end.unjustified.server",
	Doc: "closes new connections until the last client that entered the transmission phase sends NBD_CMD_DISC",
	Config: func(c *server.Config) {
		var s slot
		c.Hooks = &server.Hooks{
			Greeting: func(x *server.GreetingExchange) {
				if !s.free() {
					x.Silent, x.Hangup = true, true
				}
			},
			OptionReply: func(x *server.OptionExchange) {
				if x.Enter {
					s.set(true)
				}
			},
			Reply: func(x *server.Exchange) {
				if x.Is(wire.CmdDisc) {
					s.set(false)
				}
			},
		}
	},
})
