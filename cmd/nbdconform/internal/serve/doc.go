// Package serve runs the reference server as a service: it makes one
// configuration of flags that agree with each other, or of a file, listens, and
// ends in an orderly way.
package serve
