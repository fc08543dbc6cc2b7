// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The stack table. A task's saved registers always lie at the top of its own
 * kernel stack, so their address names the task, and a direct mapped table leads
 * from it to slot and class with no helper call and no pointer followed. An entry
 * is one word, tag and content together, so it cannot be torn. What keeps it true:
 * a new task clears the entry of its stack before it first runs, exec clears it,
 * and so do the calls after which a task may be elsewhere. A stale entry could
 * only hide a fact, never give it to somebody else.
 */
#pragma once
#include "maps.h"

enum { CLASS_SHIFT = 11, CONTENT = 0xffff };

/* What stands behind the tag in stack.call: that the task is in a system call, that
 * a capability was checked there, and that a filter sent a signal in its place. */
enum { INSIDE = 1, CHECKED = 2, SIGNALLED = 4 };

/* The verifier knows stack_shift and takes the branch out: the usual size costs a
 * shift by a constant. */
static __always_inline __u64 stack_tag(__u64 address)
{
	if (stack_shift == 14)
		return address >> 14 << 16;
	return address >> stack_shift << 16;
}

static __always_inline __u32 stack_index(__u64 tag)
{
	if (one_stack)
		return 1;
	return (tag >> 16) * 0x9E3779B97F4A7C15ULL >> 50 & (STACKS - 1);
}

static __always_inline struct stack *stack_at(__u64 tag)
{
	return &stacks[stack_index(tag)];
}

/* Known to be the host's, so that there is nothing to record. */
static __always_inline bool on_host(__u64 tag)
{
	__u64 v = stack_at(tag)->known;

	return (v & ~(__u64)CONTENT) == tag && !(v & (SLOTS - 1));
}

static __always_inline void forget_stack(struct task_struct *t)
{
	__u64 tag = stack_tag((__u64)BPF_CORE_READ(t, stack));
	struct stack *e = stack_at(tag);

	if ((e->known & ~(__u64)CONTENT) == tag)
		e->known = 0;
}

/* A task that died in a call left its stack inside of it. Who has the stack next
 * comes out of a call it never entered. */
static __always_inline void forget_call(struct task_struct *t)
{
	__u64 tag = stack_tag((__u64)BPF_CORE_READ(t, stack));
	__u64 *e = &stack_at(tag)->call;

	if ((*e & ~(__u64)CONTENT) == tag)
		*e = 0;
}
