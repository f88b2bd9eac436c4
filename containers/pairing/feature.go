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

// used are the features that were heard. A server may answer what needs no
// payload with a simple reply: what was negotiated counts.
func (h Heard) used() map[Feature]bool {
	command := func(c wire.Command) bool { return h.Items.Has(usage.Command, c.String()) }
	option := func(o wire.Option) bool { return h.Items.Has(usage.Option, o.String()) }
	return map[Feature]bool{
		featureGo:         option(wire.OptGo),
		featureExtended:   option(wire.OptExtendedHeaders),
		featureStructured: option(wire.OptExtendedHeaders) || option(wire.OptStructuredReply),
		featureStatus:     command(wire.CmdBlockStatus),
		featureZeroes:     command(wire.CmdWriteZeroes),
		featureTrim:       command(wire.CmdTrim),
		featureConns:      h.Connections > 1,
	}
}

// lost names the features that the client uses with the reference server for
// the same, that the server has, and that were not heard; and what was instead.
func lost(alone Heard, has map[Feature]bool, here Heard) []string {
	wants, used := alone.used(), here.used()
	var list []string
	for _, f := range features {
		if wants[f] && has[f] && !used[f] {
			list = append(list, fmt.Sprintf("%s: %s instead", f, instead(f, here)))
		}
	}
	return list
}

// instead says what the client did without a feature.
func instead(f Feature, h Heard) string {
	used := h.used()
	switch f {
	case featureGo:
		if h.Items.Has(usage.Option, wire.OptExportName.String()) {
			return wire.OptExportName.String()
		}
	case featureExtended, featureStructured:
		if used[featureStructured] {
			return usage.StructuredReplies
		}
		return usage.SimpleReplies
	case featureStatus:
		if h.Items.Has(usage.Command, wire.CmdRead.String()) {
			return "reading everything"
		}
	case featureZeroes, featureTrim:
		if used[featureZeroes] {
			return wire.CmdWriteZeroes.String()
		}
		if h.Items.Has(usage.Command, wire.CmdWrite.String()) {
			return "writing zeroes as data"
		}
	case featureConns:
		return "one"
	}
	return "nothing"
}
