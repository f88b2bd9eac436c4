package configfile

import (
	"time"

	"go.yaml.in/yaml/v3"

	"nbdconform/reference/transport"
)

// A Config is what a configuration file says. The zero value of each field is
// what holds where the file has nothing.
type Config struct {
	Listen  []Listen `yaml:"listen"`
	Exports []Export `yaml:"exports"`
	// DefaultExport says whether the empty name selects the first export; nil: yes.
	DefaultExport *bool `yaml:"default-export"`

	TLS       TLS    `yaml:"tls"`
	Handshake string `yaml:"handshake"` // fixed-newstyle, newstyle, oldstyle
	Dialect   string `yaml:"dialect"`   // see [nbdconform/reference/wire.Dialect]; "": that of the document
	// StructuredReplies and ExtendedHeaders say whether the server knows them; nil: yes.
	StructuredReplies *bool  `yaml:"structured-replies"`
	ExtendedHeaders   *bool  `yaml:"extended-headers"`
	SimpleSuccess     *bool  `yaml:"simple-success"`     // says so by simple replies where it can; nil: yes, without a quirk
	UnannouncedWrites bool   `yaml:"unannounced-writes"` // takes what QEMU writes with extended headers
	Limits            Limits `yaml:"limits"`
	Quirk             string `yaml:"quirk"`

	dir string // that relative paths start from; "": the working directory
}

// Listen is a place to listen at. One field is set.
type Listen struct {
	TCP   string `yaml:"tcp"`
	Unix  string `yaml:"unix"`
	Vsock string `yaml:"vsock"`
}

// TLS is how the server goes about TLS.
type TLS struct {
	Mode         string `yaml:"mode"` // off, on, require
	Certificates string `yaml:"certificates"`
	PSK          string `yaml:"psk"`
	Anonymous    bool   `yaml:"anonymous"` // nobody says who they are
	VerifyPeer   bool   `yaml:"verify-peer"`
}

// Limits bound what a client can ask for; 0 stands for the server's default.
type Limits struct {
	HandshakeTimeout Duration `yaml:"handshake-timeout"`
	Option           Size     `yaml:"option"`
	Payload          Size     `yaml:"payload"`
	Discard          Size     `yaml:"discard"`
	InFlight         Size     `yaml:"in-flight"`
	AllInFlight      Size     `yaml:"all-in-flight"`
	Workers          int      `yaml:"workers"`
	Extents          int      `yaml:"extents"`
	Connections      int      `yaml:"connections"`
}

// An Export is a disk and what is said about it.
type Export struct {
	Name        string `yaml:"name"`
	Description string `yaml:"description"`
	Size        Size   `yaml:"size"` // 0: that of the file, unless it is Empty
	Empty       bool   `yaml:"-"`    // a size of 0 is meant, and not left out
	Data        Data   `yaml:"data"`
	Capacity    Size   `yaml:"capacity"`  // that can be allocated; 0: no limit
	SlowZero    bool   `yaml:"slow-zero"` // fast zero requests fail

	ReadOnly   bool `yaml:"read-only"`
	Rotational bool `yaml:"rotational"`
	Hidden     bool `yaml:"hidden"`
	TLSOnly    bool `yaml:"tls-only"`
	InitState  bool `yaml:"init-state"`
	Resizable  Size `yaml:"resizable"` // what it can grow to; 0: not at all

	Omit      []string  `yaml:"omit"` // names of transmission flags
	BlockSize BlockSize `yaml:"block-size"`
	// Contexts are the names of the metadata contexts; nil: base:allocation alone.
	Contexts []string `yaml:"contexts"`
	Dirty    []Range  `yaml:"dirty"` // in all bitmaps, from the start
	Faults   []Fault  `yaml:"faults"`

	line int
}

// UnmarshalYAML implements [yaml.Unmarshaler].
func (e *Export) UnmarshalYAML(n *yaml.Node) error {
	type plain Export
	e.line = n.Line
	if err := n.Decode((*plain)(e)); err != nil {
		return err
	}
	e.Empty = e.Size == 0 && keyOf(n, "size") != n
	return nil
}

// Data is what an export holds at the start; the zero value is one hole. At
// most one field is set. Nothing is ever written to the file.
type Data struct {
	File    string `yaml:"file"`
	Pattern string `yaml:"pattern"` // offsets
	Repeat  string `yaml:"repeat"`  // this text over and over
}

// BlockSize are the size constraints; 0 stands for the protocol's default.
type BlockSize struct {
	Minimum    Size `yaml:"minimum"`
	Preferred  Size `yaml:"preferred"`
	MaxPayload Size `yaml:"maximum-payload"`
	Required   bool `yaml:"required"` // clients have to ask for them
}

// A Range is a part of an export, in bytes.
type Range struct {
	Offset Size `yaml:"offset"`
	Length Size `yaml:"length"`
}

// A Fault is something that goes wrong; see [nbdconform/reference/export.Fault].
type Fault struct {
	Commands    Names    `yaml:"commands"`
	Offset      Size     `yaml:"offset"`
	Length      Size     `yaml:"length"`
	Error       string   `yaml:"error"`
	Action      string   `yaml:"action"` // hang or disconnect
	Delay       Duration `yaml:"delay"`
	After       int      `yaml:"after"`
	Every       int      `yaml:"every"`
	Times       int      `yaml:"times"`
	Probability float64  `yaml:"probability"`
	Seed        uint64   `yaml:"seed"`
	Trigger     string   `yaml:"trigger"`
}

// Names are one name or several.
type Names []string

// UnmarshalYAML implements [yaml.Unmarshaler].
func (l *Names) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*l = Names{n.Value}
		return nil
	}
	return n.Decode((*[]string)(l))
}

// A Duration is written like 500ms or 1m30s.
type Duration time.Duration

// UnmarshalYAML implements [yaml.Unmarshaler].
func (d *Duration) UnmarshalYAML(n *yaml.Node) error {
	v, err := time.ParseDuration(n.Value)
	*d = Duration(v)
	return err
}

// Addresses are the places to listen at.
func (c *Config) Addresses() (list []transport.Address) {
	for _, l := range c.Listen {
		a := transport.Address{TCP: l.TCP, Unix: l.Unix, Vsock: l.Vsock}
		if l.Unix != "" && l.Unix[0] != '@' {
			a.Unix = c.path(l.Unix)
		}
		list = append(list, a)
	}
	return list
}
