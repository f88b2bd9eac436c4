// Package verdict decides what a spec showed. A spec's body ends early with
// one of [Fail], [Blocked], [Unsupported], [Inconclusive] and [Harness]; [Weigh]
// puts that together with what the judge saw, and with how the subject fared,
// into one verdict. The same rules hold for servers and for clients.
package verdict
