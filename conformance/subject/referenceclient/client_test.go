package referenceclient

import (
	"errors"
	"fmt"
	"testing"

	"nbdconform/reference/client"
)

func TestToleratesNothingButWhatItIsTold(t *testing.T) {
	open := &client.SessionError{Violation: true, Clause: "cmd.disc.close", Err: errors.New("stays open")}
	other := &client.SessionError{Violation: true, Clause: "trans.cookie.echo", Err: errors.New("another cookie")}
	c := &Client{Tolerates: []string{"cmd.disc.close"}}
	for name, tt := range map[string]struct {
		client *Client
		err    error
		want   bool
	}{
		"what it is told":                   {c, open, true},
		"what it is told, wrapped":          {c, fmt.Errorf("leaving: %w", open), true},
		"what it is told, joined":           {c, errors.Join(open), true},
		"another violation":                 {c, other, false},
		"another violation beside it":       {c, errors.Join(open, other), false},
		"another error":                     {c, errors.New("no such file"), false},
		"an error without a clause":         {&Client{Tolerates: []string{""}}, &client.SessionError{Err: errors.New("EOF")}, false},
		"a client that was told of nothing": {&Client{}, open, false},
	} {
		if got := tt.client.tolerates(tt.err); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
