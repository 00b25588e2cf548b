/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The C side of cgoreg: sends with a chosen value in r14, from a chosen kind of thread.
 */
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "send.h"

/*
 * A thread-local variable of C shares one block with the word in which the Go runtime keeps g.
 * With an alignment of more than 8 (build tag cgotls) it moves that word away from fsbase - 8.
 */
#ifndef CGOREG_TLS_ALIGN
#define CGOREG_TLS_ALIGN 8
#endif
__thread volatile uint64_t cgoreg_local
	__attribute__((aligned(CGOREG_TLS_ALIGN))) = 0x1122334455667788;

static long send_with(int fd, const void *p, unsigned long bytes, uint64_t r14)
{
	long result;
	register long flags __asm__("r10") = 0;
	register long to __asm__("r8") = 0;
	register long to_bytes __asm__("r9") = 0;

	/* r14 holds the value across the call and is given back after it */
	__asm__ volatile("movq %%r14, %%r15\n\t"
			 "movq %[value], %%r14\n\t"
			 "syscall\n\t"
			 "movq %%r15, %%r14"
			 : "=a"(result)
			 : "a"((long)SYS_sendto), "D"((long)fd), "S"(p),
			   "d"(bytes), [value] "b"(r14), "r"(flags), "r"(to), "r"(to_bytes)
			 : "rcx", "r11", "r12", "r13", "r15", "memory");
	return result;
}

static uint64_t word_below_fs(void)
{
	uint64_t v;

	__asm__ volatile("movq %%fs:-8, %0" : "=r"(v));
	return v;
}

static void *run(void *arg)
{
	struct cgoreg_send *s = arg;

	s->tid = (int)syscall(SYS_gettid);
	s->fs_word = word_below_fs();
	s->local = cgoreg_local;
	if (s->r14_from_fs)
		s->r14 = s->fs_word;
	s->result = send_with(s->fd, s->text, strlen(s->text), s->r14);
	return NULL;
}

int cgoreg_on_this_thread(struct cgoreg_send *s)
{
	run(s);
	return 0;
}

/* On a thread that Go has never seen. */
int cgoreg_on_c_thread(struct cgoreg_send *s)
{
	pthread_t t;
	int err = pthread_create(&t, NULL, run, s);

	return err ? err : pthread_join(t, NULL);
}
