// Package runs runs jobs: each in a child process, because Ginkgo's suite is
// global and because a run that got stuck can be killed. The child opens what
// the job names, runs the specs and tells the parent what happens; the parent
// makes one result of it, whatever becomes of the child.
package runs
