/* SPDX-License-Identifier: BSD-2-Clause */
/* Control group paths and container ids, as the various runtimes and managers write them. */
#include "cm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "recorder/container.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ID2 "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

static void path_is(const char *text, const char *want)
{
	struct fr_slice s = fr_container_cgroup(text, strlen(text));

	assert_int_equal(s.len_bytes, strlen(want));
	assert_memory_equal(s.data ? s.data : (const uint8_t *)"", want, strlen(want));
}

static void the_unified_tree_counts(void **state)
{
	(void)state;
	path_is("0::/system.slice/ssh.service\n", "/system.slice/ssh.service");
	path_is("12:pids:/a/much/longer/path/than/the/other\n0::/unified\n", "/unified");
	path_is("0::/with:colon/x\n", "/with:colon/x");
}

static void hybrid_and_v1_take_the_longest(void **state)
{
	(void)state;
	path_is("9:name=systemd:/\n4:memory:/docker/" ID "\n1:cpu:/\n0::/\n", "/docker/" ID);
	path_is("3:cpu,cpuacct:/short\n2:memory:/longer/one\n", "/longer/one");
	path_is("0::/\n", "/");
	path_is("1:cpu:/\n", "/");
}

static void what_is_no_such_text_gives_nothing(void **state)
{
	(void)state;
	path_is("", "");
	path_is("\n\n", "");
	path_is("nonsense\n", "");
	path_is("1:\n", "");
	path_is("1:cpu\n", "");
	path_is("1:cpu:relative\n", "");
	path_is("0::/cut/without/end", "");
	path_is("1:cpu:/whole\n0::/cut", "/whole");
}

static void id_is(const char *path, const char *want)
{
	struct fr_slice s = { (const uint8_t *)path, strlen(path) };

	s = fr_container_id(s);
	assert_int_equal(s.len_bytes, strlen(want));
	if (s.len_bytes)
		assert_memory_equal(s.data, want, s.len_bytes);
}

static void ids_of_every_runtime(void **state)
{
	(void)state;
	id_is("/docker/" ID, ID);
	id_is("/system.slice/docker-" ID ".scope", ID);
	id_is("/system.slice/docker-" ID ".scope/init", ID);
	id_is("/kubepods/burstable/pod0e5f0ba2-0d1f-4d43-8c5c-6e0d5e7d5b4e/" ID, ID);
	id_is("/kubepods.slice/kubepods-besteffort.slice/"
	      "kubepods-besteffort-pod0e5f0ba2_0d1f.slice/"
	      "cri-containerd-" ID ".scope",
	      ID);
	id_is("/kubepods.slice/kubepods-pod1.slice/crio-" ID ".scope", ID);
	id_is("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID
	      ".scope/container",
	      ID);
	id_is("/machine.slice/libpod-" ID ".scope", ID);
	id_is("/libpod_parent/libpod-" ID, ID);
	id_is("/../../docker/" ID, ID); /* seen from another cgroup namespace */
}

static void the_innermost_one_counts(void **state)
{
	(void)state;
	id_is("/docker/" ID "/docker/" ID2, ID2);
	id_is("/docker/" ID "/system.slice/docker-" ID2 ".scope/x", ID2);
}

static void what_looks_like_one_and_is_none(void **state)
{
	(void)state;
	id_is("/", "");
	id_is("", "");
	id_is("/system.slice/ssh.service", "");
	id_is("/docker/0123456789abcdef", ""); /* too short */
	id_is("/docker/" ID "0", "");	       /* too long */
	id_is("/docker/0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef", "");
	id_is("/machine.slice/libpod-conmon-" ID ".scope", ""); /* the monitor beside it */
	id_is("/crio-conmon-" ID ".scope", "");
	id_is("/x/docker-" ID ".service", "");
}

static void own_group_is_read(void **state)
{
	int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char buf[4096], small[1];

	(void)state;
	assert_int_equal(fr_container_read(proc_fd, (uint32_t)getpid(), buf, sizeof(buf)), 0);
	assert_int_equal(buf[0], '/');
	assert_int_equal(fr_container_read(proc_fd, (uint32_t)getpid(), small, sizeof(small)),
			 -ENAMETOOLONG);
	assert_int_equal(fr_container_read(proc_fd, 0x3fffff, buf, sizeof(buf)), -ENOENT);
	close(proc_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_unified_tree_counts),
		cmocka_unit_test(hybrid_and_v1_take_the_longest),
		cmocka_unit_test(what_is_no_such_text_gives_nothing),
		cmocka_unit_test(ids_of_every_runtime),
		cmocka_unit_test(the_innermost_one_counts),
		cmocka_unit_test(what_looks_like_one_and_is_none),
		cmocka_unit_test(own_group_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
