// SPDX-License-Identifier: BSD-2-Clause

#include "textflag.h"

// func G() uintptr
TEXT ·G(SB), NOSPLIT, $0-8
	MOVQ (TLS), AX
	MOVQ AX, ret+0(FP)
	RET

// func FSWord() uintptr
TEXT ·FSWord(SB), NOSPLIT, $0-8
	// movq %fs:-8, %rax: by bytes, as the assembler would put the real offset of g there
	BYTE $0x64; BYTE $0x48; BYTE $0x8b; BYTE $0x04; BYTE $0x25
	LONG $0xfffffff8
	MOVQ AX, ret+0(FP)
	RET
