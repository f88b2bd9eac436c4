package result

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

//go:embed result.schema.json
var schemaJSON []byte

//go:embed result.schema.1.json
var formerSchemaJSON []byte

// Schema returns result.schema.json. The caller owns the slice.
func Schema() []byte { return bytes.Clone(schemaJSON) }

// SchemaURL names result.schema.json.
const SchemaURL = "urn:nbdconform:result:" + SchemaVersion

// FormerSchema returns the schema of results of [FormerVersion]. The caller
// owns the slice.
func FormerSchema() []byte { return bytes.Clone(formerSchemaJSON) }

// FormerSchemaURL names what [FormerSchema] returns.
const FormerSchemaURL = "urn:nbdconform:result:" + FormerVersion

var (
	compiled       = sync.OnceValues(func() (*jsonschema.Schema, error) { return compile(SchemaURL, schemaJSON) })
	compiledFormer = sync.OnceValues(func() (*jsonschema.Schema, error) { return compile(FormerSchemaURL, formerSchemaJSON) })
)

func compile(url string, text []byte) (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("parsing %s: %w", url, err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource(url, doc); err != nil {
		return nil, fmt.Errorf("adding %s: %w", url, err)
	}
	return c.Compile(url)
}

// validate compares a decoded JSON document of a version with its schema.
func validate(doc any, version string) error {
	of := compiled
	if version == FormerVersion {
		of = compiledFormer
	}
	schema, err := of()
	if err != nil {
		return err
	}
	return Placed(schema.Validate(doc), doc)
}

// Placed says in one line what a schema does not allow in a document: it names
// the first few places. Other errors are left as they are.
func Placed(err error, doc any) error {
	if ve, ok := errors.AsType[*jsonschema.ValidationError](err); ok {
		return placed(ve, doc)
	}
	return err
}

func placed(ve *jsonschema.ValidationError, doc any) error {
	const shown = 3
	printer := message.NewPrinter(language.English)
	var wrong []string
	for _, leaf := range leavesOf(ve, nil) {
		wrong = append(wrong, place(leaf.InstanceLocation, doc)+": "+leaf.ErrorKind.LocalizedString(printer))
	}
	slices.Sort(wrong) // the validator walks maps
	if n := len(wrong); n > shown {
		wrong = append(wrong[:shown], fmt.Sprintf("and %d more", n-shown))
	}
	return errors.New(strings.Join(wrong, "; "))
}

func leavesOf(ve *jsonschema.ValidationError, leaves []*jsonschema.ValidationError) []*jsonschema.ValidationError {
	if len(ve.Causes) == 0 {
		return append(leaves, ve)
	}
	for _, c := range ve.Causes {
		leaves = leavesOf(c, leaves)
	}
	return leaves
}

// place writes a location the way people say it: specs[3] (cmd.read).verdict.
func place(tokens []string, doc any) string {
	var b strings.Builder
	for _, t := range tokens {
		switch at := doc.(type) {
		case []any:
			i, err := strconv.Atoi(t)
			if err != nil || i < 0 || i >= len(at) {
				return strings.Join(tokens, ".")
			}
			fmt.Fprintf(&b, "[%d]", i)
			doc = at[i]
			if m, ok := doc.(map[string]any); ok {
				if id, ok := m["id"].(string); ok {
					fmt.Fprintf(&b, " (%.60q)", id)
				}
			}
		case map[string]any:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(t)
			doc = at[t]
		}
	}
	if b.Len() == 0 {
		return "document"
	}
	return b.String()
}
