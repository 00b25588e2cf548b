/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the numbers of a Linux kernel are called (event.h). Tables of our own: a dump is read on any
 * machine, whose errno, signals and states may have other numbers. x86-64 and arm64 agree on these.
 */
#include "fields.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

static const char *const errno_names[] = {
	[1] = "EPERM", [2] = "ENOENT", [3] = "ESRCH", [4] = "EINTR", [5] = "EIO",
	[6] = "ENXIO", [7] = "E2BIG", [8] = "ENOEXEC", [9] = "EBADF", [10] = "ECHILD",
	[11] = "EAGAIN", [12] = "ENOMEM", [13] = "EACCES", [14] = "EFAULT",
	[15] = "ENOTBLK", [16] = "EBUSY", [17] = "EEXIST", [18] = "EXDEV", [19] = "ENODEV",
	[20] = "ENOTDIR", [21] = "EISDIR", [22] = "EINVAL", [23] = "ENFILE",
	[24] = "EMFILE", [25] = "ENOTTY", [26] = "ETXTBSY", [27] = "EFBIG", [28] = "ENOSPC",
	[29] = "ESPIPE", [30] = "EROFS", [31] = "EMLINK", [32] = "EPIPE", [33] = "EDOM",
	[34] = "ERANGE", [35] = "EDEADLK", [36] = "ENAMETOOLONG", [37] = "ENOLCK",
	[38] = "ENOSYS", [39] = "ENOTEMPTY", [40] = "ELOOP", [42] = "ENOMSG",
	[43] = "EIDRM", [44] = "ECHRNG", [45] = "EL2NSYNC", [46] = "EL3HLT",
	[47] = "EL3RST", [48] = "ELNRNG", [49] = "EUNATCH", [50] = "ENOCSI",
	[51] = "EL2HLT", [52] = "EBADE", [53] = "EBADR", [54] = "EXFULL", [55] = "ENOANO",
	[56] = "EBADRQC", [57] = "EBADSLT", [59] = "EBFONT", [60] = "ENOSTR",
	[61] = "ENODATA", [62] = "ETIME", [63] = "ENOSR", [64] = "ENONET", [65] = "ENOPKG",
	[66] = "EREMOTE", [67] = "ENOLINK", [68] = "EADV", [69] = "ESRMNT", [70] = "ECOMM",
	[71] = "EPROTO", [72] = "EMULTIHOP", [73] = "EDOTDOT", [74] = "EBADMSG",
	[75] = "EOVERFLOW", [76] = "ENOTUNIQ", [77] = "EBADFD", [78] = "EREMCHG",
	[79] = "ELIBACC", [80] = "ELIBBAD", [81] = "ELIBSCN", [82] = "ELIBMAX",
	[83] = "ELIBEXEC", [84] = "EILSEQ", [85] = "ERESTART", [86] = "ESTRPIPE",
	[87] = "EUSERS", [88] = "ENOTSOCK", [89] = "EDESTADDRREQ", [90] = "EMSGSIZE",
	[91] = "EPROTOTYPE", [92] = "ENOPROTOOPT", [93] = "EPROTONOSUPPORT",
	[94] = "ESOCKTNOSUPPORT", [95] = "EOPNOTSUPP", [96] = "EPFNOSUPPORT",
	[97] = "EAFNOSUPPORT", [98] = "EADDRINUSE", [99] = "EADDRNOTAVAIL",
	[100] = "ENETDOWN", [101] = "ENETUNREACH", [102] = "ENETRESET",
	[103] = "ECONNABORTED", [104] = "ECONNRESET", [105] = "ENOBUFS", [106] = "EISCONN",
	[107] = "ENOTCONN", [108] = "ESHUTDOWN", [109] = "ETOOMANYREFS",
	[110] = "ETIMEDOUT", [111] = "ECONNREFUSED", [112] = "EHOSTDOWN",
	[113] = "EHOSTUNREACH", [114] = "EALREADY", [115] = "EINPROGRESS", [116] = "ESTALE",
	[117] = "EUCLEAN", [118] = "ENOTNAM", [119] = "ENAVAIL", [120] = "EISNAM",
	[121] = "EREMOTEIO", [122] = "EDQUOT", [123] = "ENOMEDIUM", [124] = "EMEDIUMTYPE",
	[125] = "ECANCELED", [126] = "ENOKEY", [127] = "EKEYEXPIRED", [128] = "EKEYREVOKED",
	[129] = "EKEYREJECTED", [130] = "EOWNERDEAD", [131] = "ENOTRECOVERABLE",
	[132] = "ERFKILL", [133] = "EHWPOISON",
};

/* Codes that the kernel keeps to itself, but that its tracepoints show. */
static const char *const internal_errno_names[] = {
	[0] = "ERESTARTSYS", [1] = "ERESTARTNOINTR", [2] = "ERESTARTNOHAND",
	[3] = "ENOIOCTLCMD", [4] = "ERESTART_RESTARTBLOCK", [5] = "EPROBE_DEFER",
	[6] = "EOPENSTALE", [7] = "ENOPARAM", [9] = "EBADHANDLE", [10] = "ENOTSYNC",
	[11] = "EBADCOOKIE", [12] = "ENOTSUPP", [13] = "ETOOSMALL", [14] = "ESERVERFAULT",
	[15] = "EBADTYPE", [16] = "EJUKEBOX", [17] = "EIOCBQUEUED",
	[18] = "ERECALLCONFLICT", [19] = "ENOGRACE",
};
#define INTERNAL_ERRNO_FIRST 512u

const char *fr_errno_lookup(int err)
{
	uint32_t n = err < 0 ? 0u - (uint32_t)err : (uint32_t)err;

	if (n < COUNT(errno_names))
		return errno_names[n];
	if (n >= INTERNAL_ERRNO_FIRST && n - INTERNAL_ERRNO_FIRST < COUNT(internal_errno_names))
		return internal_errno_names[n - INTERNAL_ERRNO_FIRST];
	return NULL;
}

const char *fr_errno_name(int err)
{
	const char *name = fr_errno_lookup(err);

	return name ? name : "errno";
}

static const char *const signal_names[] = {
	[1] = "SIGHUP", [2] = "SIGINT", [3] = "SIGQUIT", [4] = "SIGILL", [5] = "SIGTRAP",
	[6] = "SIGABRT", [7] = "SIGBUS", [8] = "SIGFPE", [9] = "SIGKILL", [10] = "SIGUSR1",
	[11] = "SIGSEGV", [12] = "SIGUSR2", [13] = "SIGPIPE", [14] = "SIGALRM",
	[15] = "SIGTERM", [16] = "SIGSTKFLT", [17] = "SIGCHLD", [18] = "SIGCONT",
	[19] = "SIGSTOP", [20] = "SIGTSTP", [21] = "SIGTTIN", [22] = "SIGTTOU",
	[23] = "SIGURG", [24] = "SIGXCPU", [25] = "SIGXFSZ", [26] = "SIGVTALRM",
	[27] = "SIGPROF", [28] = "SIGWINCH", [29] = "SIGIO", [30] = "SIGPWR",
	[31] = "SIGSYS", [32] = "SIG32", [33] = "SIG33", [34] = "SIG34", [35] = "SIG35",
	[36] = "SIG36", [37] = "SIG37", [38] = "SIG38", [39] = "SIG39", [40] = "SIG40",
	[41] = "SIG41", [42] = "SIG42", [43] = "SIG43", [44] = "SIG44", [45] = "SIG45",
	[46] = "SIG46", [47] = "SIG47", [48] = "SIG48", [49] = "SIG49", [50] = "SIG50",
	[51] = "SIG51", [52] = "SIG52", [53] = "SIG53", [54] = "SIG54", [55] = "SIG55",
	[56] = "SIG56", [57] = "SIG57", [58] = "SIG58", [59] = "SIG59", [60] = "SIG60",
	[61] = "SIG61", [62] = "SIG62", [63] = "SIG63", [64] = "SIG64",
};

const char *fr_signal_lookup(uint32_t sig)
{
	return sig < COUNT(signal_names) ? signal_names[sig] : NULL;
}

const char *fr_signal_name(uint32_t sig)
{
	const char *name = fr_signal_lookup(sig);

	return name ? name : "signal";
}

const char *fr_tcp_state_lookup(uint32_t s)
{
	static const char *const names[] = {
		[1] = "ESTABLISHED", [2] = "SYN_SENT", [3] = "SYN_RECV", [4] = "FIN_WAIT1",
		[5] = "FIN_WAIT2", [6] = "TIME_WAIT", [7] = "CLOSE", [8] = "CLOSE_WAIT",
		[9] = "LAST_ACK", [10] = "LISTEN", [11] = "CLOSING", [12] = "NEW_SYN_RECV",
		[13] = "BOUND_INACTIVE",
	};

	return s < COUNT(names) ? names[s] : NULL;
}

const char *fr_tcp_state_name(uint32_t s)
{
	const char *name = fr_tcp_state_lookup(s);

	return name ? name : "unknown";
}

/* Only what means the same in every kernel since 5.15: the zone operations were renumbered. */
static const char *const block_op_names[] = {
	[FR_BLOCK_READ] = "read",
	[FR_BLOCK_WRITE] = "write",
	[FR_BLOCK_FLUSH] = "flush",
	[FR_BLOCK_DISCARD] = "discard",
	[5] = "secure_erase",
	[9] = "write_zeroes",
	[34] = "drv_in",
	[35] = "drv_out",
};

const char *fr_block_op_lookup(uint32_t op)
{
	return op < COUNT(block_op_names) ? block_op_names[op] : NULL;
}

const char *fr_block_op_name(uint32_t op)
{
	const char *name = fr_block_op_lookup(op);

	return name ? name : "other";
}

/* TASK_* and EXIT_* of <linux/sched.h>; stable since 4.14. */
#define TASK_INTERRUPTIBLE 0x1u
#define TASK_UNINTERRUPTIBLE 0x2u
#define TASK_STOPPED 0x4u
#define TASK_TRACED 0x8u
#define EXIT_DEAD 0x10u
#define EXIT_ZOMBIE 0x20u
#define TASK_PARKED 0x40u
#define TASK_DEAD 0x80u
#define TASK_WAKING 0x200u
#define TASK_NOLOAD 0x400u
#define TASK_RTLOCK_WAIT 0x1000u
#define TASK_FROZEN 0x8000u

char fr_task_state_letter(uint32_t state)
{
	/* first match wins: several bits may be set, the first rows say more than the later ones */
	static const struct {
		uint32_t bits; /* all of them */
		char letter;
	} rows[] = {
		{ EXIT_ZOMBIE, 'Z' },
		{ EXIT_DEAD, 'X' },
		{ TASK_DEAD, 'X' },
		{ TASK_TRACED, 't' },
		{ TASK_STOPPED, 'T' },
		{ TASK_PARKED, 'P' },
		{ TASK_UNINTERRUPTIBLE | TASK_NOLOAD, 'I' },
		{ TASK_UNINTERRUPTIBLE, 'D' },
		{ TASK_RTLOCK_WAIT, 'D' },
		{ TASK_FROZEN, 'D' },
		{ TASK_INTERRUPTIBLE, 'S' },
		{ TASK_WAKING, 'R' },
		{ 0, 'R' },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		if (rows[i].bits ? (state & rows[i].bits) == rows[i].bits : !state)
			return rows[i].letter;
	return '?';
}
