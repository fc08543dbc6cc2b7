//go:build ignore
// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The way out of a call: how it ended, for calls that checked a capability, and
 * whether it ever began. The filter comes before sys_enter, so what it refuses is
 * seen leaving without having entered.
 */
#include "slot.h"
#include "stack.h"
#include "caps.h"

static __always_inline void settle(struct cap_key *unknown, __s16 outcome)
{
	struct cap_key k = *unknown;
	struct cap_val *v = bpf_map_lookup_elem(&caps, unknown);

	k.outcome = outcome;
	if (!v || bpf_map_lookup_elem(&caps, &k))
		return;
	if (bpf_map_update_elem(&caps, &k, v, BPF_NOEXIST) == -7 /* E2BIG */)
		LOSE(outcomes);
	__sync_fetch_and_add(&fresh, 1);
}

static __noinline int settle_all(long ret)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct pending *p = bpf_map_lookup_elem(&cap_pending, &id);
	__s16 outcome = ret < 0 && ret >= -4095 ? -ret : 0;

	if (!p)
		return 0;
	for (__u32 i = 0; i < PENDING; i++)
		if (i < p->n)
			settle(&p->keys[i], outcome);
	bpf_map_delete_elem(&cap_pending, &id);
	return 0;
}

static __noinline int note_denied(__u64 nr, long ret)
{
	struct task_struct *t = CURRENT();
	struct mnt_namespace *m;
	struct slot *s;
	__u8 *p;
	__u32 i;

	s = contained(t, &m, &i);
	if (!s || nr >= CALLS || READ(t, seccomp.mode) != 2)
		return 0;
	asm volatile("%0 &= 511" : "+r"(nr));
	p = IS_COMPAT(t) ? &s->compat[nr] : &s->seen[nr];
	if (*p & DENIED)
		return 0;
	*p |= DENIED;
	tell(EVENT_CALL, i, s->id, nr, IS_COMPAT(t), class_of(t, m, s->init) | DENIED, -ret, t);
	return 0;
}

SEC("raw_tp/sys_exit")
int leave(__u64 *ctx)
{
	__u64 tag = stack_tag(ctx[0]);
	long ret = ctx[1];
	__u64 *call = &running[stack_index(tag)], was = *call;

	*call = 0;
	if (was == (tag | 1))
		return 0;
	if (was == (tag | 3))
		return settle_all(ret);
	if (was == 0 && ret < 0 && ret >= -4095)
		return note_denied(CALL_NR((struct pt_regs *)ctx[0]), ret);
	return 0;
}
