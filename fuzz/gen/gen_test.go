package gen_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nbdconform/fuzz/gen"
	"nbdconform/reference/wire"
)

const rounds = 300

type validator interface{ Validate() error }

// made makes one value of each type that has rules.
func made(g *gen.Gen, kind gen.Kind) []validator {
	return []validator{
		gen.Make[wire.Greeting](g, kind),
		clientFlags{gen.Make[wire.ClientFlags](g, kind)},
		gen.Make[wire.InfoRequest](g, kind),
		gen.Make[wire.MetaContextRequest](g, kind),
		gen.Make[wire.OptionRequest](g, kind),
		gen.Make[wire.ServerReply](g, kind),
		gen.Make[wire.MetaContext](g, kind),
		gen.Make[wire.SizeConstraints](g, kind),
		gen.Make[wire.ExportInfo](g, kind).Flags,
		gen.Make[wire.ExportNameReply](g, kind).Flags,
		gen.Make[wire.Info](g, kind),
		gen.Make[wire.OptionReply](g, kind),
		gen.Make[wire.Request](g, kind),
		gen.Make[wire.OffsetHole](g, kind),
		gen.Make[wire.BlockStatus](g, kind),
		gen.Make[wire.ErrorChunk](g, kind),
		gen.Make[wire.Chunk](g, kind),
	}
}

type clientFlags struct{ wire.ClientFlags }

func (f clientFlags) Validate() error {
	return f.ClientFlags.Validate(wire.FlagFixedNewstyle | wire.FlagNoZeroes)
}

func TestValidValuesKeepTheRules(t *testing.T) {
	for seed := range int64(rounds) {
		for _, v := range made(gen.New(seed), gen.Valid) {
			if err := v.Validate(); err != nil {
				t.Errorf("seed %d: %T %+v: %v", seed, v, v, err)
			}
		}
	}
}

func TestNearlyValidValuesBreakARule(t *testing.T) {
	for seed := range int64(rounds) {
		for _, v := range made(gen.New(seed), gen.Nearly) {
			if v.Validate() == nil {
				t.Errorf("seed %d: %T %+v is valid", seed, v, v)
			}
		}
	}
}

func TestHostileValuesAreSometimesValidAndSometimesNot(t *testing.T) {
	valid, invalid := map[int]bool{}, map[int]bool{}
	for seed := range int64(rounds) {
		for i, v := range made(gen.New(seed), gen.Hostile) {
			if v.Validate() == nil {
				valid[i] = true
			} else {
				invalid[i] = true
			}
		}
	}
	for i, v := range made(gen.New(0), gen.Valid) {
		if !valid[i] || !invalid[i] {
			t.Errorf("%T: valid %t, invalid %t in %d tries", v, valid[i], invalid[i], rounds)
		}
	}
}

func TestASeedDeterminesTheSequence(t *testing.T) {
	sequence := func(g *gen.Gen) []any {
		var all []any
		for _, kind := range []gen.Kind{gen.Valid, gen.Nearly, gen.Hostile} {
			for _, v := range made(g, kind) {
				all = append(all, v)
			}
			all = append(all, g.Corrupt([]byte("NBDMAGICIHAVEOPT")))
		}
		return all
	}
	data := bytes.Repeat([]byte("some seed "), 100)
	for name, start := range map[string]func() *gen.Gen{
		"a number":     func() *gen.Gen { return gen.New(42) },
		"bytes":        func() *gen.Gen { return gen.FromBytes(data) },
		"no bytes":     func() *gen.Gen { return gen.FromBytes(nil) },
		"a lone byte":  func() *gen.Gen { return gen.FromBytes(data[:1]) },
		"all ones":     func() *gen.Gen { return gen.FromBytes(bytes.Repeat([]byte{0xff}, 4096)) },
		"all zeroes":   func() *gen.Gen { return gen.FromBytes(make([]byte, 4096)) },
		"another seed": func() *gen.Gen { return gen.New(-1) },
	} {
		first := sequence(start())
		if d := cmp.Diff(first, sequence(start())); d != "" {
			t.Errorf("%s makes one thing and then another:\n%s", name, d)
		}
	}
	if cmp.Equal(sequence(gen.New(1)), sequence(gen.New(2))) {
		t.Error("two seeds make the same")
	}
}

func TestCorruptChangesACopy(t *testing.T) {
	b := []byte("NBDMAGICIHAVEOPT")
	changed := 0
	for seed := range int64(rounds) {
		if !bytes.Equal(gen.New(seed).Corrupt(b), b) {
			changed++
		}
	}
	if string(b) != "NBDMAGICIHAVEOPT" {
		t.Errorf("changed its input to %q", b)
	}
	if changed < rounds*9/10 {
		t.Errorf("did damage %d times in %d", changed, rounds)
	}
	if got := gen.New(1).Corrupt(nil); len(got) > 200 {
		t.Errorf("made %d bytes of none", len(got))
	}
}

func TestKinds(t *testing.T) {
	for n, want := range map[uint8]string{0: "valid", 1: "nearly valid", 2: "hostile", 3: "valid", 255: "valid"} {
		if got := gen.KindOf(n).String(); got != want {
			t.Errorf("kind of %d: %s, want %s", n, got, want)
		}
	}
	if got := gen.Kind(7).String(); got != "Kind(7)" {
		t.Errorf("got %s", got)
	}
}

func TestFillMakesSlicesOfMessages(t *testing.T) {
	for seed := range int64(20) {
		for _, q := range gen.Make[[]wire.Request](gen.New(seed), gen.Valid) {
			if err := q.Validate(); err != nil {
				t.Errorf("seed %d: %v: %v", seed, q, err)
			}
		}
	}
}
