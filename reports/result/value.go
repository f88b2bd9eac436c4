package result

import (
	"encoding/hex"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode"
)

// A Value is one value that a failure speaks of: what was sent, allowed or
// received. It keeps the value and its type, and no sentence.
type Value struct {
	// Type says what the value is: "number", "name", "text", "bytes",
	// "duration", "truth", "list", "term", or the name of a type of the protocol
	// such as "reply-type".
	Type string `json:"type"`
	// Name is the symbol of a number, a short name, or the code of a term.
	Name string `json:"name,omitempty"`
	// Number is the value of a number, the length of bytes, or a duration in
	// nanoseconds.
	Number uint64 `json:"number,omitempty"`
	// Text is what has no symbol: free text, or the first bytes in hex.
	Text string `json:"text,omitempty"`
	// Values are the elements of a list, or what a term speaks of.
	Values []Value `json:"values,omitempty"`
}

// The types of values that are not types of the protocol.
const (
	NumberValue   = "number"
	NameValue     = "name"
	TextValue     = "text"
	BytesValue    = "bytes"
	DurationValue = "duration"
	TruthValue    = "truth"
	ListValue     = "list"
	LinesValue    = "lines" // a list that is shown line by line; the order says nothing of the kind of failure
	TermValue     = "term"
)

// A Valuer knows which value it is.
type Valuer interface{ Value() Value }

// Term is a notion with the values that belong to it. Package render/words has
// its text.
func Term(code string, values ...any) Value {
	return Value{Type: TermValue, Name: code, Values: ValuesOf(values...)}
}

// Text is a text that is no name, however short: it may differ from run to run.
func Text(s string) Value { return Value{Type: TextValue, Text: strings.ToValidUTF8(s, "\uFFFD")} }

// Shown is a value of the protocol that is known by a name, and shown in full by
// a text.
func Shown(kind, name, text string) Value {
	return Value{Type: kind, Name: name, Text: strings.ToValidUTF8(text, "\uFFFD")}
}

// Lines is a list that is shown line by line.
func Lines(list ...Value) Value {
	return Value{Type: LinesValue, Number: uint64(len(list)), Values: list[:min(len(list), maxList)]}
}

// ValuesOf makes values of what Go has.
func ValuesOf(list ...any) []Value {
	var values []Value
	for _, v := range list {
		values = append(values, ValueOf(v))
	}
	return values
}

const (
	maxBytes = 64  // bytes of a value of bytes that are kept
	maxName  = 64  // bytes of a name; what is longer is text
	maxList  = 256 // elements of a list that are kept
)

// ValueOf makes a value of what Go has: a number, a number with a symbol
// (fmt.Stringer), a string, bytes, a duration, a list. Anything else becomes
// text.
func ValueOf(v any) Value {
	switch v := v.(type) {
	case nil:
		return Text("nothing")
	case Value:
		return v
	case Valuer:
		return v.Value()
	case time.Duration:
		return Value{Type: DurationValue, Number: uint64(max(v, 0))}
	case []byte:
		return Value{Type: BytesValue, Number: uint64(len(v)), Text: hex.EncodeToString(v[:min(len(v), maxBytes)])}
	case string:
		return nameOrText(v)
	}
	r := reflect.ValueOf(v)
	s, named := v.(fmt.Stringer)
	err, failed := v.(error)
	switch {
	case r.CanUint() || r.CanInt():
		n, negative := magnitude(r)
		switch {
		case named:
			return Value{Type: kebab(r.Type().Name()), Name: s.String(), Number: n}
		case negative:
			return Text(fmt.Sprint(v))
		}
		return Value{Type: NumberValue, Number: n}
	case failed:
		return Text(err.Error())
	case named:
		return Value{Type: kebab(r.Type().Name()), Text: strings.ToValidUTF8(s.String(), "\uFFFD")}
	case r.Kind() == reflect.Bool:
		if r.Bool() {
			return Value{Type: TruthValue, Number: 1}
		}
		return Value{Type: TruthValue}
	case r.Kind() == reflect.String:
		return nameOrText(r.String())
	case r.Kind() == reflect.Slice || r.Kind() == reflect.Array:
		list := Value{Type: ListValue, Number: uint64(r.Len())}
		for i := range min(r.Len(), maxList) {
			list.Values = append(list.Values, ValueOf(r.Index(i).Interface()))
		}
		return list
	}
	return Text(fmt.Sprintf("%+v", v))
}

func magnitude(r reflect.Value) (n uint64, negative bool) {
	if r.CanUint() {
		return r.Uint(), false
	}
	if i := r.Int(); i < 0 {
		return uint64(-i), true
	}
	return uint64(r.Int()), false
}

// nameOrText takes short words for names. Sentences are text: a server may put
// them in other words the next time.
func nameOrText(s string) Value {
	if s == "" || len(s) > maxName || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) || r == '\\' }) {
		return Text(s)
	}
	return Value{Type: NameValue, Name: s}
}

// kebab is the name of a Go type in lower case with hyphens.
func kebab(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		first := i > 0 && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1]))
		if unicode.IsUpper(r) && first {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	if b.Len() == 0 {
		return "value"
	}
	return b.String()
}

// Nothing is the value that says that nothing is wrong.
var Nothing Value

// None reports whether v is [Nothing].
func (v Value) None() bool { return v.Type == "" }
