// Package qemustorage describes how QEMU's qemu-storage-daemon is set up, which
// serves several exports from one process.
package qemustorage
