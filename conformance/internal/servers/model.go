package servers

import (
	"context"
	"math/rand/v2"

	. "github.com/onsi/ginkgo/v2"

	"nbdconform/conformance/feature"
	. "nbdconform/conformance/internal/expect"
	. "nbdconform/conformance/internal/match"
	. "nbdconform/conformance/internal/session"
	. "nbdconform/conformance/internal/spec"
	quirk "nbdconform/reference/quirk/server"
	"nbdconform/reference/wire"
)

// A disk is what a window of the export has to hold by all that was answered.
type disk struct {
	s     *Session
	unit  uint64 // of offsets and lengths
	data  []byte
	known []bool              // nothing is known of what was trimmed
	flags []wire.CommandFlags // of NBD_CMD_WRITE_ZEROES; nil: there is no such command
}

// newDisk fills the window of size bytes at the start of the export.
func newDisk(ctx context.Context, s *Session, size uint64) *disk {
	d := &disk{s: s, unit: FactsOf(ctx).Block(), data: s.Write(0, Pattern(1, size)), known: make([]bool, size)}
	d.mark(0, size, true)
	has := FactsOf(ctx).Features
	if has[feature.WriteZeroes] {
		d.flags = []wire.CommandFlags{0, wire.CmdFlagNoHole}
	}
	if has[feature.FastZero] {
		d.flags = append(d.flags, wire.CmdFlagFastZero, wire.CmdFlagFastZero|wire.CmdFlagNoHole)
	}
	return d
}

func (d *disk) mark(at, n uint64, known bool) {
	for i := at; i < at+n; i++ {
		d.known[i] = known
	}
}

// step does something at random.
func (d *disk) step(dice *rand.Rand, seed byte) {
	blocks := uint64(len(d.data)) / d.unit
	at := dice.Uint64N(blocks) * d.unit
	n := min(1+dice.Uint64N(1+dice.Uint64N(blocks/4)), blocks-at/d.unit) * d.unit
	q := wire.Request{Type: wire.CmdWrite, Offset: at, Length: n}
	switch r := dice.IntN(8); {
	case r < 2 && d.flags != nil:
		q.Type, q.Flags = wire.CmdWriteZeroes, d.flags[dice.IntN(len(d.flags))]
		d.effect(q, func() { clear(d.data[at : at+n]); d.mark(at, n, true) })
	case r == 2 && d.s.Flags&wire.FlagSendTrim != 0:
		q.Type = wire.CmdTrim
		d.effect(q, func() { d.mark(at, n, false) })
	case r < 5:
		copy(d.data[at:], d.s.Write(at, Pattern(seed, n)))
		d.mark(at, n, true)
	default:
		d.read(at, n)
	}
}

// effect has a request without a payload done. One that fails must say so
// before it changes anything if it is a fast zero; of others nothing is known.
func (d *disk) effect(q wire.Request, done func()) {
	r := d.s.Do(q)
	Expect(r).To(BeReply())
	switch {
	case r.OK():
		done()
	case q.Flags&wire.CmdFlagFastZero == 0 || r.Error != wire.ENOTSUP:
		d.mark(q.Offset, q.Length, false)
	}
}

// read holds n bytes at offset against what they have to be.
func (d *disk) read(at, n uint64) {
	got := d.s.Read(at, n)
	want := append([]byte(nil), d.data[at:at+n]...)
	for i := range want {
		if !d.known[at+uint64(i)] {
			want[i] = got[i] // whatever it is
		}
	}
	Expect(got).To(HaveBytes(want), "case.offset", at)
}

// told holds what block status says against what the window has to hold.
func (d *disk) told() {
	for _, b := range d.s.Blocks(0, uint64(len(d.data)), 0) {
		if b.Status&wire.StateZero == 0 {
			continue
		}
		for i := b.Offset; i < min(b.End(), uint64(len(d.data))); i++ {
			if d.known[i] && d.data[i] != 0 {
				Expect(b.Status&wire.StateZero).To(BeZero(), "no-state-zero-over-byte", b.Length, b.Offset, i, d.data[i])
			}
		}
	}
}

// window is the part of the export that is modelled, in bytes.
const window = 1 << 18

var _ = Describe("An export", func() {
	// "The server MUST write the data to disk, and then send the reply message"; "it MUST ensure that the data
	// reads back as zero"; of what was trimmed "the client MUST NOT make any assumptions".
	It("holds what a model of it holds after writes, zeroes and trims at random", ID("storage.model"),
		MUST("cmd.write.then-reply", "layout.write.range", "cmd.write-zeroes.reads-zero", "layout.trim.range", "baseline.server.read"),
		Writes(), AtLeast(window),
		TrippedBy(quirk.WriteLostSometimes, "differs"), TrippedBy(quirk.ZeroesRoundedIn, "differs"),
		TrippedBy(quirk.ZeroesRoundedOut, "differs"), TrippedBy(quirk.TrimLate, "differs"),
		func(ctx context.Context) {
			seed := Seed(ctx)
			dice := rand.New(rand.NewPCG(seed, 0))
			for _, mode := range forms(ctx) {
				d := newDisk(ctx, Enter(ctx, mode...), window)
				for i := 0; i < 150 && !Late(ctx); i++ {
					d.step(dice, byte(i))
				}

				d.read(0, window)
			}
		})

	// NBD_STATE_ZERO: "if set, the block contents read as all zeroes".
	It("is told of by block status as it is, whatever happens to it", ID("storage.model-status"),
		MUST("layout.allocation.zero", "cmd.write-zeroes.reads-zero"),
		Needs(feature.BaseAllocation), Writes(), AtLeast(window),
		TrippedBy(quirk.StatusDataAsZero, "want no NBD_STATE_ZERO"),
		func(ctx context.Context) {
			seed := Seed(ctx)
			dice := rand.New(rand.NewPCG(seed, 1))
			d := newDisk(ctx, Enter(ctx, BaseAllocation), window)
			for i := 0; i < 60 && !Late(ctx); i++ {
				d.step(dice, byte(i))

				if i%4 == 0 {
					d.told()
				}
			}
			d.read(0, window)
		})
})
