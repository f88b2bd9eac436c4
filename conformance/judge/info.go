package judge

import (
	"errors"
	"fmt"
	"slices"

	"nbdconform/reference/wire"
	"nbdconform/reports/result"
)

const maxInfos = 64 // types of information in one answer that are remembered

// infoRequest judges the data of NBD_OPT_INFO and NBD_OPT_GO.
func (j *Judge) infoRequest(o *option, b []byte) {
	q, err := wire.ParseInfoRequest(b)
	if err != nil {
		o.faulty = true
		c := infoRequestLayout
		var f *wire.FormatError
		if errors.As(err, &f) && f.Clause == "opt.info.name-length" {
			c = infoNameLength
		}
		j.accuse(o.place, c, "info-request-layout", err)
		return
	}
	j.broken(infoNameLength, true)
	j.broken(infoRequestLayout, true)
	o.info = q
	j.log.say(o.msg, fmt.Sprintf("%v %q requests %v", o.option, clip(q.Export), q.Infos))
	j.judgeString(o.place, result.Term("export-name"), q.Export)
	sorted := slices.Sorted(slices.Values(q.Infos))
	if len(sorted) > 0 && j.broken(infoRequestsUnique, len(slices.Compact(sorted)) == len(q.Infos)) {
		j.accuse(o.place, infoRequestsUnique, "information-requested-twice", q.Infos)
	}
}

// infoReply judges NBD_REP_INFO.
func (j *Judge) infoReply(d *replyData) {
	o, p := d.option, d.place
	if o.option != wire.OptInfo && o.option != wire.OptGo || d.n > maxOption {
		return
	}
	i, err := wire.ParseInfo(d.b)
	if j.broken(infoLayout, err == nil) {
		j.accuse(p, infoLayout, "info-reply-layout", err)
		return
	}
	j.log.say(p.msg, fmt.Sprintf("NBD_REP_INFO %v length %d", i.Type, d.n))
	again := slices.ContainsFunc(o.infos, func(e wire.Info) bool { return e.Type == i.Type })
	switch {
	case j.broken(infoOnce, !again || o.asks(i.Type) > 1):
		j.accuse(p, infoOnce, "information-given-twice", i.Type)
	case again:
	case len(o.infos) < maxInfos && o.keep(len(i.Payload)):
		o.infos = append(o.infos, i)
	default:
		o.lossy = true
	}
	switch i.Type {
	case wire.InfoExport:
		e, err := wire.ParseExportInfo(i.Payload)
		if j.broken(infoExportLength, err == nil) {
			j.accuse(p, infoExportLength, "info-export-layout", err)
			return
		}
		j.log.say(p.msg, fmt.Sprintf("NBD_REP_INFO NBD_INFO_EXPORT size %d flags %v", e.Size, e.Flags))
		j.judgeFlags(p, e.Flags)
		j.judgePayloadFlag(p, o, e.Flags)
		o.exportInfo = &e
	case wire.InfoBlockSize:
		s, err := wire.ParseSizeConstraints(i.Payload)
		if j.broken(infoBlockSizeLength, err == nil) {
			j.accuse(p, infoBlockSizeLength, "info-block-size-layout", err)
			return
		}
		j.log.say(p.msg, fmt.Sprintf("NBD_REP_INFO NBD_INFO_BLOCK_SIZE minimum %d preferred %d maximum payload %d",
			s.Minimum, s.Preferred, s.MaxPayload))
		j.judgeSizes(p, s)
		o.sizes = &s
	case wire.InfoInitState:
		if o.asks(i.Type) == 0 {
			return // a later extension may have the number
		}
		f, err := wire.ParseInitFlags(i.Payload)
		if j.broken(initStateLength, err == nil) {
			j.accuse(p, initStateLength, "info-init-state-layout", err)
			return
		}
		j.log.say(p.msg, fmt.Sprintf("NBD_REP_INFO NBD_INFO_INIT_STATE %v", f))
	case wire.InfoName, wire.InfoDescription:
		j.log.say(p.msg, fmt.Sprintf("NBD_REP_INFO %v %q", i.Type, clip(string(i.Payload))))
		j.judgeString(p, result.ValueOf(i.Type), string(i.Payload))
	}
}

// judgeFlags holds transmission flags against each other and the negotiation.
func (j *Judge) judgeFlags(p place, f wire.TransmissionFlags) {
	if j.broken(transmissionHasFlags, f&wire.FlagHasFlags != 0) {
		j.accuse(p, transmissionHasFlags, "has-flags-missing", f)
	}
	if j.opts.Dialect.Chunks() && j.broken(transmissionDFStructured, f&wire.FlagSendDF == 0 || j.structured || j.extended) {
		j.accuse(p, transmissionDFStructured, "df-flag-without-structured-replies", f)
	}
	if j.broken(payloadFlagNegotiated, f&wire.FlagBlockStatusPayload == 0 || j.extended) {
		j.accuse(p, payloadFlagNegotiated, "status-payload-flag-without-extended-headers", f)
	}
	if f&wire.FlagSendFastZero != 0 && j.broken(transmissionFastZero, f&wire.FlagSendWriteZeroes != 0) {
		j.accuse(p, transmissionFastZero, "fast-zero-flag-without-write-zeroes", f)
	}
}

// judgeSizes holds size constraints against section "Size constraints".
func (j *Judge) judgeSizes(p place, s wire.SizeConstraints) {
	power := func(n uint32) bool { return n != 0 && n&(n-1) == 0 }
	if j.broken(sizeMinimumPower, power(s.Minimum)) {
		j.accuse(p, sizeMinimumPower, "minimum-block-size-not-power-of-two", s.Minimum)
	}
	if j.broken(sizeMinimumMax, s.Minimum <= wire.MaxMinimumBlock) {
		j.accuse(p, sizeMinimumMax, "minimum-block-size-too-large", s.Minimum)
	}
	if j.broken(sizePreferredPower, power(s.Preferred)) {
		j.accuse(p, sizePreferredPower, "preferred-block-size-not-power-of-two", s.Preferred)
	}
	if j.broken(sizePreferredMin, s.Preferred >= max(s.Minimum, 512)) {
		j.accuse(p, sizePreferredMin, "preferred-block-size-too-small", s.Preferred, expect(max(s.Minimum, 512)))
	}
	if j.broken(sizeMaxPayloadPreferred, s.MaxPayload >= s.Preferred) {
		j.accuse(p, sizeMaxPayloadPreferred, "maximum-payload-below-preferred", s.MaxPayload, expect(s.Preferred))
	}
}

// finalInfo ends the answer to NBD_OPT_INFO or NBD_OPT_GO. described is the
// successful NBD_OPT_INFO right before, if there was one.
func (j *Judge) finalInfo(p place, o *option, t wire.ReplyType, described *option) {
	switch t {
	case wire.RepAck:
		j.acknowledged(p, o, described)
	case wire.RepErrUnknown:
		if j.broken(infoUnknownQuiet, o.replies == 0) {
			j.accuse(p, infoUnknownQuiet, "information-before-unknown", o.replies)
		}
	case wire.RepErrTLSReqd:
		if j.modes == modeForced && j.broken(infoForcedTLSQuiet, o.replies == 0) {
			j.accuse(p, infoForcedTLSQuiet, "information-before-tls-reqd", o.replies)
		}
	case wire.RepErrBlockSizeReqd:
		j.refusedForSize(p, o)
	}
}

// acknowledged judges a successful answer as a whole.
func (j *Judge) acknowledged(p place, o *option, described *option) {
	if j.broken(infoExportBeforeAck, o.exportInfo != nil || j.server.mode == astray) {
		j.accuse(p, infoExportBeforeAck, "ack-without-export-information", o.option)
	}
	if e, s := o.exportInfo, o.sizes; e != nil && s != nil {
		if s.Minimum != 0 && j.broken(sizeMinimumExport, e.Size%uint64(s.Minimum) == 0) {
			j.accuse(p, sizeMinimumExport, "export-size-not-multiple-of-minimum", e.Size, expect(s.Minimum))
		}
		if e.Size >= 1<<20 && j.broken(sizeMaxPayloadMin, s.MaxPayload >= 1<<20) {
			j.accuse(p, sizeMaxPayloadMin, "maximum-payload-below-mebibyte", s.MaxPayload, e.Size)
		}
	}
	if o.option == wire.OptInfo {
		if o.whole && !o.faulty {
			j.described = o
		}
		return
	}
	if described != nil && !described.lossy && o.whole && !o.faulty && !o.lossy && described.info.Export == o.info.Export && slices.Equal(described.info.Infos, o.info.Infos) {
		if j.broken(infoRepeatable, sameInfos(described.infos, o.infos) || o.lessFilter(described)) {
			j.accuse(p, infoRepeatable, "go-differs-from-info", o.infos, expect(described.infos))
		}
	}
	j.export = export{}
	if e := o.exportInfo; e != nil {
		j.export = export{size: e.Size, flags: e.Flags}
	} else {
		j.export.unknown = true
	}
	j.export.sizes = o.sizes
	j.export.committed = o.sizes != nil && o.whole && !o.faulty && o.info.Wants(wire.InfoBlockSize)
	j.viaGo = true
	j.padding = goNoPadding
	j.judgeEntry(o)
	j.enter()
}

// lessFilter reports whether o, NBD_OPT_GO without a selected context, leaves
// NBD_FLAG_BLOCK_STATUS_PAYLOAD out that NBD_OPT_INFO gave, as it should, and
// differs in nothing else.
func (o *option) lessFilter(described *option) bool {
	if o.exportInfo == nil || o.exportInfo.Flags&wire.FlagBlockStatusPayload != 0 {
		return false
	}
	infos := slices.Clone(described.infos)
	for i := range infos {
		if e, err := wire.ParseExportInfo(infos[i].Payload); infos[i].Type == wire.InfoExport && err == nil {
			e.Flags &^= wire.FlagBlockStatusPayload
			infos[i] = e.Info()
		}
	}
	return sameInfos(infos, o.infos)
}

// refusedForSize judges NBD_REP_ERR_BLOCK_SIZE_REQD.
func (j *Judge) refusedForSize(p place, o *option) {
	if !o.whole || o.faulty {
		return
	}
	if j.broken(infoBlockSizeReqdRequested, !o.info.Wants(wire.InfoBlockSize)) {
		j.accuse(p, infoBlockSizeReqdRequested, "block-size-reqd-although-requested", o.info.Infos)
		return
	}
	if j.broken(infoBlockSizeReqdFirst, o.sizes != nil) {
		j.accuse(p, infoBlockSizeReqdFirst, "block-size-reqd-without-constraints")
		return
	}
	s := *o.sizes
	if j.extended { // which is reason enough, opt.extended-headers.block-size-reqd
		return
	}
	isDefault := s.Minimum == 1 && s.Preferred == wire.DefaultPreferred && s.MaxPayload >= wire.DefaultMaxPayload
	if j.broken(infoBlockSizeReqdDefault, !isDefault) {
		j.accuse(p, infoBlockSizeReqdDefault, "block-size-reqd-with-default-constraints")
	}
}

// asks counts how often o asks for a type of information.
func (o *option) asks(t wire.InfoType) int {
	n := 0
	for _, i := range o.info.Infos {
		if i == t {
			n++
		}
	}
	return n
}

func sameInfos(a, b []wire.Info) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(i wire.Info) bool {
		return !slices.ContainsFunc(b, func(k wire.Info) bool { return i.Type == k.Type && string(i.Payload) == string(k.Payload) })
	})
}
