package script

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nbdconform/reference/wire"
)

const sample = `profile read-only
0 flags FIXED_NEWSTYLE|NO_ZEROES glue
0 NBD_OPT_STRUCTURED_REPLY
0 NBD_OPT_GO export="a \"name\" with\x00blanks" info=NBD_INFO_BLOCK_SIZE info=InfoType(77) announce=4294967295
1 NBD_OPT_SET_META_CONTEXT export="@0" query="base:allocation" query="" split=7
1 Option(99) data=0001ff
1 NBD_OPT_LIST data=
0 NBD_CMD_WRITE offset=end-512 length=512 flags=FUA|0x40 cookie=0x7 fill=3 nowait
0 NBD_CMD_BLOCK_STATUS offset=0 length=4096 contexts=0,99 bare
0 Command(77) offset=0 length=0 anyway
0 raw 49484156
0 NBD_CMD_DISC
0 await
1 half-close
2 close
`

func TestTextReadsBack(t *testing.T) {
	s, err := Parse("# a seed\n\n" + sample)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(sample, s.String()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if s.Conns() != 3 {
		t.Errorf("got %d connections", s.Conns())
	}
}

func TestGeneratedScriptsReadBack(t *testing.T) {
	for seed := range uint64(500) {
		s := Generate(seed, Options{Profiles: []string{"default", "huge"}})
		got, err := Parse(s.String())
		if d := cmp.Diff(s.String(), got.String()); err != nil || d != "" {
			t.Fatalf("seed %d: %v (-want +got):\n%s", seed, err, d)
		}
	}
}

func TestAnyBytesAreAScript(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		b := make([]byte, r.IntN(100))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		s := Decode(b, Options{})
		if len(b) > 0 && len(s.Ops) == 0 || len(s.Ops) > 200 {
			t.Fatalf("%x became %d operations", b, len(s.Ops))
		}
		if d := cmp.Diff(s, Decode(b, Options{})); d != "" {
			t.Fatalf("twice the same bytes:\n%s", d)
		}
	}
}

// A valid client never sends what the document rules out.
func TestValidScriptsAreValid(t *testing.T) {
	for seed := range uint64(500) {
		s := Generate(seed, Options{Tempers: []Temper{Valid}})
		for _, o := range s.Ops {
			if o.Kind == Request {
				if err := o.Request.Validate(); err != nil {
					t.Errorf("seed %d: %v", seed, err)
				}
			}
			if o.Kind == Raw || o.Kind == Half || o.Announce != nil {
				t.Errorf("seed %d: %v", seed, o)
			}
		}
	}
}

func TestErrorsSayWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"0":                             "is no operation",
		"9 await":                       "connection",
		"0 jump":                        "is no verb",
		"0 NBD_OPT_GO export=\"x":       "quote",
		"0 raw xyz":                     "invalid byte",
		"0 raw":                         "lacks",
		"0 flags NOT_A_FLAG":            "is no flag",
		"0 NBD_CMD_READ speed=9":        "no operation has this",
		"0 NBD_CMD_READ offset=nowhere": "invalid syntax",
		"0 NBD_OPT_GO info=rumours":     "is no information",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

func TestShrinkKeepsWhatFails(t *testing.T) {
	s, err := Parse(sample)
	if err != nil {
		t.Fatal(err)
	}
	fails := func(s Script) bool {
		write, after := false, false
		for _, o := range s.Ops {
			write = write || o.Kind == Request && o.Request.Type == wire.CmdWrite && o.Request.Flags&wire.CmdFlagFUA != 0
			after = after || write && o.Kind == Await
		}
		return after
	}
	got := Shrink(s, 1000, fails)
	want := "0 NBD_CMD_WRITE offset=0 length=1 flags=FUA|0x40 fill=1\n0 await\n"
	if got.String() != want {
		t.Errorf("got\n%vwant\n%v", got, want)
	}
	if n := 0; true {
		Shrink(s, 5, func(Script) bool { n++; return true })
		if n > 5 {
			t.Errorf("asked %d times", n)
		}
	}
}

func TestMutationsReadBack(t *testing.T) {
	a, b := Generate(1, Options{}), Generate(2, Options{})
	changed := 0
	for seed := range uint64(300) {
		m := a.Mutate(seed, b, Options{})
		if m.String() != a.String() {
			changed++
		}
		if got, err := Parse(m.String()); err != nil || got.String() != m.String() {
			t.Fatalf("seed %d: %v\n%v", seed, err, m)
		}
	}
	if changed < 200 {
		t.Errorf("%d of 300 mutants differ", changed)
	}
}
