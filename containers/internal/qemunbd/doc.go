// Package qemunbd describes how QEMU's qemu-nbd is set up.
package qemunbd
