// Package containertest has what tests need of containers and programs: each Need
// function skips the test where this machine does not have it. Where [Require] is
// set, those that need a container engine fail the test instead.
package containertest
