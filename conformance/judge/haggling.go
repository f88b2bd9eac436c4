package judge

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"nbdconform/conformance/clause"
	"nbdconform/reference/wire"
	"nbdconform/reports/result"
)

// haggling is what the judge remembers of options.
type haggling struct {
	queue      []*option     // sent and not finally answered, oldest first
	void       []wire.Option // came in the clear behind NBD_OPT_STARTTLS
	modes      modes         // TLS modes that agree with all answers so far
	options    int           // sent so far
	clear      int           // of these, before TLS
	structured bool          // NBD_OPT_STRUCTURED_REPLY was acknowledged
	extended   bool          // NBD_OPT_EXTENDED_HEADERS was acknowledged
	selected   selection     // by the last NBD_OPT_SET_META_CONTEXT
	described  *option       // a successful NBD_OPT_INFO with no other option since
	baseExport string        // an export that the server named contexts of the base namespace for
	baseNamed  bool
	leaving    bool // NBD_OPT_EXPORT_NAME is being answered
	aborted    bool // NBD_OPT_ABORT was answered
	shutdown   bool // NBD_REP_ERR_SHUTDOWN was sent and not followed by an option yet
	closing    bool // NBD_REP_ERR_SHUTDOWN was sent
}

// An option is an option that the client sent, with what came back so far.
type option struct {
	place
	option  wire.Option
	length  uint32
	whole   bool // the data came and was not too long to be kept
	faulty  bool // the data does not have its layout
	excess  bool // it has its layout, and more behind
	vague   bool // a query is no query: what it finds is open
	info    wire.InfoRequest
	meta    wire.MetaContextRequest
	replies int // that were not final

	infos      []wire.Info // distinct types, the first of each
	contexts   []wire.MetaContext
	exportInfo *wire.ExportInfo
	sizes      *wire.SizeConstraints
	kept       int  // bytes of the answer that are kept
	lossy      bool // there was more
}

// keep counts n bytes of the answer, and returns whether they may be kept.
func (o *option) keep(n int) bool {
	if o.kept+n > maxOption {
		return false
	}
	o.kept += n
	return true
}

const (
	maxQueue  = 64
	flood     = 16      // options of one client: more may be taken for a denial of service
	maxOption = 1 << 18 // bytes of option data, and of reply data, that are looked at
	maxKept   = 1024    // contexts of one answer that are remembered
)

func (h *haggling) oldest() *option {
	if len(h.queue) == 0 {
		return nil
	}
	return h.queue[0]
}

// entering reports whether an option is pending that ends haggling.
func (h *haggling) entering() bool {
	return h.leaving || slices.ContainsFunc(h.queue, func(o *option) bool {
		return o.option == wire.OptGo || o.option == wire.OptExportName
	})
}

// remove takes a finally answered option off the queue.
func (h *haggling) remove(o *option) {
	for i, q := range h.queue {
		if q == o {
			h.queue = append(h.queue[:i], h.queue[i+1:]...)
			return
		}
	}
}

// optionHeader handles an option of the client.
func (j *Judge) optionHeader(b []byte) int {
	s := &j.client
	if j.entering() && b[0] != byte(wire.OptionMagic>>56) {
		s.mode = holding // a request, perhaps: the server's answer will tell
		return 0
	}
	if len(b) < 8 {
		return 0
	}
	h, n, err := wire.ParseOptionHeader(b)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return 0
	}
	if j.broken(optionMagic, err == nil) {
		if j.entering() {
			s.mode = holding
			return 0
		}
		j.stray(s, result.Term("see-violation"))
		j.accuse(place{s.side, s.start, s.msg}, optionMagic, "option-magic", err)
		return 0
	}
	if len(j.queue) >= maxQueue {
		j.stray(s, result.Term("options-beyond-limit"))
		return 0
	}
	o := &option{option: h.Option, length: h.Length}
	j.open(s, KindOption, b[:n], uint64(h.Length), &optionData{judge: j, option: o})
	o.place = s.here()
	j.log.say(s.msg, fmt.Sprintf("%v length %d", h.Option, h.Length))
	j.judgeOption(o)
	j.queue = append(j.queue, o)
	j.options++
	return n
}

// judgeOption holds the header of an option against what came before.
func (j *Judge) judgeOption(o *option) {
	if len(j.queue) > 0 && j.server.mode == astray {
		// The client may have taken for a reply what made no sense to us.
	} else if j.broken(oneOptionAtATime, len(j.queue) == 0) {
		j.accuse(o.place, oneOptionAtATime, "option-before-final-reply", o.option, j.queue[len(j.queue)-1].option)
	}
	if j.aborted {
		j.accuse(o.place, abortThenDrop, "option-after-abort", o.option)
	}
	if j.shutdown {
		if j.broken(shutdownThenAbort, o.option == wire.OptAbort) {
			j.accuse(o.place, shutdownThenAbort, "option-after-shutdown", o.option)
		}
		j.shutdown = false
	}
	if o.option != wire.OptExportName && j.offered&wire.FlagFixedNewstyle != 0 {
		if j.broken(clientFlagFixed, j.accepted&wire.FlagCFixedNewstyle != 0) {
			j.accuse(o.place, clientFlagFixed, "option-without-fixed-newstyle", o.option, j.accepted)
		}
	}
	empty := func(c check) {
		if j.broken(c, o.length == 0) {
			j.accuse(o.place, c, "option-with-data", o.option, o.length)
		}
	}
	switch o.option {
	case wire.OptAbort:
		empty(abortNoData)
	case wire.OptList:
		empty(listNoData)
	case wire.OptStartTLS:
		empty(startTLSNoData)
		if j.broken(startTLSDeferred, !j.structured && !j.extended && len(j.selected.ids) == 0 || j.tls) {
			j.accuse(o.place, startTLSDeferred, "starttls-after-stateful-options")
		}
		if j.broken(startTLSNotFixed, j.fixed()) {
			j.accuse(o.place, startTLSNotFixed, "starttls-without-fixed-newstyle", j.offered, j.accepted)
		}
		if j.broken(startTLSAgainClient, !j.tls) {
			j.accuse(o.place, startTLSAgainClient, "starttls-within-tls")
		}
	case wire.OptStructuredReply:
		empty(structuredNoData)
		if j.broken(optionRepeated, !j.structured) {
			j.accuse(o.place, optionRepeated, "structured-reply-option-repeated")
		}
	case wire.OptExportName:
		if j.broken(exportNameExtended, !j.extended) {
			j.accuse(o.place, exportNameExtended, "export-name-with-extended-headers")
		}
	case wire.OptExtendedHeaders:
		empty(extendedNoData)
		if j.broken(optionRepeated, !j.extended) {
			j.accuse(o.place, optionRepeated, "extended-headers-option-repeated")
		}
	case wire.OptListMetaContext:
		if j.broken(listMetaNeedsStructured, j.structured || j.extended) {
			j.accuse(o.place, listMetaNeedsStructured, "list-meta-before-structured-replies")
		}
	case wire.OptSetMetaContext:
		if j.broken(setMetaNeedsStructured, j.structured || j.extended) {
			j.accuse(o.place, setMetaNeedsStructured, "set-meta-before-structured-replies")
		}
	}
}

// optionData collects the data of an option.
type optionData struct {
	judge  *Judge
	option *option
	b      []byte
	n      int
}

func (d *optionData) data(b []byte) int {
	d.n += len(b)
	if d.n <= maxOption {
		d.b = append(d.b, b...)
	}
	return len(b)
}

func (d *optionData) end() {
	j, o := d.judge, d.option
	if d.n > maxOption {
		return
	}
	o.whole = true
	switch o.option {
	case wire.OptExportName:
		j.log.say(o.msg, fmt.Sprintf("%v %q", o.option, clip(string(d.b))))
		o.info.Export = string(d.b)
		j.judgeString(o.place, result.Term("export-name"), o.info.Export)
	case wire.OptInfo, wire.OptGo:
		j.infoRequest(o, d.b)
	case wire.OptListMetaContext, wire.OptSetMetaContext:
		j.metaRequest(o, d.b)
	}
}

// judgeString judges a string that the side at p sent by section "Conventions".
func (j *Judge) judgeString(p place, what result.Value, s string) {
	utf8, nul, short, long := stringUTF8Server, stringNULServer, stringShortServer, stringMaxServer
	if p.side == clause.Client {
		utf8, nul, short, long = stringUTF8Client, stringNULClient, stringShortClient, stringMaxClient
	}
	for _, c := range []check{utf8, nul, short, long} {
		j.broken(c, true)
	}
	switch err := wire.ValidateString("", s); {
	case err == nil:
	case len(s) > wire.MaxString:
		j.accuse(p, long, "string-too-long", what, len(s), expect(wire.MaxString))
		return
	default:
		c := utf8
		if hasNUL(s) {
			c = nul
		}
		j.accuse(p, c, "string-malformed", what, []byte(clip(s)))
	}
	if len(s) > wire.RecommendedString {
		j.accuse(p, short, "string-longer-than-recommended", what, len(s), expect(wire.RecommendedString))
	}
}
