/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What libbpf says while it loads: kept silent, except for the part that explains a failure: the
 * program that was refused and the end of the verifier's log.
 */
#ifndef FR_RECORDER_BPFLOG_H
#define FR_RECORDER_BPFLOG_H

#define FR_BPFLOG_LINES 20

/* From now on libbpf's messages come here. Not for threads: libbpf has one print function. */
void fr_bpflog_start(void);
/* Forgets what was said before: call it before each load. */
void fr_bpflog_clear(void);
/* The refused program's name, or "" if no program was (a map, a relocation, ...). */
const char *fr_bpflog_program(void);
/* Its last FR_BPFLOG_LINES lines of the verifier's log, else libbpf's last lines; "" if none. */
const char *fr_bpflog_tail(void);

#endif
