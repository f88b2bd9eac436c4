// Package interop has tests alone: the reference server with clients that
// others wrote, and the reference client with servers that others wrote. Both
// come from PATH where they are installed, and from containers of two Debian
// suites where there is an engine.
//
// The suite judges others by its reference. These tests are what the reference
// itself is judged by.
package interop
