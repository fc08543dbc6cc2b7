// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What the probes keep. State is the truth: facts are written here first, and
 * the ring only carries who was seen first and when. Nothing grows with the
 * number of events.
 */
#pragma once
#include "kernel.h"

enum {
	SLOTS = 2048,		/* containers at a time; slot 0 is the host */
	CALLS = 512,		/* native system call numbers start below this */
	CACHE = 8192,
	STACKS = 16384,
	COMM = 16,
	CGROUP_PATH = 256,
	EXE_PATH = 256,
	RING = 2 << 20,		/* bytes of events that nobody has read yet */
	FRAMES = 12,
};

/* How a call was made, one bit each: by the runtime or by the workload, without
 * or with a seccomp filter in force; or refused by the filter. */
enum class {
	START_OPEN = 1,
	START_FILTERED = 2,
	RUN_OPEN = 4,
	RUN_FILTERED = 8,
	DENIED = 16,
};

enum arch { ARCH_NATIVE, ARCH_COMPAT, ARCH_X32 };
enum { ABIS = 2 };	/* with tables of their own numbers: native and compat */
enum { X32 = 0x40000000 };	/* the bit in a call's number */

/* Calls that always take the slow path, because after them the task may be in
 * another container or under another filter. Kept apart from seen[]. */
enum aside { ASIDE_UNSHARE, ASIDE_SETNS, ASIDE_SECCOMP, ASIDE_PRCTL, ASIDES };

/* 8 is user space's, for a slot that is of nobody and not free yet. */
enum slot_flag { SLOT_LATE = 1, SLOT_ENDED = 2, SLOT_FACTS_LOST = 4 };

/* What could not be kept of one container. */
struct facts_lost {
	__u32 calls, args, caps, nets, sockets, files, sctp;
	__u32 refusals;		/* 1 or more: how many is not known */
};

/* A mount namespace that is not the host's. */
struct slot {
	__u64 id;		/* unique number of the namespace, 0 while free */
	__u64 cgroup;		/* id of the cgroup below */
	__u64 from;		/* the namespace that it was made from */
	__u64 time;		/* of the first call, boot clock, ns; 0 while it is filled */
	__u64 sync;		/* when a filter for all threads began, 0 while none does */
	__u64 ended;		/* when its first process did, 0 while it lives */
	__u32 inum, netns, pidns, pid;
	__u32 flags, code, execs, init;
	__u8 aside[8];
	char comm[COMM];
	char path[CGROUP_PATH];	/* names from the leaf up, each ended by a zero */
	struct facts_lost lost;
	__u8 seen[CALLS];
	__u8 compat[CALLS];
};

/* What is known of the task that has a stack: see stack.h. */
struct stack {
	__u64 known;		/* where it is */
	__u64 call;		/* what it is doing */
};

/* Who made the first of many. */
struct sighting {
	__u64 time;
	__u64 exe;		/* key into exes, 0 where not known */
	__u32 pid, tid;
	char comm[COMM];
};

enum event_kind { EVENT_SLOT = 1, EVENT_CALL, EVENT_EXEC, EVENT_EXIT };

struct event {
	__u64 id;
	__u32 slot, kind;
	__u32 nr, code;
	__u8 arch, class, pad[6];
	struct sighting by;
};

/* A call that no bit of a slot tells all of: its number has no place there, or it
 * was refused, with code. */
struct call_key { __u64 id; __u32 nr; __u8 arch, class; __u16 code; };

enum { OUTCOME_UNKNOWN = 0x7fff };
enum userns { USERNS_CONTAINER, USERNS_HOST, USERNS_OTHER };
enum { OPTIONS_UNKNOWN = 0xff };

struct cap_key {
	__u64 id, stack;
	__s32 nr;
	__s16 cap, outcome;	/* errno of the call, 0 when it went well */
	__u8 refused, class, overridden, userns, options, arch, pad[2];
};
struct cap_val {
	struct sighting by;
	__u64 count;
	__u64 frames[FRAMES];
};

enum net_kind { NET_CONNECT = 1, NET_CONNECTED, NET_FAILED, NET_ACCEPT, NET_LISTEN };

struct net_key {
	__u64 id;		/* 0: no container known, netns and cgroup may tell */
	__u32 netns;
	__u8 kind, family, protocol, result;
	__u16 lport, rport;	/* the one a client picks at random is 0 */
	__u8 address[16];	/* the peer's; of a listener its own */
	__u32 pad;
};
struct net_val {
	struct sighting by;
	__u64 count, cgroup;
	__u8 local[16];
	__u8 requested[16];	/* what connect() was called with */
	__u16 port, requested_port; /* one sample of the port the key leaves out */
	__u32 pad;
};

struct exe { char path[EXE_PATH]; };

/* What could not be kept. */
struct losses {
	__u64 slots, events, calls, caps, nets, exes, outcomes, sockets, args, counts, files, lasts,
	      sctp, refusals;
};

struct task {
	__u64 id;
	__u32 inum, netns, pidns, tgid;
	__u64 cgroup;
	__u32 filtered, pad;	/* by seccomp */
	char path[CGROUP_PATH];	/* as in struct slot */
};
