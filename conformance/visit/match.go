package visit

import (
	"fmt"
	"strings"

	"github.com/onsi/gomega/types"

	"nbdconform/reference/wire"
)

// matcher accepts visits that wrong finds nothing wrong with.
type matcher struct {
	want  string
	wrong func(*Visit) string
	found string
}

func (m *matcher) Match(actual any) (bool, error) {
	v, ok := actual.(*Visit)
	if !ok {
		return false, fmt.Errorf("the spec gave a %T to a matcher for visits", actual)
	}
	m.found = m.wrong(v)
	return m.found == "", nil
}

func (m *matcher) FailureMessage(actual any) string {
	return fmt.Sprintf("want %s; %s\n%v", m.want, m.found, actual)
}

func (m *matcher) NegatedFailureMessage(actual any) string {
	return fmt.Sprintf("want anything but %s\n%v", m.want, actual)
}

// An Expectation is a matcher for visits.
type Expectation = matcher

// Want makes a matcher of what is wanted and a function that says what is
// wrong with a visit, or "".
func Want(want string, wrong func(*Visit) string) *Expectation {
	return &matcher{want: want, wrong: wrong}
}

// GoWell matches a visit in which the program reports success, and it is true.
func GoWell() types.GomegaMatcher { return &matcher{want: "success", wrong: (*Visit).Wrong} }

// TellNoLie matches a visit in which the program fails, or succeeds in truth.
func TellNoLie() types.GomegaMatcher {
	return &matcher{want: "failure, or success that is true", wrong: (*Visit).Untrue}
}

// GoWrong matches a visit in which the program does not report success.
func GoWrong() types.GomegaMatcher {
	return &matcher{want: "that the program reports a failure", wrong: func(v *Visit) string {
		if v.Report.Succeeded() {
			return "it reports success"
		}
		return ""
	}}
}

// EndHard matches a visit in which the program ends each session that went
// wrong without NBD_CMD_DISC, and reports no success. A program may come again.
func EndHard() types.GomegaMatcher {
	return &matcher{want: "a hard disconnect", wrong: func(v *Visit) string {
		for _, c := range v.Conns {
			for _, q := range c.AfterProvocation() {
				if q.Type == wire.CmdDisc {
					return "NBD_CMD_DISC comes, which is the soft one"
				}
			}
		}
		if v.Report.Succeeded() {
			return "the program reports success"
		}
		return ""
	}}
}

// EndSoft matches a visit in which each session that went wrong ends with NBD_CMD_DISC,
// and no other request comes but those that were on their way.
func EndSoft() types.GomegaMatcher { return endSoft }

// EndedSoft reports whether each session that went wrong ended with NBD_CMD_DISC.
func EndedSoft(v *Visit) bool { return endSoft.wrong(v) == "" }

var endSoft = &matcher{want: "NBD_CMD_DISC", wrong: func(v *Visit) string {
	for _, c := range v.Conns {
		if c.Provoked && !c.Asked(wire.CmdDisc) {
			var sent []string
			for _, q := range c.AfterProvocation() {
				sent = append(sent, q.Type.String())
			}
			return fmt.Sprintf("the client ends the session without it (behind the provocation came: %s)", strings.Join(sent, " "))
		}
	}
	return ""
}}

// SendNo matches a visit without the commands.
func SendNo(commands ...wire.Command) types.GomegaMatcher {
	return &matcher{want: fmt.Sprintf("none of %v", commands), wrong: func(v *Visit) string {
		for _, c := range v.Conns {
			for _, t := range commands {
				if c.Asked(t) {
					return fmt.Sprintf("%v comes", t)
				}
			}
		}
		return ""
	}}
}

// Use matches a visit in which the option is sent on every connection.
func Use(o wire.Option) types.GomegaMatcher {
	return &matcher{want: o.String(), wrong: func(v *Visit) string {
		if len(v.Conns) == 0 {
			return "the program never connects"
		}
		for _, c := range v.Conns {
			if !c.Sent(o) {
				return fmt.Sprintf("the options are %v", names(c.Options))
			}
		}
		return ""
	}}
}

// UseNo matches a visit in which none of the options is sent.
func UseNo(options ...wire.Option) types.GomegaMatcher {
	return &matcher{want: fmt.Sprintf("none of %v", options), wrong: func(v *Visit) string {
		for _, c := range v.Conns {
			if c.Sent(options...) {
				return fmt.Sprintf("the options are %v", names(c.Options))
			}
		}
		return ""
	}}
}

func names(options []wire.OptionRequest) []wire.Option {
	var list []wire.Option
	for _, o := range options {
		list = append(list, o.Option)
	}
	return list
}

// Accepts reports whether nothing is wrong with a visit.
func (m *matcher) Accepts(v *Visit) bool { return m.wrong(v) == "" }
