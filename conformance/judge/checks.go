package judge

import "nbdconform/conformance/clause"

// A check is one clause as the judge sees to it: an index into table.
type check int

const (
	stringUTF8Server check = iota
	stringUTF8Client
	stringNULServer
	stringNULClient
	stringShortServer
	stringShortClient
	stringMaxServer
	stringMaxClient

	greetingLayout
	optionMagic
	reservedZeroes
	optionReplyMagic
	optionReplyOption
	optionReplyType
	listReplies
	infoRequestLayout
	metaRequestLayout
	ackLayout
	infoLayout
	metaContextLayout
	requestMagic
	replyMagic
	fixedNewstyleServer
	handshakeUnknownFlag
	handshakeOldstyleFlags
	handshakeNoZeroes
	clientFlagUnknown
	clientFlagNoZeroes
	clientFlagFixed
	clientFlagUnknownDrop
	clientFlagUnofferedDrop

	oneOptionAtATime
	optionRepeated
	abortThenDrop
	shutdownThenAbort
	shutdownOptions
	haggleHangUpServer
	haggleHangUpClient
	unknownOption
	exportNameRefused
	abortAck
	abortNoData
	abortDataIgnored
	listImplemented
	listNoData
	listDataInvalid
	listName
	startTLSNoData
	startTLSReply
	startTLSDeferred
	startTLSNotFixed
	startTLSAgainClient
	startTLSAgainServer
	tlsModeConsistent
	tlsModeNotFixed
	tlsReqdAfter
	tlsUpgradeServer
	tlsUpgradeClient
	infoImplemented
	goImplemented
	infoNameLength
	infoRequestsUnique
	infoExportBeforeAck
	infoUnknownQuiet
	infoForcedTLSQuiet
	infoBlockSizeReqdRequested
	infoBlockSizeReqdDefault
	infoBlockSizeReqdFirst
	infoRepeatable
	infoOnce
	infoExportLength
	infoBlockSizeLength
	goNoPadding
	goNoMoreOptions
	structuredNoData
	structuredDataInvalid
	listMetaNeedsStructured
	listMetaQuerySyntax
	listMetaMalformed
	listMetaReply
	listMetaQueries
	listMetaNameForm
	listMetaIDZero
	listMetaZeroQueriesTooBig
	listMetaBaseWildcard
	setMetaNeedsStructured
	setMetaWithoutStructured
	setMetaQuerySyntax
	setMetaMalformed
	setMetaReply
	setMetaZeroQueries
	setMetaUniqueIDs
	metaNameSyntax
	metaNameNamespace
	metaEmptyLeaf
	metaBaseWildcardSet
	metaBaseUnknownLeaf

	sizeMinimumPower
	sizeMinimumMax
	sizeMinimumExport
	sizePreferredPower
	sizePreferredMin
	sizeMaxPayloadPreferred
	sizeMaxPayloadMin
	transmissionHasFlags
	transmissionDFStructured
	transmissionFastZero

	requestNegotiated
	cookieUnique
	flagDocumented
	flagFUAAdvertised
	flagFUAOnlyWrites
	flagDFAdvertised
	flagFastZeroAdvertised
	readZeroLength
	writeZeroLength
	trimZeroLength
	zeroesZeroLength
	statusZeroLength
	flushAdvertised
	trimAdvertised
	zeroesAdvertised
	statusNeedsContext
	discZero
	discSilence
	flushZero
	boundsClient
	alignClient
	maxPayloadClient
	hangUpClient
	discInflight

	cookieEcho
	structuredUnnegotiated
	readStructured
	statusStructured
	discNoReply
	discClose
	discOutstanding
	shutdownWait
	shutdownErrors
	readZeroStay
	writeZeroStay
	trimZeroStay
	zeroesZeroStay
	statusZeroStay
	effectStay
	readOnlyWrites
	errWriteReadOnly
	errTrimReadOnly
	errZeroesReadOnly
	errReadBounds
	errWriteBounds
	errTrimBounds
	errZeroesBounds
	errCacheBounds
	errStatusBounds
	errReadAlign
	errWriteAlign
	errOtherAlign
	errEOVERFLOW
	errENOTSUP
	errENOMEM
	errUnknownCommand
	errUnknownFlag
	errInapplicableFlag
	cacheFlags
	zeroesENOTSUP
	zeroesENOTSUPUnadvertised
	fastZeroEOVERFLOW
	fastZeroUnadvertised
	statusUnselected

	chunkUnexpected
	chunkUnknownFlag
	chunkDoneClear
	chunkDoneLast
	chunkMaxPayload
	noneLength
	noneDone
	dataLength
	dataBounds
	dataOverlap
	holeLength
	holeNonzero
	holeBounds
	holeOverlap
	readCover
	contentBeforeError
	readFinishChunk
	readPaddingZero
	dfOneContent
	dfNoContent
	dfMinimum
	errorLength
	errorMessageLength
	errorNonzero
	errorOnce
	errorMixed
	errorOffsetLength
	errorOffsetNonzero
	errorOffsetBounds
	errorOffsetSame
	errorOffsetWithin
	statusLength
	statusAtLeastOne
	statusPerContext
	statusExtentNonzero
	statusSum
	statusMaxExtents
	statusMultiple
	statusReserved
	initStateLength
	resizeAdvertised
	resizeOutstanding
	resizeBetween
	resizeBeyond
	resizeErrors
	resizeENOSPC
	reqOneExtent
	reqOneLength

	extendedNoData
	extendedDataInvalid
	exportNameExtended
	goExtended
	listMetaExtended
	listMetaExtendedBase
	setMetaExtendedBase
	extHeaderReqdUse
	payloadFlagNegotiated
	payloadFlagContexts
	extendedRequest
	writeAnnounced
	payloadNonzero
	filterAdvertised
	filterLength
	readNarrow
	payloadEINVAL
	filterUnsupported
	filterDuplicate
	filterUnknown
	filterLimited
	extendedNoSimple
	extendedReply
	extendedOffset
	extAlways
	extUnnegotiated
	extLength
	extCount
	extCountNonzero
	extExtentNonzero
	extHighBits

	lbaRange
	lbaDescriptors
	lbaUnimplemented
	lbaAllocated
	lbaDirty

	checkCount
)

// A row says which clause a check is about, and whether it is a MUST.
type row struct {
	id   clause.ID
	must bool
}

const (
	must   = true
	should = false
)

var table = [checkCount]row{
	stringUTF8Server:  {"string.utf8.server", must},
	stringUTF8Client:  {"string.utf8.client", must},
	stringNULServer:   {"string.no-nul.server", must},
	stringNULClient:   {"string.no-nul.client", must},
	stringShortServer: {"string.short.server", should},
	stringShortClient: {"string.short.client", should},
	stringMaxServer:   {"string.max-length.server", must},
	stringMaxClient:   {"string.max-length.client", must},

	greetingLayout:          {"layout.greeting", must},
	optionMagic:             {"layout.option.magic", must},
	reservedZeroes:          {"layout.export-name.reserved", must},
	optionReplyMagic:        {"layout.option-reply.magic", must},
	optionReplyOption:       {"layout.option-reply.option", must},
	optionReplyType:         {"layout.option-reply.type", must},
	listReplies:             {"layout.opt.list.replies", must},
	infoRequestLayout:       {"layout.opt.info", must},
	metaRequestLayout:       {"layout.opt.meta", must},
	ackLayout:               {"layout.rep.ack", must},
	infoLayout:              {"layout.rep.info", must},
	metaContextLayout:       {"layout.rep.meta-context", must},
	requestMagic:            {"layout.request.magic", must},
	replyMagic:              {"layout.reply.magic", must},
	fixedNewstyleServer:     {"baseline.server.fixed-newstyle", must},
	handshakeUnknownFlag:    {"flag.handshake.unknown", must},
	handshakeOldstyleFlags:  {"flag.handshake.oldstyle", must},
	handshakeNoZeroes:       {"flag.handshake.no-zeroes", must},
	clientFlagUnknown:       {"flag.client.unknown", must},
	clientFlagNoZeroes:      {"flag.client.no-zeroes", must},
	clientFlagFixed:         {"flag.client.fixed-newstyle", should},
	clientFlagUnknownDrop:   {"flag.client.unknown.drop", must},
	clientFlagUnofferedDrop: {"flag.client.unoffered.drop", must},

	oneOptionAtATime:           {"handshake.option.one-at-a-time", must},
	optionRepeated:             {"handshake.option.repeat", should},
	abortThenDrop:              {"haggling.abort.drop", must},
	shutdownThenAbort:          {"haggling.shutdown.abort", must},
	shutdownOptions:            {"haggling.shutdown.error", should},
	haggleHangUpServer:         {"haggling.hard.unjustified.server", must},
	haggleHangUpClient:         {"haggling.hard.unjustified.client", must},
	unknownOption:              {"baseline.unsup", must},
	exportNameRefused:          {"opt.export-name.unknown", must},
	abortAck:                   {"opt.abort.ack", must},
	abortNoData:                {"opt.abort.no-data", should},
	abortDataIgnored:           {"opt.abort.ignore-data", should},
	listImplemented:            {"baseline.server.list", must},
	listNoData:                 {"opt.list.no-data", must},
	listDataInvalid:            {"opt.list.data-invalid", should},
	listName:                   {"rep.server.name-length", must},
	startTLSNoData:             {"opt.starttls.no-data", must},
	startTLSReply:              {"opt.starttls.reply", must},
	startTLSDeferred:           {"opt.starttls.defer-stateful", should},
	startTLSNotFixed:           {"tls.client.starttls.not-fixed", must},
	startTLSAgainClient:        {"tls.client.starttls.again", must},
	startTLSAgainServer:        {"tls.forced.starttls.again", must}, // and tls.selective.starttls.again says the same
	tlsModeConsistent:          {"tls.mode.consistent", must},
	tlsModeNotFixed:            {"tls.mode.not-fixed", must},
	tlsReqdAfter:               {"tls.forced.tls-reqd.after", must}, // and tls.selective.tls-reqd.after says the same
	tlsUpgradeServer:           {"tls.upgrade.all.server", must},
	tlsUpgradeClient:           {"tls.upgrade.all.client", must},
	infoImplemented:            {"baseline.server.info", must},
	goImplemented:              {"baseline.server.go", must},
	infoNameLength:             {"opt.info.name-length", must},
	infoRequestsUnique:         {"opt.info.requests-unique", must},
	infoExportBeforeAck:        {"opt.info.export-before-ack", must},
	infoUnknownQuiet:           {"opt.info.unknown.no-info", should},
	infoForcedTLSQuiet:         {"opt.info.forced-tls.no-info", must},
	infoBlockSizeReqdRequested: {"opt.info.block-size-reqd.requested", must},
	infoBlockSizeReqdDefault:   {"opt.info.block-size-reqd.default", should},
	infoBlockSizeReqdFirst:     {"opt.info.block-size-reqd.info-first", should},
	infoRepeatable:             {"opt.info.repeatable", must},
	infoOnce:                   {"rep.info.once", should},
	infoExportLength:           {"rep.info-export.length", must},
	infoBlockSizeLength:        {"rep.info-block-size.length", must},
	goNoPadding:                {"opt.info.go-no-padding", must},
	goNoMoreOptions:            {"opt.info.go-no-more-options", must},
	structuredNoData:           {"opt.structured-reply.no-data", must},
	structuredDataInvalid:      {"opt.structured-reply.data-invalid", should},
	listMetaNeedsStructured:    {"opt.list-meta.needs-structured", should},
	listMetaQuerySyntax:        {"opt.list-meta.query-syntax", must},
	listMetaMalformed:          {"opt.list-meta.malformed", must},
	listMetaReply:              {"opt.list-meta.reply", must},
	listMetaQueries:            {"opt.list-meta.queries", must},
	listMetaNameForm:           {"opt.list-meta.name-form", must},
	listMetaIDZero:             {"opt.list-meta.id-zero", should},
	listMetaZeroQueriesTooBig:  {"opt.list-meta.zero-queries.too-big", should},
	listMetaBaseWildcard:       {"meta.base.wildcard.list", must},
	setMetaNeedsStructured:     {"opt.set-meta.needs-structured", must},
	setMetaWithoutStructured:   {"opt.set-meta.without-structured", should},
	setMetaQuerySyntax:         {"opt.set-meta.query-syntax", must},
	setMetaMalformed:           {"opt.set-meta.malformed", must},
	setMetaReply:               {"opt.set-meta.reply", must},
	setMetaZeroQueries:         {"opt.set-meta.zero-queries", must},
	setMetaUniqueIDs:           {"opt.set-meta.unique-ids", must},
	metaNameSyntax:             {"meta.name.syntax", must},
	metaNameNamespace:          {"meta.name.namespace", must},
	metaEmptyLeaf:              {"meta.query.empty-leaf", should},
	metaBaseWildcardSet:        {"meta.base.wildcard.set", must},
	metaBaseUnknownLeaf:        {"meta.base.unknown-leaf.set", must},

	sizeMinimumPower:         {"size.minimum.power-of-2", must},
	sizeMinimumMax:           {"size.minimum.max", must},
	sizeMinimumExport:        {"size.minimum.export-size", should},
	sizePreferredPower:       {"size.preferred.power-of-2", must},
	sizePreferredMin:         {"size.preferred.min", must},
	sizeMaxPayloadPreferred:  {"size.max-payload.preferred", must},
	sizeMaxPayloadMin:        {"size.max-payload.min", should},
	transmissionHasFlags:     {"flag.transmission.has-flags", must},
	transmissionDFStructured: {"flag.transmission.send-df.structured", must},
	transmissionFastZero:     {"flag.transmission.fast-zero.write-zeroes", must},

	requestNegotiated:      {"baseline.client.negotiate", must},
	cookieUnique:           {"trans.cookie.unique", should},
	flagDocumented:         {"cmdflag.documented", must},
	flagFUAAdvertised:      {"flag.transmission.client-use", must},
	flagFUAOnlyWrites:      {"cmdflag.fua.only-writes", should},
	flagDFAdvertised:       {"cmdflag.df.needs-flag", must},
	flagFastZeroAdvertised: {"cmdflag.fast-zero.needs-flag", must},
	readZeroLength:         {"cmd.read.zero-length", should},
	writeZeroLength:        {"cmd.write.zero-length", should},
	trimZeroLength:         {"cmd.trim.zero-length", should},
	zeroesZeroLength:       {"cmd.write-zeroes.zero-length", should},
	statusZeroLength:       {"cmd.block-status.zero-length", should},
	flushAdvertised:        {"cmd.flush.needs-flag", must},
	trimAdvertised:         {"cmd.trim.needs-flag", must},
	zeroesAdvertised:       {"cmd.write-zeroes.needs-flag", must},
	statusNeedsContext:     {"cmd.block-status.needs-context", must},
	discZero:               {"cmd.disc.zero", must},
	discSilence:            {"cmd.disc.silence", must},
	flushZero:              {"cmd.flush.zero", must},
	boundsClient:           {"size.bounds.client", must},
	alignClient:            {"size.align.client", must},
	maxPayloadClient:       {"size.client.max-payload", must},
	hangUpClient:           {"trans.end.unjustified.client", must},
	discInflight:           {"trans.end.soft.inflight", should},

	cookieEcho:                {"trans.cookie.echo", must}, // also: replies to no request
	structuredUnnegotiated:    {"trans.structured.unnegotiated", must},
	readStructured:            {"cmd.read.structured", must},
	statusStructured:          {"cmd.block-status.structured", must},
	discNoReply:               {"layout.disc.no-reply", must},
	discClose:                 {"cmd.disc.close", must}, // nothing comes any more
	discOutstanding:           {"cmd.disc.outstanding", must},
	shutdownWait:              {"trans.end.shutdown.wait", should},
	shutdownErrors:            {"trans.end.shutdown.eshutdown", should},
	readZeroStay:              {"cmd.read.zero-length.stay", should},
	writeZeroStay:             {"cmd.write.zero-length.stay", should},
	trimZeroStay:              {"cmd.trim.zero-length.stay", should},
	zeroesZeroStay:            {"cmd.write-zeroes.zero-length.stay", should},
	statusZeroStay:            {"cmd.block-status.zero-length.stay", should},
	effectStay:                {"size.effect.disconnect", should},
	readOnlyWrites:            {"flag.transmission.read-only.writes", must},
	errWriteReadOnly:          {"err.write.read-only", should},
	errTrimReadOnly:           {"err.trim.read-only", should},
	errZeroesReadOnly:         {"cmd.write-zeroes.read-only", should},
	errReadBounds:             {"err.read.bounds", should},
	errWriteBounds:            {"err.write.bounds", should},
	errTrimBounds:             {"err.trim.bounds", should},
	errZeroesBounds:           {"cmd.write-zeroes.bounds", should},
	errCacheBounds:            {"size.bounds.cache", should},
	errStatusBounds:           {"cmd.block-status.bounds", should},
	errReadAlign:              {"err.read.align", should},
	errWriteAlign:             {"err.write.align", should},
	errOtherAlign:             {"size.align.server", should},
	errEOVERFLOW:              {"err.eoverflow", should},
	errENOTSUP:                {"err.enotsup", should},
	errENOMEM:                 {"err.enomem", should},
	errUnknownCommand:         {"err.unknown-command", should},
	errUnknownFlag:            {"err.unknown-flag", should},
	errInapplicableFlag:       {"err.inapplicable-flag", should},
	cacheFlags:                {"cmd.cache.flags", must},
	zeroesENOTSUP:             {"cmd.write-zeroes.enotsup", must},
	zeroesENOTSUPUnadvertised: {"cmd.write-zeroes.enotsup.unadvertised", should},
	fastZeroEOVERFLOW:         {"cmd.write-zeroes.fast-zero.eoverflow", should},
	fastZeroUnadvertised:      {"cmd.write-zeroes.fast-zero.unadvertised", should},
	statusUnselected:          {"meta.block-status.unselected", should},

	chunkUnexpected:     {"layout.chunk.type", must},
	chunkUnknownFlag:    {"chunk.flag.unknown", must},
	chunkDoneClear:      {"chunk.flag.done-clear", must},
	chunkDoneLast:       {"chunk.flag.done-last", must},
	chunkMaxPayload:     {"chunk.max-payload", must},
	noneLength:          {"chunk.none.length", must},
	noneDone:            {"chunk.none.done", must},
	dataLength:          {"chunk.offset-data.length", must},
	dataBounds:          {"chunk.offset-data.bounds", must},
	dataOverlap:         {"chunk.offset-data.overlap", must},
	holeLength:          {"chunk.offset-hole.length", must},
	holeNonzero:         {"chunk.offset-hole.nonzero", must},
	holeBounds:          {"chunk.offset-hole.bounds", must},
	holeOverlap:         {"chunk.offset-hole.overlap", must},
	readCover:           {"cmd.read.cover", must},
	contentBeforeError:  {"cmd.read.content-before-error", must},
	readFinishChunk:     {"cmd.read.finish-chunk", must},
	readPaddingZero:     {"cmd.read.padding.zero", should},
	dfOneContent:        {"cmdflag.df.one-content", must},
	dfNoContent:         {"cmdflag.df.eoverflow.no-content", must},
	dfMinimum:           {"cmdflag.df.minimum", must},
	errorLength:         {"chunk.error.length", must},
	errorMessageLength:  {"chunk.error.message-length", must},
	errorNonzero:        {"chunk.error.nonzero", must},
	errorOnce:           {"chunk.error.once", should},
	errorMixed:          {"chunk.error.mixed", should},
	errorOffsetLength:   {"chunk.error-offset.length", must},
	errorOffsetNonzero:  {"chunk.error-offset.nonzero", must},
	errorOffsetBounds:   {"chunk.error-offset.bounds", must},
	errorOffsetSame:     {"chunk.error-offset.same-offset", should},
	errorOffsetWithin:   {"chunk.error-offset.within-content", should},
	statusLength:        {"chunk.block-status.length", must},
	statusAtLeastOne:    {"chunk.block-status.at-least-one", must},
	statusPerContext:    {"chunk.block-status.per-context", must},
	statusExtentNonzero: {"chunk.block-status.extent-nonzero", must},
	statusSum:           {"chunk.block-status.sum", must},
	statusMaxExtents:    {"chunk.block-status.max-extents", should},
	statusMultiple:      {"cmd.block-status.multiple-of-minimum", should},
	statusReserved:      {"meta.allocation.reserved", should},
	initStateLength:     {"init-state.length", must},
	resizeAdvertised:    {"resize.needs-flag", must},
	resizeOutstanding:   {"resize.outstanding", must},
	resizeBetween:       {"resize.between", must},
	resizeBeyond:        {"resize.between.beyond", should},
	resizeErrors:        {"resize.errors", should},
	resizeENOSPC:        {"resize.shrunk.enospc", must},
	reqOneExtent:        {"cmdflag.req-one.one-extent", must},
	reqOneLength:        {"cmdflag.req-one.length", must},

	extendedNoData:        {"opt.extended-headers.no-data", must},
	extendedDataInvalid:   {"opt.extended-headers.data-invalid", should},
	exportNameExtended:    {"opt.export-name.extended", must},
	goExtended:            {"opt.info.extended.unsup", must},
	listMetaExtended:      {"opt.list-meta.extended.negotiated", must},
	listMetaExtendedBase:  {"opt.list-meta.extended.base", must},
	setMetaExtendedBase:   {"opt.set-meta.extended.base", must},
	extHeaderReqdUse:      {"rep.err-ext-header-reqd.use", must},
	payloadFlagNegotiated: {"flag.transmission.block-status-payload.negotiated", must},
	payloadFlagContexts:   {"flag.transmission.block-status-payload.contexts", should},
	extendedRequest:       {"trans.extended.request", must},
	writeAnnounced:        {"trans.extended.write-payload", must},
	payloadNonzero:        {"cmdflag.payload-len.nonzero", must},
	filterAdvertised:      {"cmdflag.payload-len.needs-flag", should},
	filterLength:          {"cmd.block-status.payload.length", must},
	readNarrow:            {"cmd.read.extended.64-bit", should},
	payloadEINVAL:         {"cmdflag.payload-len.einval", must},
	filterUnsupported:     {"cmd.block-status.payload.unsupported", must},
	filterDuplicate:       {"cmd.block-status.payload.duplicate-id", must},
	filterUnknown:         {"cmd.block-status.payload.unknown-id", must},
	filterLimited:         {"cmd.block-status.payload.limited", must},
	extendedNoSimple:      {"trans.extended.no-simple", must},
	extendedReply:         {"trans.extended.reply", must},
	extendedOffset:        {"trans.extended.offset", must},
	extAlways:             {"chunk.block-status-ext.always", must},
	extUnnegotiated:       {"chunk.block-status-ext.unnegotiated", must},
	extLength:             {"chunk.block-status-ext.length", must},
	extCount:              {"chunk.block-status-ext.count", must},
	extCountNonzero:       {"chunk.block-status-ext.count-nonzero", must},
	extExtentNonzero:      {"chunk.block-status-ext.extent-nonzero", must},
	extHighBits:           {"chunk.block-status-ext.high-bits", must},

	lbaRange:         {"get-lba-status.range", must},
	lbaDescriptors:   {"get-lba-status.descriptors", must},
	lbaUnimplemented: {"get-lba-status.unimplemented", must},
	lbaAllocated:     {"get-lba-status.allocated", must},
	lbaDirty:         {"get-lba-status.dirty", must},
}
