package history

import (
	"fmt"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// patience bounds a check: a history that takes longer is an error.
const patience = 20 * time.Second

// block is the sequential model of one block.
var block = porcupine.Model{
	Init: func() any { return Value(0) },
	Step: func(state, input, output any) (bool, any) {
		if o := input.(Op); o.Write {
			return true, o.Value
		}
		return output.(Value) == state.(Value), state
	},
}

// byBlock sorts operations by block, and keeps their order.
func byBlock(ops []Op) map[uint64][]Op {
	m := make(map[uint64][]Op)
	for _, o := range ops {
		m[o.Block] = append(m[o.Block], o)
	}
	return m
}

func check(ops []Op) (porcupine.CheckResult, error) {
	list := make([]porcupine.Operation, len(ops))
	for i, o := range ops {
		list[i] = porcupine.Operation{ClientId: i, Input: o, Output: o.Value, Call: o.Call, Return: o.Return}
	}
	r := porcupine.CheckOperationsTimeout(block, list, patience)
	if r == porcupine.Unknown {
		return r, fmt.Errorf("checking %d operations on one block takes more than %v", len(ops), patience)
	}
	return r, nil
}

// Linearizable returns an error unless, block by block, one order of all
// operations explains every answer.
func Linearizable(ops []Op) error {
	for b, of := range byBlock(ops) {
		r, err := check(of)
		if err != nil {
			return err
		}
		if r == porcupine.Illegal {
			return fmt.Errorf("no order explains what happened to block %d:\n%s", b, list(of))
		}
	}
	return nil
}

// Regular returns an error unless every read by itself can be explained by
// the writes. A torn block may be read while it is written.
func Regular(ops []Op) error {
	for b, of := range byBlock(ops) {
		var writes []Op
		for _, o := range of {
			if o.Write {
				writes = append(writes, o)
			}
		}
		for _, o := range of {
			if o.Write || o.Value == Torn && overlapped(o, writes) {
				continue
			}
			r, err := check(append(writes[:len(writes):len(writes)], o))
			if err != nil {
				return err
			}
			if r == porcupine.Illegal {
				return fmt.Errorf("block %d is stale or mixed up: %v, after\n%s", b, o, list(before(o, writes)))
			}
		}
	}
	return nil
}

func overlapped(o Op, writes []Op) bool {
	for _, w := range writes {
		if w.Call < o.Return && o.Call < w.Return {
			return true
		}
	}
	return false
}

// before are the last writes that were sent before o was answered.
func before(o Op, writes []Op) (list []Op) {
	for _, w := range writes {
		if w.Call < o.Return {
			list = append(list, w)
		}
	}
	return list[max(0, len(list)-5):]
}

func list(ops []Op) string {
	var b strings.Builder
	for _, o := range ops {
		fmt.Fprintf(&b, "  %v\n", o)
	}
	return b.String()
}
