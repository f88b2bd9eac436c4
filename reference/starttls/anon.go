package starttls

import "fmt"

// NewAnonymousServer has TLS without any certificate or key: what is said is
// hidden from those who listen, and not from somebody in between.
func NewAnonymousServer() (Server, error) {
	s, err := newAnonServer()
	if err != nil {
		return nil, fmt.Errorf("TLS without authentication: %w", err)
	}
	return s, nil
}

// NewAnonymousClient is the client's side of [NewAnonymousServer].
func NewAnonymousClient() (Client, error) {
	c, err := newAnonClient()
	if err != nil {
		return nil, fmt.Errorf("TLS without authentication: %w", err)
	}
	return c, nil
}
