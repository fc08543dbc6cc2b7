// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Capability checks that wait for the end of the call they were made in: for each
 * task a list in which a check stands once, however often it was made. An execve
 * over overlayfs makes dozens.
 */
#pragma once
#include "slot.h"
#include "stack.h"

enum { PENDING = 256 };		/* different checks of one call */

struct pending_first { __u64 check; __u32 n, pad; };
struct pending_key { __u64 task, check; };
struct pending { struct cap_key key; __u64 next; };
MAP(BPF_MAP_TYPE_HASH, 16384, struct cap_key, struct cap_val, caps);
MAP(BPF_MAP_TYPE_HASH, 4096, __u64, struct pending_first, pending_tasks);
MAP(BPF_MAP_TYPE_HASH, 16384, struct pending_key, struct pending, pending_checks);

/* Never 0, which ends a list. */
static __always_inline __u64 name_of(const struct cap_key *k)
{
	__u64 rest = (__u64)(__u16)k->cap << 32 | k->userns << 24 | k->options << 16 |
		     k->class << 8 | k->refused << 1 | k->overridden;

	return (k->stack ^ rest * 0x9E3779B97F4A7C15ULL) | 1;
}

static __always_inline void settle(struct cap_key *unknown, __s16 outcome)
{
	struct cap_key k = *unknown;
	struct cap_val *v = bpf_map_lookup_elem(&caps, unknown);

	k.outcome = outcome;
	if (!v || bpf_map_lookup_elem(&caps, &k))
		return;
	if (unkept(bpf_map_update_elem(&caps, &k, v, BPF_NOEXIST)))
		LOSE(outcomes);
	__sync_fetch_and_add(&fresh, 1);
}

/* Take a check off the list of a task; the next one is returned. Not static, so
 * that it is verified once and not for each turn of the loop. */
__noinline __u64 settle_one(__u64 task, __u64 check, int outcome)
{
	struct pending_key at = { task, check };
	struct pending *p = bpf_map_lookup_elem(&pending_checks, &at);
	__u64 next;

	if (!p)
		return 0;
	next = p->next;
	if (outcome != OUTCOME_UNKNOWN)
		settle(&p->key, outcome);
	bpf_map_delete_elem(&pending_checks, &at);
	return next;
}

/* The call of a task is over, or its end was not seen (OUTCOME_UNKNOWN). Returned
 * is whether any check waited for it. */
static __always_inline bool settle_all(__u64 task, int outcome)
{
	struct pending_first *first = bpf_map_lookup_elem(&pending_tasks, &task);
	__u64 check;

	if (!first)
		return false;
	check = first->check;
	bpf_map_delete_elem(&pending_tasks, &task);
	for (int i = 0; i < PENDING && check; i++)
		check = settle_one(task, check, outcome);
	return true;
}

/* Remember k until the call returns. */
static __always_inline void await_outcome(struct task_struct *t, struct cap_key *k)
{
	__u64 tag = stack_tag((__u64)BPF_CORE_READ(t, stack));
	__u64 *call = &stack_at(tag)->call;
	struct pending_key at = { bpf_get_current_pid_tgid(), name_of(k) };
	struct pending_first *first, list = { at.check, 1 };
	struct pending p = { .key = *k };

	if (*call != (tag | INSIDE | CHECKED)) {
		if (settle_all(at.task, OUTCOME_UNKNOWN))
			LOSE(outcomes);
		if (bpf_map_update_elem(&pending_tasks, &at.task, &list, BPF_ANY) ||
		    bpf_map_update_elem(&pending_checks, &at, &p, BPF_ANY))
			LOSE(outcomes);
		else
			*call = tag | INSIDE | CHECKED;
		return;
	}
	first = bpf_map_lookup_elem(&pending_tasks, &at.task);
	if (!first || bpf_map_lookup_elem(&pending_checks, &at))
		return;
	p.next = first->check;
	if (first->n >= PENDING || bpf_map_update_elem(&pending_checks, &at, &p, BPF_NOEXIST)) {
		LOSE(outcomes);
		return;
	}
	first->check = at.check;
	first->n++;
}
