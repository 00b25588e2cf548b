/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loading when the kernel refuses, or lacks, part of what is loaded: the rest is recorded, and it
 * is said what is missing and why. Needs root.
 */
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/base/log.h"
#include "recorder/clock.h"
#include "recorder/privilege.h"
#include "recorder/probes.h"

static int failed_cnt;
static char messages[65536]; /* what was logged */

static void check(bool ok, const char *name)
{
	printf("%s %s\n", ok ? "ok" : "not ok", name);
	if (!ok)
		printf("# logged:\n%s\n", messages);
	failed_cnt += !ok;
}

/* An object of this test under the name of a family. */
static struct fr_bpf_embed object(const char *program, const char *file, const char *name)
{
	char path[4096], folder[4096];
	unsigned char *bytes = NULL;
	struct stat st;
	int fd;

	snprintf(folder, sizeof(folder), "%s", program);
	snprintf(path, sizeof(path), "%s/%s.bpf.o", dirname(folder), file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && !fstat(fd, &st))
		bytes = malloc((size_t)st.st_size);
	if (!bytes || read(fd, bytes, (size_t)st.st_size) != st.st_size) {
		printf("not ok cannot read %s\n", path);
		exit(1);
	}
	close(fd);
	return (struct fr_bpf_embed){ name, bytes, bytes + st.st_size };
}

static struct fr_bpf_embed *own;
static struct fr_bpf_embed table[64];

/* The real objects, but for those whose place a test object takes. */
static void make_table(uint32_t own_cnt)
{
	uint32_t cnt = 0;

	for (uint32_t i = 0; i < own_cnt; i++)
		table[cnt++] = own[i];
	for (const struct fr_bpf_embed *e = fr_bpf_embeds; e->name; e++) {
		bool replaced = false;

		for (uint32_t i = 0; i < own_cnt; i++)
			replaced = replaced || !strcmp(own[i].name, e->name);
		if (!replaced)
			table[cnt++] = *e;
	}
	table[cnt] = (struct fr_bpf_embed){ 0 };
}

static bool said(const char *text)
{
	return strstr(messages, text);
}

static uint32_t lines_with(const char *text)
{
	uint32_t cnt = 0;

	for (const char *at = messages; (at = strstr(at, text)); at++)
		cnt++;
	return cnt;
}

static bool degraded(const struct fr_features *f, const char *text)
{
	for (uint32_t i = 0; i < f->degraded_cnt; i++)
		if (strstr(f->degraded[i], text))
			return true;
	return false;
}

static int load(struct fr_probes **p, struct fr_features *f, const struct fr_layout *layout)
{
	char name[] = "/tmp/fr-probes-test-XXXXXX";
	int fd = mkstemp(name), saved = dup(2), err;
	struct fr_config config = { .max_sockets = 1000 };
	ssize_t n;

	unlink(name);
	config.families = 1u << FR_FAMILY_PROC | 1u << FR_FAMILY_SCHED | 1u << FR_FAMILY_WAKING |
			  1u << FR_FAMILY_TCP;
	fflush(NULL);
	dup2(fd, 2);
	err = fr_probes_load(p, table, &config, f, layout);
	if (!err)
		err = fr_probes_attach(*p, f);
	fflush(stderr);
	dup2(saved, 2);
	close(saved);
	n = pread(fd, messages, sizeof(messages) - 1, 0);
	messages[n > 0 ? n : 0] = 0;
	close(fd);
	return err;
}

int main(int argc, char **argv)
{
	struct fr_features features;
	struct fr_layout layout;
	struct fr_clock_pair pair;
	struct fr_cpus cpus;
	struct fr_probes *p = NULL;
	const char *why;
	char err[200];

	(void)argc;
	fr_log_init("probes_test", FR_LOG_INFO);
	if (fr_privilege_check(false)) {
		printf("skip probes needs root\n");
		return 0;
	}
	if (fr_cpus_read(&cpus) || fr_layout_make(&layout, &cpus, 16u << 20, err, sizeof(err)) ||
	    fr_features_read(&features, "")) {
		printf("not ok set up\n");
		return 1;
	}
	own = (struct fr_bpf_embed[]){
		object(argv[0], "probes_refused", "bpf/sched"),
		object(argv[0], "probes_missing", "bpf/waking"),
		object(argv[0], "probes_absent", "bpf/tcp"),
	};
	make_table(3);
	check(!load(&p, &features, &layout), "recording goes on");
	if (!p)
		return 1;
	check(!fr_probes_family(p, FR_FAMILY_SCHED, &why) && strstr(why, "fr_test_refused"),
	      "refused: the family is off and says why");
	check(said("bpf/sched: the kernel refused program fr_test_refused"),
	      "refused: the message names the program");
	check(lines_with("  | ") > 3 && lines_with("  | ") <= 20,
	      "refused: the end of the verifier's log");
	check(degraded(&features, "family sched is not recorded"), "refused: it is a degradation");
	check(fr_probes_family(p, FR_FAMILY_WAKING, &why), "missing tracepoint: the rest is there");
	check(degraded(&features, "no tracepoint fr_no_such_tracepoint"),
	      "missing tracepoint: it is named");
	check(fr_probes_prog_fd(p, "fr_test_present") >= 0 &&
		      fr_probes_prog_fd(p, "fr_test_missing") < 0,
	      "missing tracepoint: only its program is left out");
	check(!fr_probes_family(p, FR_FAMILY_TCP, &why) && strstr(why, "none of its tracepoints"),
	      "absent: the family is off and says why");
	check(fr_probes_family(p, FR_FAMILY_PROC, &why), "identity is there");
	check(!fr_clock_pair(p, FR_CLOCK_START, &pair) && pair.boot_ns && pair.bound_ns < 10000000,
	      "helpers are there");
	check(fr_probes_map_fd(p, "fr_ring") >= 0 && fr_probes_map_fd(p, ".rodata.knobs") < 0,
	      "maps are shared by name");
	fr_probes_free(p);

	p = NULL;
	own[0].name = "bpf/proc";
	make_table(1);
	check(load(&p, &features, &layout) && !p, "without identity nothing is recorded");
	check(said("bpf/proc: the kernel refused"), "without identity: it is said");
	fr_features_done(&features);
	for (uint32_t i = 0; i < 3; i++)
		free((void *)(uintptr_t)own[i].start);
	return failed_cnt ? 1 : 0;
}
