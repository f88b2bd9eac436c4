package render

import (
	"fmt"
	"strings"
	"time"

	"nbdconform/reference/wire"
	"nbdconform/reports/result"
)

// samples are the results that the golden files show.
func samples() map[string]result.Result {
	return map[string]result.Result{
		"broken":    broken(),
		"conforms":  conforms(),
		"hostile":   hostile(),
		"untrusted": untrusted(),
		"empty":     base("reference", "", ""),
	}
}

func base(name, version, suite string) result.Result {
	return result.Result{
		SchemaVersion: result.SchemaVersion,
		Suite:         result.Suite{Name: "nbdconform", Version: "v0.1.0", Seed: 42},
		Document:      result.Document{Name: "doc/proto.md", Revision: "3b9e4a1"},
		Target:        result.Target{Name: name, Provider: "container", Version: version, Release: suite, Export: "disk", Size: 64 << 20, Advertised: []string{"flush", "fua", "trim"}},
		Started:       time.Date(2025, 3, 14, 9, 26, 53, 0, time.UTC),
		Seconds:       12.34,
		Reproduce:     "nbdconform run --target " + name + " --seed 42",
	}
}

// passes are n specs of one group that pass.
func passes(group, prefix string, n int) []result.Spec {
	subjects := []string{
		"answers a request of one byte", "answers at the very end of the export", "echoes the cookie",
		"keeps requests in flight apart", "refuses an unknown flag with EINVAL", "refuses a length beyond the export",
		"accepts a request of the maximum size", "answers after a flush", "leaves its neighbours alone",
	}
	var list []result.Spec
	for i := range n {
		list = append(list, result.Spec{
			ID: fmt.Sprintf("%s.%02d", prefix, i+1), Name: strings.ToUpper(prefix[:1]) + prefix[1:] + " " + subjects[i%len(subjects)],
			Group: group, Clauses: []string{prefix + ".clause"}, Level: []string{"MUST", "MUST", "SHOULD", "MAY"}[i%4],
			Verdict: result.Pass, Seconds: 0.004 * float64(i+1), Section: "Request types",
			Requires: "The server answers.", Location: "conformance/servers/" + prefix + ".go:12",
		})
	}
	return list
}

// wrong is an answer that was not expected.
func wrong(got any, want ...any) []result.Failure {
	return []result.Failure{{Code: "expectation", Received: result.ValuesOf(got), Expected: result.ValuesOf(want...)}}
}

func conforms() result.Result {
	r := base("nbdkit", "1.42.3", "trixie")
	r.Specs = append(passes("Handshake", "handshake", 9), passes("Commands", "read", 8)...)
	r.Specs = append(r.Specs,
		result.Spec{ID: "cache.served", Name: "NBD_CMD_CACHE is served", Group: "Commands", Clauses: []string{"cmd.cache"}, Level: "MAY", Verdict: result.Unsupported, Message: "neither declared nor advertised"},
		result.Spec{ID: "write.fua", Name: "NBD_CMD_WRITE with FUA is durable", Group: "Commands", Clauses: []string{"cmd.flags.fua"}, Level: "MUST", Verdict: result.Skipped, Message: "writes to this target need --destructive"},
		result.Spec{ID: "trim.size", Name: "NBD_CMD_TRIM of nothing is answered", Group: "Commands", Clauses: []string{"cmd.trim.empty"}, Level: "SHOULD", Verdict: result.Warning, Message: "want success, got EINVAL", Failures: wrong(wire.EINVAL, wire.OK), Seconds: 0.02},
	)
	r.Observations = []result.Observation{{Spec: "read.03", Topic: "order of simultaneous replies", Value: "as asked"}}
	r.Count()
	return r
}

func broken() result.Result {
	r := base("qemu-nbd", "7.2.22", "bookworm")
	r.Suite.Filter = "level: containsAny {MUST, SHOULD}"
	r.Target.Image = "sha256:4c3f7d0b51f4ad9b2b3b4f2e3a5d6c7e8f90a1b2c3d4e5f60718293a4b5c6d7e"
	r.Target.Command = []string{"qemu-nbd", "--persistent", "--shared=0", "--format=raw", "--export-name=disk", "/srv/disk.img"}
	r.Target.Profile = "default"
	r.Target.Declared = []string{"flush", "fua", "trim", "fast-zero"}
	r.Specs = passes("Handshake", "handshake", 14)
	r.Specs = append(r.Specs, passes("Option haggling", "option", 21)...)
	r.Specs = append(r.Specs, passes("Commands", "read", 33)...)
	r.Specs = append(r.Specs, passes("Structured replies", "structured", 17)...)
	r.Specs = append(r.Specs, passes("Metadata contexts", "meta", 11)...)
	r.Specs = append(r.Specs,
		result.Spec{
			ID: "write-zeroes.fast-zero.answers", Group: "Commands", Level: "MUST", Verdict: result.Fail, Seconds: 0.131,
			Name:    "NBD_CMD_WRITE_ZEROES with NBD_CMD_FLAG_FAST_ZERO answers with success or NBD_ENOTSUP, and leaves the export as it was on NBD_ENOTSUP",
			Clauses: []string{"cmd.write-zeroes.fast-zero.enotsup"}, Section: "Request types: NBD_CMD_WRITE_ZEROES",
			Requires:   "A server that can't zero faster than it writes fails quickly with NBD_ENOTSUP.",
			Message:    "want success or ENOTSUP, got EIO\n  simple reply  cookie=0x2a error=EIO(5)\n  0000  67 44 66 98 00 00 00 05  00 00 00 00 00 00 00 2a  |gDf............*|",
			Failures:   wrong(wire.EIO, wire.OK, wire.ENOTSUP),
			Location:   "conformance/servers/write_zeroes.go:41",
			Reproduce:  "nbdconform run --target qemu-nbd --target-version 7.2.22 --seed 42 --spec write-zeroes.fast-zero.answers",
			Transcript: "C  NBD_OPT_GO \"disk\"\nS  NBD_REP_INFO NBD_INFO_EXPORT 67108864 bytes, HAS_FLAGS|FLUSH|FUA|TRIM|FAST_ZERO\nS  NBD_REP_ACK\nC  WRITE_ZEROES FAST_ZERO cookie=0x2a offset=0 length=65536\nS  simple reply cookie=0x2a EIO",
		},
		result.Spec{
			ID: "trim.beyond-end", Group: "Commands", Level: "MUST", Verdict: result.Crash, Seconds: 0.402,
			Name:    "NBD_CMD_TRIM beyond the end of the export is refused",
			Clauses: []string{"cmd.bounds.refused", "cmd.trim.bounds"}, Section: "Request types: NBD_CMD_TRIM",
			Requires:   "A request that goes beyond the size of the export is answered with NBD_EINVAL or NBD_ENOSPC.",
			Message:    "want EINVAL or ENOSPC, got the end of the connection; the target is gone",
			Location:   "conformance/servers/trim.go:77",
			Reproduce:  "nbdconform run --target qemu-nbd --spec trim.beyond-end",
			Transcript: "C  TRIM cookie=0x07 offset=67108864 length=4096\nS  connection closed",
			Exit:       "signal: aborted (core dumped)",
			Evidence:   "evidence/trim.beyond-end",
			Stderr:     "qemu-nbd: ../block/io.c:1992: bdrv_co_pdiscard: Assertion `!(offset % align)' failed.\n",
		},
		result.Spec{
			ID: "structured.chunk.done-flag", Group: "Structured replies", Level: "MUST", Verdict: result.Hang, Seconds: 5,
			Name:    "A structured reply ends with exactly one chunk that has NBD_REPLY_FLAG_DONE",
			Clauses: []string{"trans.structured.done"}, Section: "Structured reply chunk message",
			Requires:  "The last chunk of a reply has the flag set.",
			Message:   "want a chunk with DONE within 5 s, got 3 chunks without it and then nothing",
			Failures:  wrong(result.Term("end.silence"), wire.ReplyFlagDone),
			Reproduce: "nbdconform run --target qemu-nbd --spec structured.chunk.done-flag",
		},
		result.Spec{
			ID: "meta.list.unknown", Group: "Metadata contexts", Level: "MUST", Verdict: result.Inconclusive, Seconds: 1.2,
			Name: "NBD_OPT_LIST_META_CONTEXT with an unknown namespace lists nothing", Clauses: []string{"opt.list-meta-context.unknown"},
			Message: "the connection was lost before the answer", Requires: "An unknown namespace is no error.",
		},
		result.Spec{ID: "trim.empty", Name: "NBD_CMD_TRIM of nothing is answered", Group: "Commands", Clauses: []string{"cmd.trim.empty"}, Level: "SHOULD", Verdict: result.Warning, Message: "want success, got EINVAL", Failures: wrong(wire.EINVAL, wire.OK), Seconds: 0.02, Section: "Request types: NBD_CMD_TRIM", Requires: "A length of zero has no effect."},
		result.Spec{ID: "opt.info.block-size", Name: "NBD_OPT_INFO tells the block size when asked", Group: "Option haggling", Clauses: []string{"opt.info.block-size"}, Level: "SHOULD", Verdict: result.Warning, Message: "want NBD_INFO_BLOCK_SIZE, got NBD_INFO_EXPORT alone", Failures: wrong(wire.InfoExport, wire.InfoBlockSize), Seconds: 0.01},
		result.Spec{ID: "resize.notice", Name: "A resize is announced", Group: "Commands", Clauses: []string{"ext.resize"}, Level: "MAY", Verdict: result.Unsupported, Message: "neither declared nor advertised"},
		result.Spec{ID: "cache.served", Name: "NBD_CMD_CACHE is served", Group: "Commands", Clauses: []string{"cmd.cache"}, Level: "MAY", Verdict: result.Unsupported, Message: "neither declared nor advertised"},
		result.Spec{ID: "tls.psk", Name: "NBD_OPT_STARTTLS works with a pre-shared key", Group: "TLS", Clauses: []string{"tls.psk"}, Level: "MAY", Verdict: result.Skipped, Message: "no pre-shared key was configured (--tls-psk)"},
	)
	for i := range 4 {
		r.Specs = append(r.Specs, result.Spec{
			ID: fmt.Sprintf("structured.error.%d", i+1), Name: fmt.Sprintf("An error chunk of kind %d ends the reply", i+1), Group: "Structured replies",
			Clauses: []string{"trans.structured.error"}, Level: "MUST", Verdict: result.Blocked, BlockedBy: "trans.structured.done",
			Message: "needs whole structured replies: structured.chunk.done-flag stands in the way",
		})
	}
	r.Observations = []result.Observation{
		{Spec: "read.04", Topic: "order of simultaneous replies", Value: "as the disk answers"},
		{Spec: "option.03", Topic: "answer to an empty NBD_OPT_LIST payload", Value: "accepted"},
	}
	r.Count()
	return r
}

// hostile is what a target that means harm, or a bug of ours, puts into a report.
func hostile() result.Result {
	r := base("evil\x1b[2J\x00</title><script>alert(1)</script>", "日本語", "\u202egnp.exe")
	r.Target.Image = `"><img src=x onerror=alert(1)>`
	r.Target.Export = "naïve ☃ \U0001f468\u200d\U0001f469\u200d\U0001f467"
	r.Reproduce = "nbdconform run --target 'it''s' --uri nbd+unix:///?socket=/" + strings.Repeat("very-long/", 12)
	r.Specs = []result.Spec{
		{
			ID: "ctrl.characters", Name: "Names | with `pipes` & <tags> ]]> stay\x07 text", Group: "<b>Group</b> | \x1b[31mred", Level: "MUST", Verdict: result.Fail,
			Clauses: []string{"a.b", "a.<c>"}, Requires: "Requirement with \x0b vertical tab", Section: "§ <i>Section</i>",
			Message:    "bell \x07 escape \x1b[31m null \x00 invalid \xff\xfe del \x7f c1 \u0085 bidi \u202e sep \u2028 bom \ufeff nonchar \uffff\r\nsecond line\twith a tab\n    indented line that has to be wrapped somewhere because it is far too long for eighty columns",
			Transcript: "```\n</pre></details><script>alert(2)</script>\n\x1b]0;title\x07", Stderr: "]]>\x00\x08", Exit: "exit status 1",
			Reproduce: r.Reproduce + " --spec ctrl.characters", Location: "C:\\specs\\x.go",
		},
		{
			ID: "wide." + strings.Repeat("long-", 30), Name: strings.Repeat("日本語のテスト", 20), Group: strings.Repeat("日本", 30), Level: "SHOULD", Verdict: result.Hang,
			Clauses: []string{strings.Repeat("c", 200)}, Message: strings.Repeat("漢字", 100) + "\n" + strings.Repeat("x", 300),
		},
		{ID: "long.message", Name: "A message of many lines", Group: "long", Level: "MUST", Verdict: result.Crash, Clauses: []string{"l"}, Message: strings.Repeat("a line of the message that says the same thing over and over again, and again\n", 400), Stderr: strings.Repeat("noise\n", 50)},
		{ID: "same.one", Name: "The same name", Group: "long", Level: "MAY", Verdict: result.Pass, Clauses: []string{"l"}, Seconds: 1e-9},
		{ID: "same.two", Name: "The same name", Group: "long", Level: "MAY", Verdict: result.Warning, Clauses: []string{"l"}, Message: "emoji \U0001f600 and e\u0301 accents \x1b[0m", Seconds: 12345.678},
		{ID: "no.group", Name: "A spec without a group", Level: "MAY", Verdict: result.Skipped, Message: "|", Clauses: []string{}},
		{ID: "our.error", Name: "A spec that our side broke", Group: "long", Level: "MUST", Verdict: result.Error, Message: "harness: dialing: no route", Clauses: []string{}},
	}
	r.Observations = []result.Observation{{Spec: "ctrl.characters", Topic: "<u>topic</u>", Value: "va|ue\x1b[1m"}}
	r.Count()
	return r
}

func untrusted() result.Result {
	r := base("nbd-server", "3.26", "trixie")
	r.Specs = []result.Spec{
		{ID: "tls.forced", Name: "Everything but STARTTLS is refused", Group: "TLS", Clauses: []string{"tls.forced"}, Level: "MUST", Verdict: result.Skipped, Message: "no certificates were configured"},
		{ID: "resize.notice", Name: "A resize is announced", Group: "Commands", Clauses: []string{"ext.resize"}, Level: "MAY", Verdict: result.Unsupported, Message: "neither declared nor advertised"},
	}
	r.Count()
	return r
}
