// Package engine finds the container engine, once, for everything that talks to it.
package engine
