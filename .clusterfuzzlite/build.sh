#!/bin/bash -eu
# Builds the native fuzz targets. compile_native_go_fuzzer is a part of the image.
cd "$SRC/nbdconform"
go mod download
while read -r package target; do
	compile_native_go_fuzzer "nbdconform/$package" "$target" "${package//\//_}_$target"
done <<'TARGETS'
conformance/clause FuzzParse
conformance/clause FuzzSentences
conformance/judge FuzzJudge
fuzz FuzzCapture
fuzz FuzzClientSession
fuzz FuzzDamaged
fuzz FuzzRoundTrip
fuzz FuzzScript
fuzz FuzzServerSession
reference/client FuzzReplies
reference/nbduri FuzzParse
reference/server FuzzServeConn
reference/configfile FuzzParse
reference/wire FuzzParseBlockStatus
reference/wire FuzzParseBlockStatusExt
reference/wire FuzzParseChunkHeader
reference/wire FuzzParseClientFlags
reference/wire FuzzParseErrorChunk
reference/wire FuzzParseExportInfo
reference/wire FuzzParseExportNameReply
reference/wire FuzzParseExtendedChunkHeader
reference/wire FuzzParseExtendedRequest
reference/wire FuzzParseGreeting
reference/wire FuzzParseInfo
reference/wire FuzzParseInfoRequest
reference/wire FuzzParseInitFlags
reference/wire FuzzParseLBAData
reference/wire FuzzParseLBAStatus
reference/wire FuzzParseMetaContext
reference/wire FuzzParseMetaContextRequest
reference/wire FuzzParseOffsetData
reference/wire FuzzParseOffsetHole
reference/wire FuzzParseOldGreeting
reference/wire FuzzParseOptionHeader
reference/wire FuzzParseOptionReply
reference/wire FuzzParseOptionReplyHeader
reference/wire FuzzParseOptionRequest
reference/wire FuzzParseReply
reference/wire FuzzParseRequest
reference/wire FuzzParseServerReply
reference/wire FuzzParseSimpleReply
reference/wire FuzzParseSizeConstraints
reference/wire FuzzParseStatusFilter
reports/capture FuzzRead
reports/render FuzzWrap
reports/result FuzzRead
TARGETS
