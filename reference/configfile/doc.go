// Package configfile makes the configuration of a reference server from a file:
//
//	exports:
//	  - name: disk
//	    size: 1T
//	    faults:
//	      - {commands: write, offset: 1M, length: 64K, error: ENOSPC}
//
// [Load] takes nothing that it does not understand: unknown keys, wrong types
// and what is missing are an error that names the line and what would be right.
// What it holds a file against is a JSON Schema, see [Schema], which editors
// understand too. [Config.Build] opens what the configuration names.
package configfile
