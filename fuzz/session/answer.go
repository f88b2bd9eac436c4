package session

import (
	"fmt"
	"strings"

	"nbdconform/fuzz/internal/model"
	"nbdconform/reference/wire"
)

// An Answer is how something that was asked was answered, in words that are the
// same for all servers that answer alike: neither contents nor cookies, sizes or
// texts are in it.
type Answer struct {
	Conn, Op int // what asked: the connection and the operation of the script
	Mode     Mode
	Asked    string
	Said     string
}

// What becomes of what has no answer.
const (
	HangsUp  = "hangs up"
	NoAnswer = "does not answer"
)

// told keeps an answer.
func (l *link) told(op int, asked, said string) {
	if l.target.Trace && l.id >= 0 {
		l.result.Answers = append(l.result.Answers, Answer{Conn: l.id, Op: op, Mode: l.mode(), Asked: asked, Said: said})
	}
}

// unanswered keeps what became of the oldest thing that has no answer. What is
// behind it is a consequence.
func (l *link) unanswered(said string) {
	switch {
	case len(l.options) > 0:
		l.told(l.options[0].op, l.options[0].Option.String(), said)
	case len(l.requests) > 0:
		l.told(l.requests[0].op, requestText(l.requests[0].Request), said)
	}
}

func requestText(q wire.Request) string {
	s := q.Type.String()
	if f := q.Flags &^ wire.CmdFlagPayloadLen; f != 0 {
		s += " " + f.String()
	}
	if q.Length == 0 && q.Type != wire.CmdFlush {
		s += " of no bytes"
	}
	return s
}

// optionAnswer names the types of the replies, each run of the same once.
func optionAnswer(replies []wire.OptionReply) string {
	var words []string
	for _, r := range replies {
		w := r.Type.String()
		if r.Type == wire.RepInfo {
			if i, err := wire.ParseInfo(r.Data); err == nil {
				w = i.Type.String()
			}
		}
		if n := len(words); n == 0 || words[n-1] != w {
			words = append(words, w)
		}
	}
	return strings.Join(words, ", ")
}

func requestAnswer(a model.Answer) string {
	if a.Failed {
		return fmt.Sprint(a.Error)
	}
	if len(a.Statuses) > 0 {
		return fmt.Sprintf("success, status of %d contexts", len(a.Statuses))
	}
	return "success"
}
