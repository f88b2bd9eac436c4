package wire_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// extensions are constants that no document has, each with the reason.
var extensions = map[string]string{
	"success":             "the document has no name for the error value 0",
	"NBD_INFO_INIT_STATE": "from the INIT_STATE proposal",
	"NBD_INIT_SPARSE":     "from the INIT_STATE proposal",
	"NBD_INIT_ZERO":       "from the INIT_STATE proposal",
}

// magicNames are what the document calls our magic numbers.
var magicNames = map[string]string{
	"InitPasswd":          "NBDMAGIC",
	"CliservMagic":        "cliserv_magic",
	"OptionMagic":         "IHAVEOPT",
	"OptionReplyMagic":    "magic number for replies",
	"RequestMagic":        "NBD_REQUEST_MAGIC",
	"SimpleReplyMagic":    "NBD_SIMPLE_REPLY_MAGIC",
	"StructuredMagic":     "NBD_STRUCTURED_REPLY_MAGIC",
	"ExtendedRequest":     "NBD_EXTENDED_REQUEST_MAGIC",
	"ExtendedReply":       "NBD_EXTENDED_REPLY_MAGIC",
	"HistoricRequest":     "Historic value for NBD_REQUEST_MAGIC",
	"HistoricReply":       "Historic value for NBD_REPLY_MAGIC",
	"TransactionLogMagic": "Used by nbd-server to store data log flags in the",
}

// ourConstants are the package's constants that a document can define, by the document's names.
func ourConstants(t *testing.T) map[string]uint64 {
	ours := map[string]uint64{}
	for _, c := range readSource(t).consts {
		if _, ok := named[c.typ]; ok {
			ours[c.comment] = c.value
		} else if name, ok := magicNames[c.name]; ok {
			ours[name] = c.value
		}
	}
	return ours
}

// Where the document gives a value to a name.
var (
	values     = regexp.MustCompile("`(NBD_[A-Z_]+)` \\((?:(\\d+)|2\\^(\\d+) \\+ (\\d+))\\)")
	bits       = regexp.MustCompile("(?m)^- bit (\\d+), `(NBD_[A-Z_]+)`")
	stateBits  = regexp.MustCompile("`(NBD_[A-Z_]+)` \\(bit (\\d+)\\)")
	asciiMagic = regexp.MustCompile("`0x([0-9a-fA-F]+)` \\(ASCII '`([A-Z]+)`'\\)")
	namedMagic = regexp.MustCompile("`0x([0-9a-fA-F]+)` \\(`?([a-z][a-z_ ]+)")
	inline     = regexp.MustCompile("0x([0-9a-fA-F]{8,})(?:, magic \\(| )`(NBD_[A-Z_]+)`")
	reserved   = regexp.MustCompile("(?m)^0x([0-9a-fA-F]+) - `?([A-Za-z][^,`\n]*)")
	anyNumber  = regexp.MustCompile("0x([0-9a-fA-F]{8,})")
)

// defines collects the constants that a document defines, and complains about
// one that has two values and about long hex numbers without a name.
func defines(document string) (theirs map[string]uint64, complaints []string) {
	theirs = map[string]uint64{}
	numbers := map[uint64]bool{0xdeadbeef: true, 0xffffffff: true} // an example, and a size without limit
	define := func(name, digits string, base int, plus uint64) {
		v, err := strconv.ParseUint(digits, base, 64)
		if err != nil {
			complaints = append(complaints, fmt.Sprintf("%s: %v", name, err))
			return
		}
		v += plus
		if old, ok := theirs[name]; ok && old != v {
			complaints = append(complaints, fmt.Sprintf("%s has two values in the document, %#x and %#x", name, old, v))
		}
		theirs[name], numbers[v] = v, true
	}
	power := func(exponent string) uint64 {
		n, _ := strconv.Atoi(exponent)
		return 1 << n
	}
	for _, m := range values.FindAllStringSubmatch(document, -1) {
		if m[2] != "" {
			define(m[1], m[2], 10, 0)
		} else {
			define(m[1], m[4], 10, power(m[3]))
		}
	}
	for _, m := range bits.FindAllStringSubmatch(document, -1) {
		define(m[2], "0", 10, power(m[1]))
	}
	for _, m := range stateBits.FindAllStringSubmatch(document, -1) {
		define(m[1], "0", 10, power(m[2]))
	}
	for _, re := range []*regexp.Regexp{asciiMagic, namedMagic, inline, reserved} {
		for _, m := range re.FindAllStringSubmatch(document, -1) {
			define(strings.TrimSpace(m[2]), m[1], 16, 0)
		}
	}
	for _, m := range anyNumber.FindAllStringSubmatch(document, -1) {
		if v, err := strconv.ParseUint(m[1], 16, 64); err != nil || !numbers[v] {
			complaints = append(complaints, "the document has the number 0x"+m[1]+" and no name for it")
		}
	}
	return theirs, complaints
}

// compare complains about every difference between our constants and those of a document.
func compare(ours map[string]uint64, document string) []string {
	theirs, complaints := defines(document)
	for name, v := range theirs {
		if our, ok := ours[name]; !ok {
			complaints = append(complaints, fmt.Sprintf("the document has %s = %#x, we lack it", name, v))
		} else if our != v {
			complaints = append(complaints, fmt.Sprintf("%s is %#x in the document and %#x here", name, v, our))
		}
	}
	for name, v := range ours {
		if _, ok := theirs[name]; !ok && extensions[name] == "" {
			complaints = append(complaints, fmt.Sprintf("we have %s = %#x, the document lacks it", name, v))
		}
	}
	slices.Sort(complaints)
	return complaints
}

// documents are the paths in NBD_PROTO, which must exist, or those of the
// documents that lie beside a checkout of the project.
func documents(t *testing.T) []string {
	if list := os.Getenv("NBD_PROTO"); list != "" {
		return filepath.SplitList(list)
	}
	var found []string
	for _, name := range []string{"proto.md", "proto-extended-headers.md"} {
		path := filepath.Join("..", "..", "..", "shared", "spec", name)
		if _, err := os.Stat(path); err == nil {
			found = append(found, path)
		}
	}
	if len(found) == 0 {
		t.Skip("no protocol document at hand: set NBD_PROTO to the path of proto.md")
	}
	return found
}

func TestConstantsAreThoseOfTheDocument(t *testing.T) {
	ours := ourConstants(t)
	for _, path := range documents(t) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatalf("NBD_PROTO: %v", err)
		}
		for _, complaint := range compare(ours, string(text)) {
			t.Errorf("%s: %s", filepath.Base(path), complaint)
		}
	}
}

// document writes a document of our own with nothing but constants.
func document(t *testing.T) string {
	var b strings.Builder
	for _, c := range readSource(t).consts {
		switch {
		case c.comment == "success":
		case c.typ == "StateFlags":
			fmt.Fprintf(&b, "- `%s` (bit %d): if set\n", c.comment, c.value/2)
		case strings.HasSuffix(c.typ, "Flags"):
			fmt.Fprintf(&b, "- bit %d, `%s`; if set\n", len(strconv.FormatUint(c.value, 2))-1, c.comment)
		case c.value > 1<<31 && c.typ == "ReplyType":
			fmt.Fprintf(&b, "* `%s` (2^31 + %d)\n", c.comment, c.value-1<<31)
		case c.value > 1<<15 && c.typ == "ChunkType":
			fmt.Fprintf(&b, "* `%s` (2^15 + %d)\n", c.comment, c.value-1<<15)
		case named[c.typ] != nil:
			fmt.Fprintf(&b, "* `%s` (%d)\n", c.comment, c.value)
		case strings.HasPrefix(magicNames[c.name], "NBD_"):
			fmt.Fprintf(&b, "S: 32 bits, %#x, magic (`%s`)  \n", c.value, magicNames[c.name])
		case strings.ToUpper(magicNames[c.name]) == magicNames[c.name] && magicNames[c.name] != "":
			fmt.Fprintf(&b, "S: 64 bits, `%#x` (ASCII '`%s`')  \n", c.value, magicNames[c.name])
		case magicNames[c.name] == "cliserv_magic":
			fmt.Fprintf(&b, "S: 64 bits, `%#x` (`cliserv_magic`, a magic number)  \n", c.value)
		case magicNames[c.name] == "magic number for replies":
			fmt.Fprintf(&b, "S: 64 bits, `%#x` (magic number for replies)  \n", c.value)
		case magicNames[c.name] != "":
			fmt.Fprintf(&b, "%#x - %s, and more\n", c.value, magicNames[c.name])
		}
	}
	return b.String()
}

// That a comparison passes means something only if it can fail. The line
// patterns occur in the real document as well, so that this also shows them to fit it.
func TestComparisonNoticesADoctoredDocument(t *testing.T) {
	ours := ourConstants(t)
	texts := map[string]string{"our own": document(t)}
	if os.Getenv("NBD_PROTO") != "" {
		for _, path := range documents(t) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatalf("NBD_PROTO: %v", err)
			}
			texts[filepath.Base(path)] = string(text)
		}
	}
	for _, c := range []struct{ name, old, new, complaint string }{
		{"another option", "`NBD_OPT_GO` (7)", "`NBD_OPT_GO` (17)", "NBD_OPT_GO is 0x11 in the document and 0x7 here"},
		{"another reply type", "(2^31 + 9)", "(2^31 + 19)", "NBD_REP_ERR_TOO_BIG is 0x80000013 in the document and 0x80000009 here"},
		{"another kind of reply type", "(2^31 + 4)", "(2^30 + 4)", "NBD_REP_ERR_PLATFORM is 0x40000004 in the document and 0x80000004 here"},
		{"another chunk type", "(2^15 + 2)", "(2^15 + 3)", "NBD_REPLY_TYPE_ERROR_OFFSET is 0x8003 in the document and 0x8002 here"},
		{"another error", "`NBD_ENOTSUP` (95)", "`NBD_ENOTSUP` (45)", "NBD_ENOTSUP is 0x2d in the document and 0x5f here"},
		{"another bit", "- bit 8, `NBD_FLAG_CAN_MULTI_CONN`", "- bit 9, `NBD_FLAG_CAN_MULTI_CONN`", "NBD_FLAG_CAN_MULTI_CONN is 0x200 in the document and 0x100 here"},
		{"another bit of a state", "`NBD_STATE_ZERO` (bit 1)", "`NBD_STATE_ZERO` (bit 2)", "NBD_STATE_ZERO is 0x4 in the document and 0x2 here"},
		{"another magic", "0x25609513", "0x25609512", "NBD_REQUEST_MAGIC is 0x25609512 in the document and 0x25609513 here"},
		{"another long magic", "0x3e889045565a9", "0x3e889045565a8", "magic number for replies is 0x3e889045565a8 in the document and 0x3e889045565a9 here"},
		{"a new command", "* `NBD_CMD_RESIZE` (8)", "* `NBD_CMD_RESIZE` (8)\n* `NBD_CMD_COPY` (9)", "the document has NBD_CMD_COPY = 0x9, we lack it"},
		{"a command less", "* `NBD_CMD_RESIZE` (8)", "", "we have NBD_CMD_RESIZE = 0x8, the document lacks it"},
		{"a flag less", "- bit 4, `NBD_FLAG_ROTATIONAL`", "- bit 4", "we have NBD_FLAG_ROTATIONAL = 0x10, the document lacks it"},
		{"a new number", "* `NBD_CMD_RESIZE` (8)", "* `NBD_CMD_RESIZE` (8), 0x0badcafe", "the document has the number 0x0badcafe and no name for it"},
	} {
		for where, text := range texts {
			if !strings.Contains(text, c.old) {
				t.Errorf("%s: %s document lacks %q", c.name, where, c.old)
			}
			got := compare(ours, strings.ReplaceAll(text, c.old, c.new))
			if !slices.Equal(got, []string{c.complaint}) {
				t.Errorf("%s in %s document: got\n\t%s\nwant\n\t%s", c.name, where, strings.Join(got, "\n\t"), c.complaint)
			}
		}
	}
}

func TestOurOwnDocumentAgreesWithUs(t *testing.T) {
	for _, complaint := range compare(ourConstants(t), document(t)) {
		t.Error(complaint)
	}
}
