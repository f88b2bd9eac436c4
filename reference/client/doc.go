// Package client is the reference client of the NBD protocol: strict by
// default in [Client], raw on request in [Raw].
package client
