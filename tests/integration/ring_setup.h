/* SPDX-License-Identifier: BSD-2-Clause */
/* A ring of the stress test: its programs, its maps, and what runs at full speed on it. */
#ifndef FR_TEST_RING_SETUP_H
#define FR_TEST_RING_SETUP_H

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "formats/abi/event.h"
#include "formats/abi/knobs.h"
#include "formats/base/now.h"
#include "recorder/ring.h"
#include "ring_test.h"
#include "tests/lib/ring_object.h"

#define RT_CPUS_MAX 64
#define RT_LINKS_MAX (4 + 2 * RT_CPUS_MAX)
#define RT_CLOCK_PERIOD_NS 20000

/* The CPU that gets no share of the ring in the next rings loaded. */
static uint32_t rt_without_slot = RT_CPUS_MAX;

struct rt_ring {
	struct bpf_object *obj;
	struct fr_ring_view view;
	struct fr_ring_ctl *ctl; /* the same as in view, writable */
	struct fr_ring_sub *sub;
	struct rt_cpu *cpus;
	uint16_t cpu_slot[RT_CPUS_MAX];
	uint32_t cpu_cnt;
	struct bpf_link *links[RT_LINKS_MAX];
	uint32_t link_cnt;
	pthread_t threads[3 * RT_CPUS_MAX];
	uint32_t thread_cnt;
	atomic_bool stop;
};

struct rt_thread {
	struct rt_ring *r;
	uint32_t cpu;
};

static inline uint64_t rt_load(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static inline int rt_prog_fd(const struct rt_ring *r, const char *name)
{
	struct bpf_program *p = bpf_object__find_program_by_name(r->obj, name);

	return p ? bpf_program__fd(p) : -1;
}

/* Runs a raw_tp program on one CPU: its return value, or a negative errno. */
static inline int rt_run_on(const struct rt_ring *r, const char *name, uint32_t cpu)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .flags = BPF_F_TEST_RUN_ON_CPU, .cpu = cpu);
	int err = bpf_prog_test_run_opts(rt_prog_fd(r, name), &opts);

	return err ? err : (int)opts.retval;
}

/* ---- loading ------------------------------------------------------------------------------- */

static inline uint32_t rt_features(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	uint32_t features = 0;

	if (btf && btf__find_by_name_kind(btf, "bpf_preempt_disable", BTF_KIND_FUNC) > 0)
		features |= FR_FEAT_PREEMPT_OFF;
	btf__free(btf);
	return features;
}

static inline void *rt_map(const struct rt_ring *r, const char *name, size_t bytes)
{
	int fd = bpf_object__find_map_fd_by_name(r->obj, name);
	void *p = mmap(NULL, (bytes + 4095) & ~4095ull, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* Loads an object beside the test's own program and maps its ring. */
static inline int rt_load_object(struct rt_ring *r, const char *dir, const char *object,
				 uint32_t sub_shift)
{
	uint32_t slot_cnt;
	int err;

	memset(r, 0, sizeof(*r));
	r->cpu_cnt = slot_cnt = (uint32_t)libbpf_num_possible_cpus();
	if (r->cpu_cnt > RT_CPUS_MAX)
		return -E2BIG;
	for (uint32_t i = 0; i < r->cpu_cnt; i++)
		r->cpu_slot[i] = i == rt_without_slot ? FR_NO_SLOT : (uint16_t)i;
	err = ring_object_open(dir, object, slot_cnt, sub_shift, rt_features(), &r->obj);
	err = err ? err : ring_object_size(r->obj, "rt_cpus", r->cpu_cnt);
	err = err ? err : bpf_object__load(r->obj);
	if (err)
		return err;
	r->sub = rt_map(r, "fr_subs", ((size_t)slot_cnt << sub_shift) * sizeof(*r->sub));
	r->ctl = rt_map(r, "fr_ctl", r->cpu_cnt * sizeof(*r->ctl));
	r->cpus = rt_map(r, "rt_cpus", r->cpu_cnt * sizeof(*r->cpus));
	if (!r->sub || !r->ctl || !r->cpus)
		return -ENOMEM;
	for (uint32_t i = 0; i < r->cpu_cnt; i++)
		r->ctl[i] = FR_RING_CTL(r->cpu_slot[i], sub_shift);
	r->view = (struct fr_ring_view){
		.ctl = r->ctl,
		.sub = r->sub,
		.ring_fd = bpf_object__find_map_fd_by_name(r->obj, "fr_ring"),
		.sub_shift = sub_shift,
		.slot_cnt = slot_cnt,
		.cpu_cnt = r->cpu_cnt,
		.cpu_slot = r->cpu_slot,
		.flush_prog_fd = rt_prog_fd(r, "fr_flush"),
	};
	return 0;
}

/* As if `seq` sub-buffers had been written already; a multiple of the ring's size. At rest only. */
static inline void rt_start_at(struct rt_ring *r, uint32_t cpu, uint32_t seq)
{
	uint32_t shift = r->view.sub_shift, base = (uint32_t)r->cpu_slot[cpu] << shift;

	for (uint32_t i = 0; i < 1u << shift; i++) {
		r->sub[base + i].commit = (seq >> shift) * FR_SUB_UNITS;
		r->sub[base + i].seq = seq - (1u << shift) + i - 1; /* nobody's */
	}
	r->sub[base].seq = seq;
	r->ctl[cpu].closed_subs = seq;
	r->ctl[cpu].head = FR_HEAD_MAKE(seq, 0, 0);
}

/* ---- writers ------------------------------------------------------------------------------- */

static inline void rt_pin(uint32_t cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static inline void *rt_task_writer(void *arg)
{
	struct rt_thread *t = arg;
	char packet[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet),
		    .repeat = 10000);

	rt_pin(t->cpu);
	while (!atomic_load(&t->r->stop))
		if (bpf_prog_test_run_opts(rt_prog_fd(t->r, "rt_task"), &opts))
			break;
	free(t);
	return NULL;
}

__attribute__((noinline)) void rt_probed(uint32_t x);
__attribute__((noinline)) void rt_probed(uint32_t x)
{
	__asm__ volatile("" ::"r"(x) : "memory");
}

static inline void *rt_uprobe_writer(void *arg)
{
	struct rt_thread *t = arg;

	rt_pin(t->cpu);
	for (uint32_t i = 0; !atomic_load(&t->r->stop); i++)
		rt_probed(i);
	free(t);
	return NULL;
}

/* Datagrams to itself: system calls, and softirqs that interrupt them. */
static inline void *rt_softirq_maker(void *arg)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t bytes = sizeof(a);
	struct rt_thread *t = arg;
	char c = 0;

	rt_pin(t->cpu);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) ||
	    getsockname(fd, (struct sockaddr *)&a, &bytes))
		return NULL;
	while (!atomic_load(&t->r->stop)) {
		(void)!sendto(fd, &c, 1, 0, (struct sockaddr *)&a, sizeof(a));
		(void)!recv(fd, &c, 1, 0);
	}
	close(fd);
	free(t);
	return NULL;
}

static inline int rt_start_thread(struct rt_ring *r, void *(*run)(void *), uint32_t cpu)
{
	struct rt_thread *t = malloc(sizeof(*t));
	int err;

	if (!t)
		return -ENOMEM;
	*t = (struct rt_thread){ r, cpu };
	err = pthread_create(&r->threads[r->thread_cnt], NULL, run, t);
	if (err)
		free(t);
	else
		r->thread_cnt++;
	return -err;
}

static inline int rt_keep_link(struct rt_ring *r, struct bpf_link *link)
{
	if (!link)
		return -errno;
	r->links[r->link_cnt++] = link;
	return 0;
}

static inline int rt_attach_clock(struct rt_ring *r, uint32_t cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = RT_CLOCK_PERIOD_NS,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, (int)cpu, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		return -errno;
	return rt_keep_link(r, bpf_program__attach_perf_event(
				       bpf_object__find_program_by_name(r->obj, "rt_hardirq"), fd));
}

static inline int rt_attach(struct rt_ring *r)
{
	static const char *const names[] = { "rt_syscall", "rt_switch", "rt_softirq" };
	LIBBPF_OPTS(bpf_uprobe_opts, opts, .func_name = "rt_probed");
	int err = 0;

	for (uint32_t i = 0; i < 3 && !err; i++)
		err = rt_keep_link(
			r, bpf_program__attach(bpf_object__find_program_by_name(r->obj, names[i])));
	for (uint32_t cpu = 0; cpu < r->cpu_cnt && !err; cpu++)
		err = rt_attach_clock(r, cpu);
	if (!err)
		err = rt_keep_link(r, bpf_program__attach_uprobe_opts(
					      bpf_object__find_program_by_name(r->obj, "rt_uprobe"),
					      getpid(), "/proc/self/exe", 0, &opts));
	return err;
}

/* Everything at full speed on every CPU. */
static inline int rt_start(struct rt_ring *r)
{
	int err = rt_attach(r);

	for (uint32_t cpu = 0; cpu < r->cpu_cnt && !err; cpu++) {
		err = rt_start_thread(r, rt_task_writer, cpu);
		err = err ? err : rt_start_thread(r, rt_uprobe_writer, cpu);
		err = err ? err : rt_start_thread(r, rt_softirq_maker, cpu);
	}
	return err;
}

/* After this nobody writes but programs that the test itself runs. */
static inline void rt_stop(struct rt_ring *r)
{
	atomic_store(&r->stop, true);
	for (uint32_t i = 0; i < r->thread_cnt; i++)
		pthread_join(r->threads[i], NULL);
	for (uint32_t i = 0; i < r->link_cnt; i++)
		bpf_link__destroy(r->links[i]);
	r->thread_cnt = r->link_cnt = 0;
}

static inline void rt_unload(struct rt_ring *r)
{
	rt_stop(r);
	/* the mappings go with the process: each run has its own few pages */
	bpf_object__close(r->obj);
	r->obj = NULL;
}

#endif
