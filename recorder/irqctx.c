/* SPDX-License-Identifier: BSD-2-Clause */
#include "irqctx.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf_embed.h"

/* preempt_count bits 16..23: in a hard interrupt or NMI (bpf/lib/context.bpf.h) */
#define FR_COUNT_HARDIRQ 0x00ff0000u
/* The verifier's inlining of bpf_get_smp_processor_id on x86: a move of the 32-bit address, then
 * this move with a special offset that adds the per-CPU base (BPF_MOV64_PERCPU_REG). */
#define FR_MOV_IMM (BPF_ALU64 | BPF_MOV | BPF_K)
#define FR_MOV_REG (BPF_ALU64 | BPF_MOV | BPF_X)
#define FR_OFF_PERCPU (-1)

struct fr_irqctx {
	struct bpf_object *object;
	const struct btf *btf;
	uint32_t cpu_cnt;
	char *why;
	uint32_t why_bytes;
};

static const struct fr_bpf_embed *fr_embed_named(const char *name)
{
	for (const struct fr_bpf_embed *e = fr_bpf_embeds; e->name; e++)
		if (!strcmp(e->name, name))
			return e;
	return NULL;
}

static int irqctx_fail(struct fr_irqctx *x, int err, const char *what)
{
	snprintf(x->why, x->why_bytes, "%s: %s", what, strerror(-err));
	return err;
}

static int irqctx_open(struct fr_irqctx *x)
{
	const struct fr_bpf_embed *e = fr_embed_named("bpf/aux/context");
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "fr_context");
	struct bpf_map *map;

	if (!e)
		return irqctx_fail(x, -ENOENT, "program bpf/aux/context is not built in");
	x->object = bpf_object__open_mem(e->start, (size_t)(e->end - e->start), &opts);
	if (!x->object)
		return irqctx_fail(x, -errno, "cannot open bpf/aux/context");
	bpf_object__for_each_map(map, x->object) {
		const char *name = bpf_map__name(map);

		if (!strcmp(name, "fr_cpus") || !strcmp(name, "fr_cpu_found"))
			bpf_map__set_max_entries(map, x->cpu_cnt);
	}
	if (bpf_object__load(x->object))
		return irqctx_fail(x, -errno, "kernel refuses bpf/aux/context");
	return 0;
}

static int irqctx_prog(const struct fr_irqctx *x, const char *name)
{
	return bpf_program__fd(bpf_object__find_program_by_name(x->object, name));
}

static int irqctx_map(const struct fr_irqctx *x, const char *name)
{
	return bpf_map__fd(bpf_object__find_map_by_name(x->object, name));
}

/* Runs a program on one CPU: there directly if we are on it, else by an interrupt. */
static int irqctx_run(const struct fr_irqctx *x, const char *name, uint32_t cpu)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .flags = BPF_F_TEST_RUN_ON_CPU, .cpu = cpu);

	if (bpf_prog_test_run_opts(irqctx_prog(x, name), &opts))
		return -errno;
	return opts.retval ? -EFAULT : 0;
}

static int irqctx_found(const struct fr_irqctx *x, uint32_t cpu, uint64_t *ret_value)
{
	return bpf_map_lookup_elem(irqctx_map(x, "fr_cpu_found"), &cpu, ret_value) ? -errno : 0;
}

/* Offsets of two per-CPU variables inside the section ".data..percpu", by BTF. */
static int irqctx_distance(const struct btf *btf, int64_t *ret_distance)
{
	int32_t section = btf__find_by_name_kind(btf, ".data..percpu", BTF_KIND_DATASEC);
	const struct btf_type *t = section > 0 ? btf__type_by_id(btf, (uint32_t)section) : NULL;
	const struct btf_var_secinfo *v = t ? btf_var_secinfos(t) : NULL;
	int64_t count_off = -1, cpu_off = -1;

	for (uint32_t i = 0; t && i < btf_vlen(t); i++) {
		const struct btf_type *var = btf__type_by_id(btf, v[i].type);
		const char *name = var ? btf__name_by_offset(btf, var->name_off) : NULL;

		if (name && !strcmp(name, "__preempt_count"))
			count_off = v[i].offset;
		if (name && !strcmp(name, "cpu_number"))
			cpu_off = v[i].offset;
	}
	if (count_off < 0 || cpu_off < 0)
		return -ENOENT;
	*ret_distance = count_off - cpu_off;
	return 0;
}

/* The address of cpu_number that the verifier has written into fr_cpu_id. */
static int irqctx_cpu_number(const struct fr_irqctx *x, uint64_t *ret_address)
{
	struct bpf_insn insns[64] = { 0 };
	struct bpf_prog_info info = {
		.xlated_prog_len = sizeof(insns),
		.xlated_prog_insns = (uint64_t)(uintptr_t)insns,
	};
	uint32_t info_bytes = sizeof(info), cnt;

	if (bpf_obj_get_info_by_fd(irqctx_prog(x, "fr_cpu_id"), &info, &info_bytes))
		return -errno;
	cnt = info.xlated_prog_len / sizeof(insns[0]);
	for (uint32_t i = 0; i + 1 < cnt && i + 1 < 64; i++) {
		if (insns[i].code == FR_MOV_IMM && insns[i + 1].code == FR_MOV_REG &&
		    insns[i + 1].off == FR_OFF_PERCPU) {
			*ret_address = (uint64_t)(int64_t)insns[i].imm;
			return 0;
		}
	}
	return -ENOTSUP;
}

/* Kernels that name their data (CONFIG_KALLSYMS_ALL). */
static int irqctx_symbol(uint64_t *ret_address)
{
	char line[256], name[128];
	uint64_t address;
	int err = -ENOENT;
	FILE *f = fopen("/proc/kallsyms", "re");

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%" SCNx64 " %*c %127s", &address, name) != 2)
			continue;
		if (strcmp(name, "__preempt_count"))
			continue;
		*ret_address = address;
		err = 0;
		break;
	}
	fclose(f);
	return err;
}

/* Link address of preempt_count: what a per-CPU base is added to. The symbol table comes second,
 * as it has some hundred thousand lines. */
static int irqctx_link_address(struct fr_irqctx *x, uint64_t *ret_address)
{
	int64_t distance;
	int err = irqctx_distance(x->btf, &distance);

	if (!err)
		err = irqctx_cpu_number(x, ret_address);
	if (!err)
		*ret_address += (uint64_t)distance;
	else
		err = irqctx_symbol(ret_address);
	if (err)
		return irqctx_fail(x, err, "neither the verifier nor the symbol table tells where "
					   "preempt_count lies");
	return 0;
}

/* Is the address right on `cpu`, seen from a thread that runs on `here`? */
static int irqctx_check(struct fr_irqctx *x, uint32_t cpu, uint32_t here)
{
	uint64_t count;
	int err = irqctx_run(x, "fr_cpu_check", cpu);

	if (!err)
		err = irqctx_found(x, cpu, &count);
	if (err)
		return err;
	return !!(count & FR_COUNT_HARDIRQ) == (cpu != here) ? 0 : -EINVAL;
}

static int irqctx_one(struct fr_irqctx *x, uint32_t cpu, uint64_t link, uint64_t *ret_address)
{
	cpu_set_t one;
	uint64_t base;
	int err = irqctx_run(x, "fr_cpu_base", cpu);

	if (!err)
		err = irqctx_found(x, cpu, &base);
	if (err)
		return err;
	*ret_address = base + link;
	if (bpf_map_update_elem(irqctx_map(x, "fr_cpus"), &cpu, ret_address, BPF_ANY))
		return -errno;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (!sched_setaffinity(0, sizeof(one), &one)) /* from inside: no interrupt */
		err = irqctx_check(x, cpu, cpu);
	return err;
}

static int irqctx_all(struct fr_irqctx *x, uint64_t *addresses, const cpu_set_t *allowed)
{
	uint32_t cpu, last = UINT32_MAX;
	uint64_t link = 0;
	int err = irqctx_link_address(x, &link);

	for (cpu = 0; !err && cpu < x->cpu_cnt; cpu++) {
		addresses[cpu] = 0;
		if (!CPU_ISSET(cpu, allowed))
			continue;
		err = irqctx_one(x, cpu, link, &addresses[cpu]);
		if (!err && last != UINT32_MAX) /* from the CPU before this one: by interrupt */
			err = irqctx_check(x, last, cpu);
		last = cpu;
		if (err)
			irqctx_fail(x, err, "preempt_count is not where it was expected");
	}
	return err;
}

int fr_irqctx_find(const struct btf *btf, uint64_t *addresses, uint32_t cpu_cnt, char *why,
		   uint32_t why_bytes)
{
	struct fr_irqctx x = {
		.btf = btf, .cpu_cnt = cpu_cnt, .why = why, .why_bytes = why_bytes
	};
	cpu_set_t before;
	int err;

	if (sched_getaffinity(0, sizeof(before), &before))
		return irqctx_fail(&x, -errno, "cannot read the CPU affinity");
	err = irqctx_open(&x);
	if (!err)
		err = irqctx_all(&x, addresses, &before);
	(void)sched_setaffinity(0, sizeof(before), &before);
	bpf_object__close(x.object);
	if (err)
		memset(addresses, 0, cpu_cnt * sizeof(*addresses));
	return err;
}
