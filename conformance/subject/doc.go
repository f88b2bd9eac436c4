// Package subject says what is under test: a [Server], how it is reached,
// restarted and watched, or a [Client], what it can be asked to do and how that
// went.
//
// The specs see nothing else. Whether it is a container, a child process, a
// goroutine or an address that a user typed is known to the package that made it.
package subject
