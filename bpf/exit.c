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

static __noinline int end_checks(long ret)
{
	settle_all(bpf_get_current_pid_tgid(), ret < 0 && ret >= -4095 ? -ret : 0);
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

	*call = tag;
	if (was == (tag | INSIDE))
		return 0;
	if (was == (tag | INSIDE | CHECKED))
		return end_checks(ret);
	/* Seen to be outside, and yet it comes out. Where another task has the
	 * entry, nothing is known. */
	if (was == tag && ret < 0 && ret >= -4095)
		return note_denied(CALL_NR((struct pt_regs *)ctx[0]), ret);
	return 0;
}
