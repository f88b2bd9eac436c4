// Package servers lists the server programs that can be started here.
package servers
