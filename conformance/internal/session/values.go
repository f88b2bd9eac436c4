package session

import (
	"fmt"

	"nbdconform/reference/wire"
	"nbdconform/reports/result"
)

// Value implements [result.Valuer].
func (e End) Value() result.Value {
	return result.Term([...]string{"end.complete", "end.hung-up", "end.silence", "end.malformed"}[e])
}

// Value implements [result.Valuer].
func (h HangUp) Value() result.Value {
	end := h.End.Value()
	if h.End == Silence {
		end = result.Term("end.stayed-open")
	}
	if len(h.Rest) > 0 {
		return result.Term("end.after-bytes", end, len(h.Rest), h.Rest[:min(len(h.Rest), shownBytes)])
	}
	return end
}

// Value implements [result.Valuer].
func (a Answer) Value() result.Value {
	var lines []result.Value
	for _, p := range a.Replies {
		lines = append(lines, result.Shown("option-reply", p.Type.String(), p.String()))
	}
	lines = append(lines, ending(a.End, a.Err)...)
	return result.Term("exchange", result.Shown("option", a.Request.Option.String(), a.Request.String()), result.Lines(lines...))
}

// Value implements [result.Valuer].
func (r Reply) Value() result.Value {
	var lines []result.Value
	switch {
	case r.Simple && r.End == Complete:
		values := []any{r.Error}
		code := "exchange.simple"
		if len(r.Data) > 0 {
			code = "exchange.simple-data"
			values = append(values, len(r.Data), r.Data[:min(len(r.Data), shownBytes)])
		}
		if r.LBA != nil {
			code = "exchange.simple-lba"
			values = []any{r.Error, len(r.LBA), r.LBA[:min(len(r.LBA), 16)]}
		}
		lines = append(lines, result.Term(code, values...))
	default:
		for _, c := range r.Chunks {
			lines = append(lines, chunk(c))
		}
	}
	lines = append(lines, ending(r.End, r.Err)...)
	return result.Term("exchange.request", result.Shown("request", r.Request.Type.String(), r.Request.String()), result.Lines(lines...))
}

func chunk(c wire.Chunk) result.Value {
	text := c.String()
	if c.Type.IsError() {
		if e, err := wire.ParseErrorChunk(c.Type, c.Payload); err == nil {
			text += fmt.Sprintf(" %v %q", e.Error, e.Message)
		}
	}
	if len(c.Payload) > 0 {
		text += ": " + excerpt(c.Payload)
	}
	return result.Shown("chunk", c.Type.String(), text)
}

// ending is the line for an exchange that is not complete.
func ending(e End, err error) []result.Value {
	if e == Complete {
		return nil
	}
	if err != nil && e != Silence {
		return []result.Value{result.Term("end.with-error", e, err)}
	}
	return []result.Value{e.Value()}
}

// shownBytes is how much of a payload is shown, in bytes.
const shownBytes = 32

// Value implements [result.Valuer].
func (b Block) Value() result.Value {
	return result.Term("block", b.Status, b.Offset, b.End())
}
