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
)

//go:embed bundle.schema.json
var schemaJSON []byte

const schemaURL = "urn:nbdconform:evidence:" + SchemaVersion

var compiled = sync.OnceValues(func() (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemaJSON))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource(schemaURL, doc); err != nil {
		return nil, err
	}
	return c.Compile(schemaURL)
})

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
	if m, ok := doc.(map[string]any); !ok || m["schemaVersion"] != SchemaVersion {
		return Bundle{}, errors.New("not evidence of a form that is known here: want schemaVersion " + SchemaVersion)
	}
	schema, err := compiled()
	if err != nil {
		return Bundle{}, err
	}
	if err := schema.Validate(doc); err != nil {
		return Bundle{}, err
	}
	var b Bundle
	err = json.Unmarshal(text, &b)
	return b, err
}
