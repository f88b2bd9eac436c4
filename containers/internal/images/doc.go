// Package images builds the container images that the servers and clients run
// in: one for each Debian release, others for fio and nbdsh, which bring as much
// along as all the others together, and one with a Linux kernel.
//
// There are two ways to the same image. Where a registry answers, or the base
// image is already here, the Dockerfile is built. Elsewhere mmdebstrap makes a
// root file system out of Debian packages alone.
package images
