// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"syscall"
	"time"
	"unsafe"
)

const clockBoot = 7 // CLOCK_BOOTTIME

// bootNow is CLOCK_BOOTTIME in ns, the clock of a recording.
func bootNow() int64 {
	var ts syscall.Timespec
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockBoot, uintptr(unsafe.Pointer(&ts)), 0)
	return ts.Nano()
}

// span is when a system call was made: it happened between the two, ns.
type span [2]int64

// clockPair says what CLOCK_REALTIME was at a BOOTTIME; Width is how unsure that is.
type clockPair struct {
	Boot  int64 `json:"boot"`
	Real  int64 `json:"real"`
	Width int64 `json:"width"`
}

// pairNow takes the closest of a few tries.
func pairNow() clockPair {
	best := clockPair{Width: 1 << 62}
	for i := 0; i < 8; i++ {
		a := bootNow()
		real := time.Now().UnixNano()
		b := bootNow()
		if b-a < best.Width {
			best = clockPair{a + (b-a)/2, real, b - a}
		}
	}
	return best
}
