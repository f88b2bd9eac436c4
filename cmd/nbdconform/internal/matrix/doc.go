// Package matrix makes the matrix of all versions of all programs: it plans the
// runs, runs several at once, has every client work with every server, and
// measures the servers. Each part keeps what it found in files, and takes what
// an earlier matrix of the same suite on the same images has found.
package matrix
