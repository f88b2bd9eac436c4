// Package nbdserver describes how nbd-server is set up.
package nbdserver
