package encounter

import (
	"strings"

	"nbdconform/conformance/internal/expect"
	"nbdconform/reference/wire"
	"nbdconform/reports/result"
)

// An Expectation is a matcher for visits.
type Expectation struct {
	expect.Matcher
	wrong func(*Visit) result.Value
}

// Accepts reports whether nothing is wrong with a visit.
func (m *Expectation) Accepts(v *Visit) bool { return m.wrong(v).None() }

// Want makes a matcher of what is wanted and a function that says what is
// wrong with a visit, or [result.Nothing].
func Want(want result.Value, wrong func(*Visit) result.Value) *Expectation {
	return &Expectation{expect.Make(want, wrong), wrong}
}

// GoWell matches a visit in which the program reports success, and it is true.
func GoWell() *Expectation { return Want(result.Term("client.success"), (*Visit).Wrong) }

// TellNoLie matches a visit in which the program fails, or succeeds in truth.
func TellNoLie() *Expectation {
	return Want(result.Term("client.truth"), (*Visit).Untrue)
}

// GoWrong matches a visit in which the program does not report success.
func GoWrong() *Expectation {
	return Want(result.Term("client.failure"), func(v *Visit) result.Value {
		if v.Report.Succeeded() {
			return result.Term("client.reports-success")
		}
		return result.Nothing
	})
}

// EndHard matches a visit in which the program ends each session that went
// wrong without NBD_CMD_DISC, and reports no success. A program may come again.
func EndHard() *Expectation {
	return Want(result.Term("client.hard-disconnect"), func(v *Visit) result.Value {
		for _, c := range v.Conns {
			for _, q := range c.AfterProvocation() {
				if q.Type == wire.CmdDisc {
					return result.Term("client.soft-disconnect-sent")
				}
			}
		}
		if v.Report.Succeeded() {
			return result.Term("client.program-reports-success")
		}
		return result.Nothing
	})
}

// EndSoft matches a visit in which each session that went wrong ends with NBD_CMD_DISC,
// and no other request comes but those that were on their way.
func EndSoft() *Expectation { return endSoft }

// EndedSoft reports whether each session that went wrong ended with NBD_CMD_DISC.
func EndedSoft(v *Visit) bool { return endSoft.Accepts(v) }

var endSoft = Want(result.Term("client.soft-disconnect"), func(v *Visit) result.Value {
	for _, c := range v.Conns {
		if c.Provoked && !c.Asked(wire.CmdDisc) {
			var sent []string
			for _, q := range c.AfterProvocation() {
				sent = append(sent, q.Type.String())
			}
			return result.Term("client.ends-without", strings.Join(sent, " "))
		}
	}
	return result.Nothing
})

// SendNo matches a visit without the commands.
func SendNo(commands ...wire.Command) *Expectation {
	return Want(result.Term("client.none-of", commands), func(v *Visit) result.Value {
		for _, c := range v.Conns {
			for _, t := range commands {
				if c.Asked(t) {
					return result.Term("client.sends", t)
				}
			}
		}
		return result.Nothing
	})
}

// Use matches a visit in which the option is sent on every connection.
func Use(o wire.Option) *Expectation {
	return Want(result.ValueOf(o), func(v *Visit) result.Value {
		if len(v.Conns) == 0 {
			return result.Term("program-never-connects")
		}
		for _, c := range v.Conns {
			if !c.Sent(o) {
				return result.Term("client.options", names(c.Options))
			}
		}
		return result.Nothing
	})
}

// UseNo matches a visit in which none of the options is sent.
func UseNo(options ...wire.Option) *Expectation {
	return Want(result.Term("client.none-of", options), func(v *Visit) result.Value {
		for _, c := range v.Conns {
			if c.Sent(options...) {
				return result.Term("client.options", names(c.Options))
			}
		}
		return result.Nothing
	})
}

func names(options []wire.OptionRequest) []wire.Option {
	var list []wire.Option
	for _, o := range options {
		list = append(list, o.Option)
	}
	return list
}
