/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where each CPU keeps its preempt_count, so that probes can tell task context from interrupts:
 * an interrupt that wakes a thread must not blame the bystander it interrupted.
 *
 * The address comes from two facts: the verifier writes the address of cpu_number into a program
 * that asks for the CPU, and BTF tells how far preempt_count lies from it; else from the kernel's
 * symbol table, where that names data. It is believed only after a check on every CPU: read from
 * inside an interrupt the count must say so, read outside it must not.
 */
#ifndef FR_RECORDER_IRQCTX_H
#define FR_RECORDER_IRQCTX_H

#include <stdint.h>

struct btf;

/*
 * Fills addresses[0..cpu_cnt-1] (kernel addresses; 0 for CPUs that are not online). 0, or a
 * negative errno with the reason for people in `why`: then every waker's context is unknown.
 */
int fr_irqctx_find(const struct btf *btf, uint64_t *addresses, uint32_t cpu_cnt, char *why,
		   uint32_t why_bytes);

#endif
