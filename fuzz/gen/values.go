package gen

import (
	"strings"

	fuzz "github.com/google/gofuzz"

	"nbdconform/reference/wire"
)

// number is one at a border that code gets wrong, or any.
func number(c fuzz.Continue) uint64 {
	if c.RandBool() {
		return c.RandUint64() >> c.Intn(64)
	}
	near := pick[uint64](c, 0, 1<<9, 1<<12, 1<<16, 1<<25, 1<<31, 1<<32, 1<<63)
	return near + pick[uint64](c, 0, 0, 1, 1<<64-1) // and the one before
}

// size is a number that an honest export can have.
func size(c fuzz.Continue) uint64 { return 512 * uint64(c.Intn(1<<16)) }

func bytes(c fuzz.Continue, most int) []byte {
	b := make([]byte, c.Intn(most+1))
	_, _ = c.Read(b) // never fails
	return b
}

// text keeps the rules for strings.
func text(c fuzz.Continue) string {
	switch c.Intn(8) {
	case 0:
		return ""
	case 1:
		return strings.Repeat("x", pick(c, wire.RecommendedString, wire.RecommendedString+1, wire.MaxString))
	case 2, 3:
		return c.RandString()
	}
	return pick(c, "disk", "a/b", " ", "..", "%s", "ディスク", "\ufffd", "\U0001f4be")
}

// badText breaks one of the rules for strings.
func badText(c fuzz.Continue) string {
	return pick(c, "disk\x00", "\x00", "di\x00sk", "\xff", "\xc0\x80", "disk\xce", "\xed\xa0\x80",
		strings.Repeat("x", wire.MaxString+1), strings.Repeat("x", 1<<16-1))
}

// wild is any text at all.
func wild(c fuzz.Continue) string {
	switch c.Intn(3) {
	case 0:
		return text(c)
	case 1:
		return badText(c)
	}
	return string(bytes(c, 300))
}

// contextName is a namespace, a colon and perhaps a leaf-name.
func contextName(c fuzz.Continue) string {
	return pick(c, "base:allocation", "base:", "qemu:dirty-bitmap:b", "qemu:allocation-depth", "x-a:", "x-a:b:c", "x-β:γ")
}

// badContextName lacks the namespace, the colon, or breaks the rules for strings.
func badContextName(c fuzz.Continue) string {
	return pick(c, "", "base", ":", ":allocation", "base:\x00", "base:\xff", "x-a:"+strings.Repeat("x", wire.MaxString))
}

func (g *Gen) errno(v *wire.Errno, c fuzz.Continue) {
	*v = pick(c, wire.EPERM, wire.EIO, wire.ENOMEM, wire.EINVAL, wire.ENOSPC, wire.EOVERFLOW, wire.ENOTSUP, wire.ESHUTDOWN)
	if g.kind == Hostile {
		*v = wire.Errno(number(c))
	}
}
