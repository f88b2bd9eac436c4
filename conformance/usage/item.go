package usage

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
)

// A Kind is a sort of items.
type Kind string

// The kinds, in the order of reports.
const (
	Extension        Kind = "extension or dialect"
	Magic            Kind = "message"
	HandshakeFlag    Kind = "handshake flag"
	ClientFlag       Kind = "client flag"
	Option           Kind = "option"
	Reply            Kind = "option reply"
	Info             Kind = "information"
	TransmissionFlag Kind = "transmission flag"
	Command          Kind = "command"
	CommandFlag      Kind = "command flag"
	Chunk            Kind = "chunk"
	ReplyFlag        Kind = "reply flag"
	Context          Kind = "metadata context"
	StateFlag        Kind = "state flag"
	InitFlag         Kind = "initial state flag"
	Error            Kind = "error"
)

// Kinds are all of them.
var Kinds = []Kind{
	Extension, Magic, HandshakeFlag, ClientFlag, Option, Reply, Info, TransmissionFlag,
	Command, CommandFlag, Chunk, ReplyFlag, Context, StateFlag, InitFlag, Error,
}

// An Item is one thing of the protocol, by the document's name for it.
type Item struct {
	Kind Kind   `json:"kind"`
	Name string `json:"name"`
}

// A Set has items.
type Set map[Item]bool

// Add adds items.
func (s Set) Add(items ...Item) {
	for _, i := range items {
		s[i] = true
	}
}

// Join adds all of another set.
func (s Set) Join(t Set) { maps.Copy(s, t) }

// Has reports whether an item is in the set.
func (s Set) Has(k Kind, name string) bool { return s[Item{k, name}] }

// List is all of the set, in the order of [Kinds] and names.
func (s Set) List() []Item {
	return slices.SortedFunc(maps.Keys(s), func(a, b Item) int {
		return cmp.Or(cmp.Compare(slices.Index(Kinds, a.Kind), slices.Index(Kinds, b.Kind)), cmp.Compare(a.Name, b.Name))
	})
}

// MarshalJSON writes the set as a list.
func (s Set) MarshalJSON() ([]byte, error) { return json.Marshal(s.List()) }

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *Set) UnmarshalJSON(b []byte) error {
	var list []Item
	if err := json.Unmarshal(b, &list); err != nil {
		return err
	}
	*s = Set{}
	s.Add(list...)
	return nil
}
