// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Where the state is kept, and how much of it there can be. */
#pragma once
#include "state.h"

struct slot slots[SLOTS];
__u32 by_inum[CACHE];
struct stack stacks[STACKS];
struct losses lost;
__u64 fresh;			/* entries ever added to caps and nets */
__u32 host_inum;
__u32 host_netns;

__u64 attached_at;		/* boot clock, ns */
__u64 booted_at;		/* by the recorder's clock, ns since 1970; only user space reads it */
__u32 leaving;			/* the probe on the way out is attached */
__u32 unwatched;		/* it is not, and who gets a filter has it attached */

volatile const __u32 stack_shift = 14;
volatile const __u8 one_stack = 0;	/* all tasks share an entry, for tests */
volatile const __u8 exits_wanted = 0;
volatile const __u8 strict_compat = 0;

#define MAP(kind, size, k, v, name) struct { \
	__uint(type, kind); __uint(max_entries, size); \
	__type(key, k); __type(value, v); } name SEC(".maps")

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, SLOTS);
	__type(value, __u32);
} free_slots SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RING);
} events SEC(".maps");
MAP(BPF_MAP_TYPE_HASH, 2 * SLOTS, __u64, __u32, by_id);
MAP(BPF_MAP_TYPE_HASH, 2 * SLOTS, __u64, __u64, by_cgroup);
MAP(BPF_MAP_TYPE_HASH, 2 * SLOTS, __u32, __u64, by_netns);
MAP(BPF_MAP_TYPE_LRU_HASH, 2048, __u64, __u64, turned_away);
MAP(BPF_MAP_TYPE_HASH, 8192, struct call_key, struct sighting, calls);
MAP(BPF_MAP_TYPE_LRU_HASH, 4096, __u64, struct exe, exes);
MAP(BPF_MAP_TYPE_PERCPU_ARRAY, 1, __u32, struct task, task_scratch);

/* The compiler drops types that only the reader of the ring needs. */
const struct event *unused_event __attribute__((unused));
