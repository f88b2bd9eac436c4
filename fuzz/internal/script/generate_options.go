package script

import (
	"strings"

	"nbdconform/reference/wire"
)

// haggle makes options, and sets entered if the last one ends haggling.
func (b *builder) haggle() {
	switch b.intn(8) {
	case 0, 1, 2:
		b.structure(wire.OptStructuredReply)
	case 3, 4:
		b.structure(wire.OptExtendedHeaders)
	case 5:
		b.structure(wire.OptStructuredReply)
		b.structure(wire.OptExtendedHeaders)
	}
	for range pick(b, 0, 0, 1, 1, 2, 4) {
		b.option()
	}
	export := b.export()
	if b.structured && b.intn(4) > 0 {
		b.selectContexts(export)
	}
	if oneIn(b, 6) {
		b.option()
	}
	switch b.intn(24) {
	case 18, 19:
		b.compare()
	case 20, 21, 22:
		b.entered = true
		b.add(Op{Kind: Option, Option: wire.OptExportName, Export: export})
	case 23:
		o := Op{Kind: Option, Option: wire.OptAbort}
		if b.temper != Valid && oneIn(b, 2) {
			o.Data = []byte("farewell")
		}
		b.add(o)
	default:
		if oneIn(b, 4) {
			b.add(Op{Kind: Option, Option: wire.OptInfo, Export: export, Infos: b.infos()})
		}
		b.entered = true
		b.add(Op{Kind: Option, Option: wire.OptGo, Export: export, Infos: b.infos()})
	}
}

// compare asks for one export in several ways, and for one that there is not:
// what is said of them has to fit together.
func (b *builder) compare() {
	export := pick(b, "@2", "@1")
	for _, name := range []string{export, "no such export", export} {
		b.add(Op{Kind: Option, Option: wire.OptInfo, Export: name, Infos: b.infos()})
	}
	b.entered = true
	b.add(Op{Kind: Option, Option: pick(b, wire.OptGo, wire.OptExportName), Export: export, Infos: b.infos()})
}

func (b *builder) structure(o wire.Option) {
	b.structured = true
	b.extended = b.extended || o == wire.OptExtendedHeaders
	op := Op{Kind: Option, Option: o}
	if b.temper != Valid && oneIn(b, 12) {
		op.Data = []byte{0, 1}
	}
	b.add(op)
}

func (b *builder) selectContexts(export string) {
	queries := []string{"base:allocation"}
	switch b.intn(8) {
	case 4:
		queries = append(queries, pick(b, contextNames...))
	case 5:
		queries = append([]string{pick(b, contextNames...)}, queries...)
	case 6:
		queries = contextNames
	case 7:
		queries = b.queries()
	}
	b.contexts = len(queries)
	if oneIn(b, 12) {
		export = b.export()
	}
	b.add(Op{Kind: Option, Option: wire.OptSetMetaContext, Export: export, Queries: queries})
}

var contextNames = []string{
	"base:allocation", "qemu:allocation-depth", "qemu:dirty-bitmap:b0", "qemu:dirty-bitmap:b1",
	"x-nbdconform:depth", "x-nbdconform:stripes",
}

var otherQueries = []string{
	"base:", "qemu:", "qemu:dirty-bitmap:", "qemu:dirty-bitmap:none", "x-nbdconform:", "x-other:leaf", "x-other:",
	"base:alloc", "base:allocation2", "base:allocationbase:allocation", "base:unknown",
	"x-long:" + strings.Repeat("n", 300),
}

// badQueries break the rules for queries.
var badQueries = []string{"", "base", ":", "base:allocation\x00x", "base:\xff", "x-long:" + strings.Repeat("n", 5000)}

func (b *builder) queries() []string {
	list := []string{}
	for range b.intn(4) {
		switch {
		case b.temper != Valid && oneIn(b, 6):
			list = append(list, pick(b, badQueries...))
		case b.intn(2) == 0:
			list = append(list, pick(b, contextNames...))
		default:
			list = append(list, pick(b, otherQueries...))
		}
	}
	return list
}

func (b *builder) infos() (list []wire.InfoType) {
	switch b.intn(6) {
	case 0, 1:
		return []wire.InfoType{wire.InfoBlockSize}
	case 2:
		return nil
	case 3:
		return []wire.InfoType{wire.InfoName, wire.InfoDescription, wire.InfoBlockSize}
	}
	for t := range wire.InfoType(6) {
		if b.intn(2) == 1 {
			list = append(list, t)
		}
	}
	if b.temper != Valid && oneIn(b, 6) {
		list = append(list, wire.InfoName, wire.InfoName)
	}
	return list
}

// export is a name that exists most of the time.
func (b *builder) export() string {
	switch b.intn(16) {
	case 8, 9, 10:
		return "@0"
	case 11:
		return pick(b, "@1", "@2")
	case 12:
		return "no such export"
	case 13:
		return strings.Repeat("n", pick(b, 256, 300, 1100, 4096))
	case 14:
		if b.temper != Valid {
			return pick(b, "@0\x00", "\xff\xfe", strings.Repeat("n", 4097), strings.Repeat("n", 70000))
		}
	}
	return ""
}

// option makes any option that does not end haggling.
func (b *builder) option() {
	o := Op{Kind: Option}
	switch b.intn(12) {
	case 0, 1:
		o.Option = wire.OptList
	case 2, 3:
		o.Option, o.Export, o.Infos = wire.OptInfo, b.export(), b.infos()
	case 4, 5:
		o.Option, o.Export, o.Queries = wire.OptListMetaContext, b.export(), b.queries()
	case 6, 7:
		o.Option, o.Export, o.Queries = wire.OptSetMetaContext, b.export(), b.queries()
	case 8:
		o.Option = pick[wire.Option](b, 12, 99, 0, 1<<31, wire.OptPeekExport)
		if oneIn(b, 2) {
			o.Data = []byte("anything at all")
		}
	case 9:
		o.Option = wire.OptStartTLS
		if b.temper != Valid && oneIn(b, 3) { // with more in the clear behind it
			b.add(Op{Kind: Option, Option: wire.OptStartTLS})
			b.ops[len(b.ops)-1].Glue = true
			b.add(Op{Kind: Option, Option: pick(b, wire.OptList, wire.OptStructuredReply, wire.OptInfo, wire.OptAbort), Anyway: true})
			return
		}
		if oneIn(b, 4) {
			b.add(o)
		}
	case 10:
		o.Option, o.Export, o.Infos = wire.OptGo, "no such export", b.infos()
	case 11:
		b.structure(pick(b, wire.OptStructuredReply, wire.OptExtendedHeaders))
		return
	}
	if b.temper == Hostile && oneIn(b, 6) {
		b.disturb()
		return
	}
	if b.temper != Valid && oneIn(b, 6) {
		b.spoil(&o)
	}
	b.add(o)
}

// spoil breaks the layout of an option's data.
func (b *builder) spoil(o *Op) {
	data := o.OptionData(nil)
	switch b.intn(4) {
	case 0:
		data = append(data, 0, 0, 1)
	case 1:
		data = data[:b.intn(len(data)+1)]
	case 2: // a length in front that is too large
		if len(data) > 3 {
			data[b.intn(4)] = byte(1 + b.intn(255))
		} else {
			data = []byte{0, 0, 0, 9, 'x'}
		}
	case 3:
		data = append(data, make([]byte, pick(b, 260, 1100, 70000))...)
	}
	if data == nil {
		data = []byte{}
	}
	o.Data = data
}
