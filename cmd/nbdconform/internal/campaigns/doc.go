// Package campaigns sets up fuzzing campaigns from what a user asks for: one on
// a server or a client, or a sweep of them over all servers or profiles.
package campaigns
