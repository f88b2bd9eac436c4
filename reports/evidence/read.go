package evidence

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"nbdconform/reports/result"
)

//go:embed bundle.schema.json
var schemaJSON []byte

//go:embed bundle.schema.1.json
var formerSchemaJSON []byte

const schemaURL = "urn:nbdconform:evidence:"

var compiled = map[string]func() (*jsonschema.Schema, error){
	SchemaVersion: sync.OnceValues(func() (*jsonschema.Schema, error) { return compile(schemaURL+SchemaVersion, schemaJSON) }),
	formerVersion: sync.OnceValues(func() (*jsonschema.Schema, error) { return compile(schemaURL+formerVersion, formerSchemaJSON) }),
}

func compile(url string, text []byte) (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource(url, doc); err != nil {
		return nil, err
	}
	return c.Compile(url)
}

// maxBundle is the largest bundle.json that is read, in bytes.
const maxBundle = 4 << 20

// Read reads bundle.json; name is it or its directory.
func Read(name string) (Bundle, error) {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		name = filepath.Join(name, BundleFile)
	}
	f, err := os.Open(name)
	if err != nil {
		return Bundle{}, fmt.Errorf("reading evidence: %w", err)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxBundle+1))
	if err != nil {
		return Bundle{}, fmt.Errorf("reading evidence: %w", err)
	}
	b, err := parse(text)
	if err != nil {
		return Bundle{}, fmt.Errorf("reading evidence: %s: %w", name, err)
	}
	return b, nil
}

func parse(text []byte) (Bundle, error) {
	if len(text) > maxBundle {
		return Bundle{}, fmt.Errorf("larger than %d MiB", maxBundle>>20)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return Bundle{}, fmt.Errorf("not a JSON document: %w", err)
	}
	m, _ := doc.(map[string]any)
	version, _ := m["schemaVersion"].(string)
	of, ok := compiled[version]
	if !ok {
		return Bundle{}, errors.New("not evidence of a form that is known here: expected schemaVersion " + SchemaVersion + " or " + formerVersion)
	}
	schema, err := of()
	if err != nil {
		return Bundle{}, err
	}
	if err := schema.Validate(doc); err != nil {
		return Bundle{}, err
	}
	var b Bundle
	if err := json.Unmarshal(text, &b); err != nil {
		return Bundle{}, err
	}
	if version == formerVersion && b.Spec.Verdict == "weak" {
		b.Spec.Verdict = result.Warning
	}
	return b, nil
}
