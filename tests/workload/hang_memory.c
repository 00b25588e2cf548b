/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hang_memory FOLDER: a process whose memory hangs whoever reads it. The page of its own ELF header
 * (or, when HANG_PADDING is in its environment, one of the pages that this value of at least two
 * pages lies on) is mapped from a file of a FUSE file system (mounted on FOLDER) whose server never
 * answers a read. It talks to itself over a socket all the time, so that the recorder asks what
 * program this is. Prints "ready", runs until it is killed; then FOLDER is to be unmounted. Exit
 * code 77: no FUSE here.
 *
 * Run it with LD_BIND_NOW=1: the hidden page holds the names that lazy binding looks up.
 */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuse_file.h"

static struct fuse_file page = {
	.program = "hang_memory",
	.folder_mode = 0555,
	.file_mode = 0444,
	.max_write = 4096,
};

static void serve(const struct fuse_in_header *in)
{
	if (fuse_serve(&page, in))
		return;
	switch (in->opcode) {
	case FUSE_READ:
	case FUSE_FORGET:
	case FUSE_INTERRUPT:
		return; /* the reader waits; the others want no answer */
	default:
		fuse_reply(&page, in, -ENOSYS, NULL, 0);
	}
}

static void run_server(void)
{
	static union {
		struct fuse_in_header head;
		char bytes[FUSE_MIN_READ_BUFFER * 2];
	} in;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(page.fd, &in, sizeof(in)) > 0 || errno == EINTR || errno == ENOENT)
		serve(&in.head);
	_exit(0);
}

/* The page that nobody shall see: all of it is what the padding holds, or the ELF header. */
static uintptr_t hidden_page(void)
{
	const char *padding = getenv("HANG_PADDING");

	if (padding && strlen(padding) >= 2 * page.bytes)
		return ((uintptr_t)padding + page.bytes - 1) & ~(uintptr_t)(page.bytes - 1);
	return getauxval(AT_PHDR) & ~(uintptr_t)(page.bytes - 1);
}

static int hide_page(const char *folder)
{
	uintptr_t hidden = hidden_page();
	char text[300];
	pid_t server;
	int fd, err;

	err = fuse_mount(&page, folder, ",allow_other");
	if (err)
		return err;
	server = fork();
	if (!server)
		run_server();
	close(page.fd);
	snprintf(text, sizeof(text), "%s/page", folder);
	fd = server < 0 ? -1 : open(text, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* from here on nothing may look at it: the calls below are bound already */
	if (mmap((void *)hidden, page.bytes, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0) ==
	    MAP_FAILED)
		return -errno;
	return 0;
}

int main(int argc, char **argv)
{
	char text[] = "hello, is anybody there?";
	int ends[2], err;

	page.bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	err = argc == 2 ? hide_page(argv[1]) : -EINVAL;
	if (err) {
		fprintf(stderr, "hang_memory: FUSE: %s\n", strerror(-err));
		return err == -ENOENT || err == -ENODEV || err == -EPERM ? 77 : 1;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return 1;
	puts("ready");
	fflush(stdout);
	for (int i = 0;; i ^= 1) { /* to and fro: each one begins a message */
		if (send(ends[i], text, sizeof(text), MSG_NOSIGNAL) < 0 ||
		    recv(ends[!i], text, sizeof(text), 0) < 0)
			return 1;
		poll(NULL, 0, 50);
	}
}
