package pairing

import (
	"fmt"

	"nbdconform/conformance/usage"
	"nbdconform/reference/wire"
)

// A Feature is something that a client can use or do without.
type Feature string

// The features, in the order of reports.
const (
	featureGo         Feature = "NBD_OPT_GO"
	featureExtended   Feature = "extended headers"
	featureStructured Feature = "structured replies"
	featureStatus     Feature = "NBD_CMD_BLOCK_STATUS"
	featureZeroes     Feature = "NBD_CMD_WRITE_ZEROES"
	featureTrim       Feature = "NBD_CMD_TRIM"
	featureConns      Feature = "several connections"
)

var features = []Feature{
	featureGo, featureExtended, featureStructured, featureStatus, featureZeroes, featureTrim, featureConns,
}

// used are the features that were observed. A server may answer what needs no
// payload with a simple reply: what was negotiated counts.
func (o Observed) used() map[Feature]bool {
	command := func(c wire.Command) bool { return o.Items.Has(usage.Command, c.String()) }
	option := func(opt wire.Option) bool { return o.Items.Has(usage.Option, opt.String()) }
	return map[Feature]bool{
		featureGo:         option(wire.OptGo),
		featureExtended:   option(wire.OptExtendedHeaders),
		featureStructured: option(wire.OptExtendedHeaders) || option(wire.OptStructuredReply),
		featureStatus:     command(wire.CmdBlockStatus),
		featureZeroes:     command(wire.CmdWriteZeroes),
		featureTrim:       command(wire.CmdTrim),
		featureConns:      o.Connections > 1,
	}
}

// unused names the features that the client uses with the reference server for
// the same operation, that the server has, and that were not used; and what was
// used instead.
func unused(withReference Observed, has map[Feature]bool, here Observed) []string {
	expected, used := withReference.used(), here.used()
	var list []string
	for _, f := range features {
		if expected[f] && has[f] && !used[f] {
			list = append(list, fmt.Sprintf("%s: %s instead", f, fallback(f, here)))
		}
	}
	return list
}

// fallback says what the client used in place of a feature.
func fallback(f Feature, o Observed) string {
	used := o.used()
	switch f {
	case featureGo:
		if o.Items.Has(usage.Option, wire.OptExportName.String()) {
			return wire.OptExportName.String()
		}
	case featureExtended, featureStructured:
		if used[featureStructured] {
			return usage.StructuredReplies
		}
		return usage.SimpleReplies
	case featureStatus:
		if o.Items.Has(usage.Command, wire.CmdRead.String()) {
			return "reading everything"
		}
	case featureZeroes, featureTrim:
		if used[featureZeroes] {
			return wire.CmdWriteZeroes.String()
		}
		if o.Items.Has(usage.Command, wire.CmdWrite.String()) {
			return "writing zeroes as data"
		}
	case featureConns:
		return "one"
	}
	return "nothing"
}
