/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hang_memory FOLDER: a process whose memory hangs whoever reads it. The page of its own ELF header
 * is mapped from a file of a FUSE file system (mounted on FOLDER) whose server never answers a
 * read. It talks to itself over a socket all the time, so that the recorder asks what program this
 * is. Prints "ready", runs until it is killed; then FOLDER is to be unmounted. Exit code 77: no
 * FUSE here.
 *
 * Run it with LD_BIND_NOW=1: the hidden page holds the names that lazy binding looks up.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE_INODE 2u

static int fuse_fd;
static uint32_t page_bytes;

static void reply(const struct fuse_in_header *in, int err, const void *body, size_t body_bytes)
{
	struct fuse_out_header out = { .len = (uint32_t)(sizeof(out) + body_bytes),
				       .error = err,
				       .unique = in->unique };
	struct iovec parts[] = {
		{ &out, sizeof(out) },
		{ (void *)(uintptr_t)body, body_bytes },
	};

	if (writev(fuse_fd, parts, body_bytes ? 2 : 1) < 0)
		fprintf(stderr, "hang_memory: FUSE reply: %s\n", strerror(errno));
}

static struct fuse_attr attr_of(uint64_t node)
{
	return (struct fuse_attr){
		.ino = node,
		.mode = node == PAGE_INODE ? S_IFREG | 0444 : S_IFDIR | 0555,
		.nlink = 1,
		.size = node == PAGE_INODE ? page_bytes : 0,
	};
}

static void serve(const struct fuse_in_header *in)
{
	struct fuse_init_out init = { .major = FUSE_KERNEL_VERSION,
				      .minor = FUSE_KERNEL_MINOR_VERSION,
				      .max_write = 4096 };
	struct fuse_entry_out entry = { .nodeid = PAGE_INODE, .attr = attr_of(PAGE_INODE) };
	struct fuse_attr_out attr = { .attr = attr_of(in->nodeid) };
	struct fuse_open_out opened = { 0 };

	switch (in->opcode) {
	case FUSE_INIT:
		reply(in, 0, &init, sizeof(init));
		return;
	case FUSE_LOOKUP:
		reply(in, 0, &entry, sizeof(entry));
		return;
	case FUSE_GETATTR:
		reply(in, 0, &attr, sizeof(attr));
		return;
	case FUSE_OPEN:
		reply(in, 0, &opened, sizeof(opened));
		return;
	case FUSE_READ:
	case FUSE_FORGET:
	case FUSE_INTERRUPT:
		return; /* the reader waits; the others want no answer */
	default:
		reply(in, -ENOSYS, NULL, 0);
	}
}

static void run_server(void)
{
	static union {
		struct fuse_in_header head;
		char bytes[FUSE_MIN_READ_BUFFER * 2];
	} in;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(fuse_fd, &in, sizeof(in)) > 0 || errno == EINTR || errno == ENOENT)
		serve(&in.head);
	_exit(0);
}

static int hide_header(const char *folder)
{
	uintptr_t header = getauxval(AT_PHDR) & ~(uintptr_t)(page_bytes - 1);
	char text[300];
	pid_t server;
	int fd;

	fuse_fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (fuse_fd < 0)
		return -errno;
	snprintf(text, sizeof(text), "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other",
		 fuse_fd);
	if (mount("hang_memory", folder, "fuse", MS_NOSUID | MS_NODEV, text))
		return -errno;
	server = fork();
	if (!server)
		run_server();
	close(fuse_fd);
	snprintf(text, sizeof(text), "%s/page", folder);
	fd = server < 0 ? -1 : open(text, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* from here on nothing may look at the header: the calls below are bound already */
	if (mmap((void *)header, page_bytes, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0) ==
	    MAP_FAILED)
		return -errno;
	return 0;
}

int main(int argc, char **argv)
{
	char text[] = "hello, is anybody there?";
	int ends[2], err;

	page_bytes = (uint32_t)sysconf(_SC_PAGESIZE);
	err = argc == 2 ? hide_header(argv[1]) : -EINVAL;
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
