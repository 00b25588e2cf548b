/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control socket: a unix stream socket, one request and one answer a connection (request.h has
 * the protocol). Peers must be root, this daemon's user, or of the socket's group. Slow or hostile
 * clients meet a deadline and a limit on connections; recording never waits for one.
 */
#ifndef FR_RECORDER_CONTROL_H
#define FR_RECORDER_CONTROL_H

#include <stdint.h>
#include <sys/types.h>

#include "formats/base/buf.h"
#include "loop.h"
#include "request.h"

#define FR_CONTROL_CLIENTS_MAX 16
#define FR_CONTROL_DEADLINE_NS 5000000000ull /* for sending a line, and for taking an answer */
#define FR_CONTROL_WAIT_NS 180000000000ull   /* for a dump to be written */
#define FR_CONTROL_GROUP "flightrec"

struct fr_control;

struct fr_client {
	struct fr_control *control;
	int fd; /* -1 = this place is free */
	pid_t pid;
	uid_t uid;
	uint32_t line_bytes;
	char line[FR_REQUEST_BYTES_MAX];
	uint64_t deadline_ns; /* CLOCK_MONOTONIC */
	uint64_t waits_for;   /* dump number; 0 = none */
	struct fr_buf answer; /* empty until there is one */
	size_t sent_bytes;
};

struct fr_control {
	struct fr_loop *loop;
	int listen_fd; /* -1 = no socket */
	int timer_fd;
	char path[108];
	gid_t gid;
	struct fr_client clients[FR_CONTROL_CLIENTS_MAX];
	uint64_t refused_cnt; /* peers without permission, connections over the limit */
	uint64_t timeout_cnt;
	/* Answers by fr_client_ok(), fr_client_error() or fr_client_wait(). */
	void (*serve)(void *ctx, struct fr_client *client, const struct fr_request *request);
	void *ctx;
};

/*
 * Binds the socket (its directory is made if missing) and joins the loop. Negative errno after a
 * message: -EADDRINUSE: a living daemon answers there; -EACCES, -EPERM; others.
 */
int fr_control_open(struct fr_control *c, struct fr_loop *loop, const char *path);
/* Removes the socket. */
void fr_control_close(struct fr_control *c);
/* In a child: closes its copies, nothing else. */
void fr_control_forked(const struct fr_control *c);

/* Answers "ok" and a body (may be NULL). */
void fr_client_ok(struct fr_client *client, const struct fr_buf *body);
/* code: enum fr_exit, for the client to exit with. */
void fr_client_error(struct fr_client *client, int code, const char *text);
/* Answers when the dump of this number is done. */
void fr_client_wait(struct fr_client *client, uint64_t number);
/* Wakes those who wait for it: path of the dump, or NULL and what went wrong. */
void fr_control_dump_done(struct fr_control *c, uint64_t number, const char *path,
			  const char *error);

#endif
