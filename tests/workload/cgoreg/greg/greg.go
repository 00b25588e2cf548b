// SPDX-License-Identifier: BSD-2-Clause

//go:build amd64
// +build amd64

// Package greg tells the runtime's own pointer to the calling goroutine. It is a package of its
// own because a package with cgo can have no assembly in Go's syntax.
package greg

// G is what the recorder would find in r14: the address of this goroutine's g.
func G() uintptr

// FSWord is the word just below the thread pointer, where a recorder looks for g. It is G() only
// as long as the linker put g there.
func FSWord() uintptr
