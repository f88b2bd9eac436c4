// Package bench compares the speed of NBD servers that run on this machine.
//
// All servers run at the same time and are measured round-robin, row by row and
// round by round, so that other load on the machine affects all alike; what counts is
// the median of the rounds, as a multiple of nbdkit's memory plugin. The load
// comes from fio, which uses libnbd and negotiates structured replies where
// the server has them. As fio can't be told, rows that compare simple with
// structured replies have the reference client as the source of the load.
package bench
