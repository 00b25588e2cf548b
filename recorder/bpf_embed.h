/* SPDX-License-Identifier: BSD-2-Clause */
/* The BPF objects inside the program, put there by the build (tools/embed.sh). */
#ifndef FR_RECORDER_BPF_EMBED_H
#define FR_RECORDER_BPF_EMBED_H

struct fr_bpf_embed {
	const char *name; /* "bpf/sched", "bpf/aux/iter"; NULL ends the table */
	const unsigned char *start;
	const unsigned char *end;
};

extern const struct fr_bpf_embed fr_bpf_embeds[];

#endif
