package render

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"nbdconform/reports/result"
)

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool        sarifTool         `json:"tool"`
	Invocations []sarifInvocation `json:"invocations"`
	Results     []sarifResult     `json:"results"` // an empty list says that nothing was found, none that nobody looked
	ColumnKind  string            `json:"columnKind"`
	Properties  map[string]any    `json:"properties,omitempty"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name    string      `json:"name"`
	Version string      `json:"version,omitempty"`
	Rules   []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID               string         `json:"id"`
	ShortDescription sarifText      `json:"shortDescription"`
	Help             sarifText      `json:"help"`
	Configuration    sarifLevel     `json:"defaultConfiguration"`
	Properties       map[string]any `json:"properties,omitempty"`
}

type sarifLevel struct {
	Level string `json:"level"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifResult struct {
	RuleID       string            `json:"ruleId"`
	RuleIndex    int               `json:"ruleIndex"`
	Kind         string            `json:"kind"`
	Level        string            `json:"level"`
	Message      sarifText         `json:"message"`
	Locations    []sarifLocation   `json:"locations"`
	Fingerprints map[string]string `json:"partialFingerprints,omitempty"`
	Properties   map[string]any    `json:"properties,omitempty"`
}

type sarifLocation struct {
	LogicalLocations []sarifLogical `json:"logicalLocations"`
}

type sarifLogical struct {
	Name               string `json:"name"`
	FullyQualifiedName string `json:"fullyQualifiedName"`
	Kind               string `json:"kind"`
}

type sarifInvocation struct {
	CommandLine   string              `json:"commandLine,omitempty"`
	Start         string              `json:"startTimeUtc"`
	End           string              `json:"endTimeUtc"`
	ExitCode      int                 `json:"exitCode"`
	Successful    bool                `json:"executionSuccessful"`
	Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
}

type sarifNotification struct {
	Level   string    `json:"level"`
	Message sarifText `json:"message"`
}

// SARIF writes what was broken in the form of SARIF 2.1.0: a rule is a clause,
// a result a spec that a server failed, at the logical location of the spec. A
// broken MUST is an error, a broken SHOULD a warning. What makes the run one
// not to be trusted is a notification of the invocation, which then was not
// successful.
func SARIF(w io.Writer, r result.Result) error {
	rules := &sarifRules{at: map[string]int{}, list: []sarifRule{}}
	run := sarifRun{
		Invocations: []sarifInvocation{sarifInvoked(r)}, Results: []sarifResult{}, ColumnKind: "unicodeCodePoints",
		Properties: map[string]any{
			"target": visible(targetName(r.Target)), "conclusion": r.Conclusion(),
			"document": visible(r.Document.Name + " " + r.Document.Revision),
		},
	}
	for _, s := range withVerdict(r, result.Crash, result.Hang, result.Fail, result.Warning) {
		run.Results = append(run.Results, sarifResultOf(s, rules.of(s)))
	}
	run.Tool.Driver = sarifDriver{Name: visible(nameOr(r.Suite.Name)), Version: visible(r.Suite.Version), Rules: rules.list}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	log := sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}}
	if err := enc.Encode(log); err != nil {
		return fmt.Errorf("writing sarif: %w", err)
	}
	return nil
}

func nameOr(name string) string {
	if name == "" {
		return "nbdconform"
	}
	return name
}

func sarifInvoked(r result.Result) sarifInvocation {
	took := time.Duration(r.Seconds * float64(time.Second))
	in := sarifInvocation{
		CommandLine: visible(r.Reproduce), Start: r.Started.UTC().Format(time.RFC3339Nano),
		End: r.Started.Add(took).UTC().Format(time.RFC3339Nano), ExitCode: r.Exit(), Successful: len(r.Doubts()) == 0,
	}
	for _, d := range r.Doubts() {
		in.Notifications = append(in.Notifications, sarifNotification{"error", sarifText{visible(d)}})
	}
	for _, s := range withVerdict(r, result.Error, result.Inconclusive) {
		in.Notifications = append(in.Notifications, sarifNotification{"error", sarifText{visible(fmt.Sprintf("%s: %s: %s", s.ID, s.Verdict, s.Message))}})
	}
	return in
}

// sarifRules are the clauses that results refer to, each once.
type sarifRules struct {
	list []sarifRule
	at   map[string]int
}

// of returns the index of the rule that s is about.
func (k *sarifRules) of(s result.Spec) int {
	id := s.ID
	if len(s.Clauses) > 0 {
		id = s.Clauses[0]
	}
	if i, ok := k.at[id]; ok {
		return i
	}
	requires := s.Requires
	if requires == "" {
		requires = s.Name
	}
	help := requires
	if s.Section != "" {
		help += fmt.Sprintf("\n\nSection %q of the protocol document.", s.Section)
	}
	k.at[id] = len(k.list)
	k.list = append(k.list, sarifRule{
		ID: visible(id), ShortDescription: sarifText{visible(oneLine(requires, 300))},
		Help:          sarifText{visible(help + "\n\nnbdconform explain " + id)},
		Configuration: sarifLevel{sarifLevelOf(s)}, Properties: map[string]any{"level": s.Level},
	})
	return k.at[id]
}

func sarifLevelOf(s result.Spec) string {
	if s.Verdict.Broken() {
		return "error"
	}
	return "warning"
}

func sarifResultOf(s result.Spec, rule int) sarifResult {
	id := s.ID
	if len(s.Clauses) > 0 {
		id = s.Clauses[0]
	}
	x := sarifResult{
		RuleID: visible(id), RuleIndex: rule, Kind: "fail", Level: sarifLevelOf(s),
		Message:      sarifText{visible(fmt.Sprintf("%s: %s", s.Name, s.Message))},
		Locations:    []sarifLocation{{[]sarifLogical{{Name: visible(s.Name), FullyQualifiedName: visible(s.ID), Kind: "function"}}}},
		Fingerprints: map[string]string{"nbdconform/v2": visible(s.ID + "; " + cmp.Or(s.Signature, result.SignatureOf(s)))},
		Properties:   map[string]any{"verdict": s.Verdict},
	}
	for key, value := range map[string]string{"reproduce": s.Reproduce, "evidence": s.Evidence, "exit": s.Exit} {
		if value != "" {
			x.Properties[key] = visible(value)
		}
	}
	return x
}
