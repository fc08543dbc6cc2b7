// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A filter for all threads of a process (SECCOMP_FILTER_FLAG_TSYNC). The others
 * make no call of their own to get it, so the stack table does not notice. Their
 * entries are dropped when such a call begins and again when its thread is next
 * seen, and between the two the table takes up nobody of the container.
 */
#pragma once
#include "slot.h"
#include "stack.h"

enum {
	SYNC_THREADS = 1024,
	SYNC_LONGEST = 1000000000,	/* ns, should the thread not be seen again */
	SET_MODE_FILTER = 1,
	FLAG_TSYNC = 1,
};

/* The thread after the one whose list node this is. Not static, so that it is
 * verified once and not for each turn of the loop. */
__noinline __u64 forget_thread(__u64 node)
{
	struct list_head *at = (void *)node;
	struct task_struct *t = (void *)node - bpf_core_field_offset(struct task_struct, thread_node);

	forget_stack(t);
	return (__u64)BPF_CORE_READ(at, next);
}

/* Not static either: it took most of the time until the recorder is ready. */
__noinline int forget_threads(void)
{
	struct task_struct *t = CURRENT();
	struct signal_struct *signal = BPF_CORE_READ(t, signal);
	__u64 head = (__u64)signal + bpf_core_field_offset(struct signal_struct, thread_head);
	__u64 node = (__u64)BPF_CORE_READ(signal, thread_head.next);

	for (int i = 0; i < SYNC_THREADS && node && node != head; i++)
		node = forget_thread(node);
	return node == head ? 0 : -1;
}

static __always_inline void sync_threads(struct slot *s, __u64 since)
{
	s->sync = since;
	if (!forget_threads())
		return;
	LOSE_OF(s, calls);
}

/* Whether this call gives all threads a filter. */
static __always_inline bool syncs(struct pt_regs *r, __u64 nr)
{
	return nr == NR_SECCOMP && argument(r, 0, false) == SET_MODE_FILTER &&
	       argument(r, 1, false) & FLAG_TSYNC;
}

/* Whether the last one is over: its thread is back, or was not seen for long. */
static __always_inline bool synced(struct slot *s, bool its_thread)
{
	return s->sync && (its_thread || bpf_ktime_get_boot_ns() - s->sync > SYNC_LONGEST);
}
