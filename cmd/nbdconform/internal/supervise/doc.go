// Package supervise runs a part of this program in a child process, which says
// what happens as lines of JSON on a descriptor of its own. The parent ends a
// child that says nothing for too long, and passes an interrupt on once. A child
// ends with its parent, also where the parent is killed.
package supervise
