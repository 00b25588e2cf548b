// SPDX-License-Identifier: BSD-2-Clause

// goid_dwarf prints, for each program named, where the field goid of runtime.g is, in bytes, as
// the program's own debug information has it.
package main

import (
	"debug/dwarf"
	"debug/elf"
	"fmt"
	"os"
)

func goidOff(path string) (int64, error) {
	f, err := elf.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	d, err := f.DWARF()
	if err != nil {
		return 0, err
	}
	for r := d.Reader(); ; {
		e, err := r.Next()
		if err != nil {
			return 0, err
		}
		if e == nil {
			return 0, fmt.Errorf("%s: no type runtime.g in its debug information", path)
		}
		if e.Tag != dwarf.TagStructType || e.Val(dwarf.AttrName) != "runtime.g" {
			continue
		}
		t, err := d.Type(e.Offset)
		if err != nil {
			return 0, err
		}
		for _, field := range t.(*dwarf.StructType).Field {
			if field.Name == "goid" {
				return field.ByteOffset, nil
			}
		}
		return 0, fmt.Errorf("%s: runtime.g has no field goid", path)
	}
}

func main() {
	for _, path := range os.Args[1:] {
		off, err := goidOff(path)
		if err != nil {
			fmt.Fprintln(os.Stderr, "goid_dwarf:", err)
			os.Exit(1)
		}
		fmt.Println(off)
	}
}
