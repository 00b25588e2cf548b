/* SPDX-License-Identifier: BSD-2-Clause */
/* Field numbers of Perfetto's trace format, of the messages that we write: protos/perfetto/trace/,
 * stable by the rules of protocol buffers. */
#ifndef FR_OUT_PERFETTO_FIELDS_H
#define FR_OUT_PERFETTO_FIELDS_H

enum { /* trace.proto, Trace */
	PF_TRACE_PACKET = 1,
};

enum { /* trace_packet.proto, TracePacket */
	PF_PACKET_FTRACE = 1,
	PF_PACKET_CLOCKS = 6,
	PF_PACKET_TIMESTAMP = 8, /* BOOTTIME where no other clock is said */
	PF_PACKET_SEQUENCE = 10,
	PF_PACKET_EVENT = 11,
	PF_PACKET_INTERNED = 12,
	PF_PACKET_FLAGS = 13,
	PF_PACKET_DROPPED = 42,
	PF_PACKET_SYSTEM = 45,
	PF_PACKET_TRACK = 60,
};
enum { PF_FLAG_CLEARED = 1, PF_FLAG_NEEDS = 2 };

enum { /* clock_snapshot.proto */
	PF_CLOCKS_CLOCK = 1,
	PF_CLOCKS_PRIMARY = 2,
	PF_CLOCK_ID = 1,
	PF_CLOCK_TIME = 2,
};
enum { PF_CLOCK_REALTIME = 1, PF_CLOCK_BOOTTIME = 6 };

enum { /* system_info.proto */
	PF_SYSTEM_UTSNAME = 1,
	PF_UTSNAME_SYSNAME = 1,
	PF_UTSNAME_VERSION = 2,
	PF_UTSNAME_RELEASE = 3,
	PF_UTSNAME_MACHINE = 4,
};

enum { /* track_event/track_descriptor.proto, process_descriptor.proto, thread_descriptor.proto */
	PF_TRACK_UUID = 1,
	PF_TRACK_NAME = 2,
	PF_TRACK_PROCESS = 3,
	PF_TRACK_THREAD = 4,
	PF_TRACK_PARENT = 5,
	PF_PROCESS_PID = 1,
	PF_PROCESS_CMDLINE = 2,
	PF_PROCESS_NAME = 6,
	PF_PROCESS_START = 7,
	PF_THREAD_PID = 1,
	PF_THREAD_TID = 2,
	PF_THREAD_NAME = 5,
};

enum { /* track_event/track_event.proto, debug_annotation.proto */
	PF_EVENT_CATEGORY_IIDS = 3,
	PF_EVENT_ARG = 4,
	PF_EVENT_TYPE = 9,
	PF_EVENT_NAME_IID = 10,
	PF_EVENT_TRACK = 11,
	PF_EVENT_CATEGORIES = 22,
	PF_EVENT_NAME = 23,
	PF_EVENT_FLOWS = 47,
	PF_ARG_NAME_IID = 1,
	PF_ARG_BOOL = 2,
	PF_ARG_UINT = 3,
	PF_ARG_INT = 4,
	PF_ARG_STRING = 6,
	PF_ARG_POINTER = 7,
	PF_ARG_NAME = 10,
};

enum { /* interned_data/interned_data.proto */
	PF_INTERNED_CATEGORIES = 1,
	PF_INTERNED_NAMES = 2,
	PF_INTERNED_ARGS = 3,
	PF_INTERNED_IID = 1,
	PF_INTERNED_STRING = 2,
};

enum { /* ftrace/ftrace_event_bundle.proto, ftrace_event.proto, sched.proto */
	PF_FTRACE_CPU = 1,
	PF_FTRACE_EVENT = 2,
	PF_FTRACE_LOST = 3,
	PF_FEVENT_TIMESTAMP = 1,
	PF_FEVENT_PID = 2,
	PF_FEVENT_SWITCH = 4,
	PF_FEVENT_FLAGS = 5,
	PF_FEVENT_WAKING = 20,
	PF_SWITCH_PREV_COMM = 1,
	PF_SWITCH_PREV_PID = 2,
	PF_SWITCH_PREV_PRIO = 3,
	PF_SWITCH_PREV_STATE = 4,
	PF_SWITCH_NEXT_COMM = 5,
	PF_SWITCH_NEXT_PID = 6,
	PF_SWITCH_NEXT_PRIO = 7,
	PF_WAKING_COMM = 1,
	PF_WAKING_PID = 2,
	PF_WAKING_PRIO = 3,
	PF_WAKING_SUCCESS = 4,
	PF_WAKING_CPU = 5,
};
enum { PF_TRACE_HARDIRQ = 8, PF_TRACE_SOFTIRQ = 16 }; /* common_flags */

#endif
