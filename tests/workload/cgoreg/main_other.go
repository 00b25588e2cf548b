// SPDX-License-Identifier: BSD-2-Clause

//go:build !(amd64 && cgo)
// +build !amd64 !cgo

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "cgoreg: SKIP: it needs amd64 and cgo (CGO_ENABLED=1 and a C compiler)")
	os.Exit(77)
}
