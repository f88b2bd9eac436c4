// Package nbdkit describes how nbdkit is set up.
package nbdkit
