package matrix

import (
	"bytes"
	_ "embed"
	"fmt"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"nbdconform/reports/result"
)

//go:embed matrix.schema.json
var schemaJSON []byte

// SchemaURL names matrix.schema.json; every matrix.json says it.
const SchemaURL = "urn:nbdconform:matrix:" + SchemaVersion

// Schema returns matrix.schema.json, which refers to [result.Schema]. The
// caller owns the slice.
func Schema() []byte { return bytes.Clone(schemaJSON) }

var compiled = sync.OnceValues(func() (*jsonschema.Schema, error) {
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	for url, text := range map[string][]byte{SchemaURL: schemaJSON, result.SchemaURL: result.Schema(), result.FormerSchemaURL: result.FormerSchema()} {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			return nil, fmt.Errorf("parsing the schema %s: %w", url, err)
		}
		if err := c.AddResource(url, doc); err != nil {
			return nil, fmt.Errorf("adding the schema %s: %w", url, err)
		}
	}
	return c.Compile(SchemaURL)
})

// validate holds the text of a matrix against the schema.
func validate(text []byte) error {
	schema, err := compiled()
	if err != nil {
		return err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	return result.Placed(schema.Validate(doc), doc)
}
