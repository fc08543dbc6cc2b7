// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Capability checks that wait for the end of the call they were made in. */
#pragma once
#include "slot.h"
#include "stack.h"

enum { PENDING = 8 };

/* Checks made by a call that has not returned. */
struct pending { __u64 n; struct cap_key keys[PENDING]; };
MAP(BPF_MAP_TYPE_HASH, 2048, __u64, struct pending, cap_pending);
MAP(BPF_MAP_TYPE_PERCPU_ARRAY, 1, __u32, struct pending, pending_scratch);

/* Remember k until the call returns. */
static __always_inline void await_outcome(struct task_struct *t, struct cap_key *k)
{
	__u64 id = bpf_get_current_pid_tgid(), tag = stack_tag((__u64)BPF_CORE_READ(t, stack));
	struct pending *p = bpf_map_lookup_elem(&cap_pending, &id);
	__u64 *call = &running[stack_index(tag)];
	__u32 zero = 0;

	if (*call == (tag | 1) || !p) {
		p = bpf_map_lookup_elem(&pending_scratch, &zero);
		if (!p)
			return;
		p->n = 1;
		p->keys[0] = *k;
		if (bpf_map_update_elem(&cap_pending, &id, p, BPF_ANY))
			LOSE(outcomes);
		else
			*call = tag | 3;
		return;
	}
	for (__u32 i = 0; i < PENDING; i++)
		if (i < p->n && p->keys[i].stack == k->stack && p->keys[i].cap == k->cap)
			return;
	if (p->n < PENDING)
		p->keys[p->n++ & (PENDING - 1)] = *k;
	else
		LOSE(outcomes);
}
