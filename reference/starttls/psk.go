package starttls

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
)

// LoadPSKServer uses the keys that clients may have from a file, which is read
// anew for every connection.
func LoadPSKServer(file string) (Server, error) {
	if _, err := loadKeys(file); err != nil {
		return nil, err
	}
	s, err := newPSKServer(file)
	if err != nil {
		return nil, fmt.Errorf("TLS with pre-shared keys: %w", err)
	}
	return s, nil
}

// LoadPSKClient reads the client's key from a file, by the client's name.
func LoadPSKClient(file, name string) (Client, error) {
	keys, err := loadKeys(file)
	if err != nil {
		return nil, err
	}
	key, ok := keys[name]
	if !ok {
		return nil, fmt.Errorf("loading the pre-shared key: %s has none for %q", file, name)
	}
	return NewPSKClient(name, key)
}

// NewPSKClient uses a key under the client's name.
func NewPSKClient(name string, key []byte) (Client, error) {
	c, err := newPSKClient(name, key)
	if err != nil {
		return nil, fmt.Errorf("TLS with pre-shared keys: %w", err)
	}
	return c, nil
}

// loadKeys reads a file of name:hex lines. Empty lines and comments, which
// start with #, are left out.
func loadKeys(file string) (map[string][]byte, error) {
	if file == "" {
		return nil, errors.New("loading pre-shared keys: no file is given")
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("loading pre-shared keys: %w", err)
	}
	defer func() { _ = f.Close() }()
	keys := make(map[string][]byte)
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		name, digits, _ := strings.Cut(line, ":")
		key, err := hex.DecodeString(digits)
		if name == "" || len(key) == 0 || err != nil {
			return nil, fmt.Errorf("loading pre-shared keys: line %d of %s is not name:hex", n, file)
		}
		if keys[name] == nil { // the first counts
			keys[name] = key
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("loading pre-shared keys: reading %s: %w", file, err)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("loading pre-shared keys: %s has none", file)
	}
	return keys, nil
}
