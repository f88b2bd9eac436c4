package script

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"nbdconform/reference/wire"
)

// String is the script as text, which Parse reads.
func (s Script) String() string {
	var b strings.Builder
	if s.Profile != "" {
		fmt.Fprintf(&b, "profile %s\n", s.Profile)
	}
	for _, o := range s.Ops {
		b.WriteString(o.String())
		b.WriteByte('\n')
	}
	return b.String()
}

// String is the operation as one line.
func (o Op) String() string {
	w := []string{strconv.Itoa(o.Conn)}
	add := func(format string, args ...any) { w = append(w, fmt.Sprintf(format, args...)) }
	switch o.Kind {
	case Flags:
		add("flags %v", o.ClientFlags)
	case Option:
		add("%v", o.Option)
		o.option(add)
	case Request:
		add("%v", o.Request.Type)
		o.request(add)
	case Raw:
		add("raw %s", hex.EncodeToString(o.Data))
	case Await:
		add("await")
	case Half:
		add("half-close")
	case Close:
		add("close")
	}
	if o.Announce != nil {
		add("announce=%d", *o.Announce)
	}
	if o.Anyway {
		add("anyway")
	}
	if o.NoWait {
		add("nowait")
	}
	if o.Glue {
		add("glue")
	}
	if o.Split > 0 {
		add("split=%d", o.Split)
	}
	return strings.Join(w, " ")
}

func (o Op) option(add func(string, ...any)) {
	if o.Data != nil {
		add("data=%s", hex.EncodeToString(o.Data))
		return
	}
	switch o.Option {
	case wire.OptExportName, wire.OptInfo, wire.OptGo, wire.OptListMetaContext, wire.OptSetMetaContext:
		add("export=%s", strconv.QuoteToASCII(o.Export))
	}
	switch o.Option {
	case wire.OptInfo, wire.OptGo:
		for _, i := range o.Infos {
			add("info=%v", i)
		}
	case wire.OptListMetaContext, wire.OptSetMetaContext:
		for _, q := range o.Queries {
			add("query=%s", strconv.QuoteToASCII(q))
		}
	}
}

func (o Op) request(add func(string, ...any)) {
	q := o.Request
	if o.FromEnd {
		add("offset=end%+d", int64(q.Offset))
	} else if q.Offset != 0 || q.Type != wire.CmdDisc && q.Type != wire.CmdFlush {
		add("offset=%d", q.Offset)
	}
	if q.Length != 0 || q.Type != wire.CmdDisc && q.Type != wire.CmdFlush && q.Type != wire.CmdResize {
		add("length=%d", q.Length)
	}
	if q.Flags != 0 {
		add("flags=%v", q.Flags)
	}
	if q.Cookie != 0 {
		add("cookie=%#x", q.Cookie)
	}
	if o.Fill != 0 {
		add("fill=%d", o.Fill)
	}
	if o.Data != nil {
		add("data=%s", hex.EncodeToString(o.Data))
	}
	if o.Contexts != nil {
		var list []string
		for _, i := range o.Contexts {
			list = append(list, strconv.Itoa(i))
		}
		add("contexts=%s", strings.Join(list, ","))
	}
	if o.Bare {
		add("bare")
	}
}
