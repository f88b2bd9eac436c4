package gen

import (
	"slices"

	fuzz "github.com/google/gofuzz"
)

// Corrupt returns a copy of an encoded message with a little damage: changed
// bits, a number at a border in the place of another, bytes missing, said
// twice or slipped in. The result may be empty; it may also be valid.
func (g *Gen) Corrupt(b []byte) []byte {
	d := damage{bytes: slices.Clone(b)}
	g.fuzz.Fuzz(&d)
	return d.bytes
}

type damage struct{ bytes []byte }

func (d *damage) some(c fuzz.Continue) {
	for range 1 + c.Intn(3) {
		d.once(c)
	}
}

func (d *damage) once(c fuzz.Continue) {
	n := len(d.bytes)
	if n == 0 {
		d.bytes = bytes(c, 40)
		return
	}
	at := c.Intn(n)
	switch c.Intn(6) {
	case 0:
		d.bytes[at] ^= 1 << c.Intn(8)
	case 1: // 1, 2, 4 or 8 bytes, big-endian
		v, width := number(c), 1<<c.Intn(4)
		for i := range min(width, n-at) {
			d.bytes[at+i] = byte(v >> (8 * (width - 1 - i)))
		}
	case 2:
		d.bytes = d.bytes[:at]
	case 3:
		d.bytes = slices.Delete(d.bytes, at, at+1+c.Intn(n-at))
	case 4:
		d.bytes = slices.Insert(d.bytes, at, bytes(c, 16)...)
	case 5:
		d.bytes = append(d.bytes, d.bytes[at:]...)
	}
}
