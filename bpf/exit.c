//go:build ignore
// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The way out of a call: how it ended, for calls that checked a capability, and
 * whether it ever began. The filter comes before sys_enter, so what it refuses is
 * seen leaving without having entered.
 */
#include "slot.h"
#include "stack.h"
#include "args.h"
#include "caps.h"
#include "denied.h"
#include "last.h"
#include "filecalls.h"

static __noinline int end_checks(long ret)
{
	ret = returned(ret);
	settle_all(bpf_get_current_pid_tgid(), ret < 0 && ret >= -4095 ? -ret : 0);
	return 0;
}

/* What has left without having entered was refused, or began before recording. */
static __noinline int leave_refused(__u64 nr, long ret)
{
	struct task_struct *t = CURRENT();
	__u32 refusal = refusal_of(t, ret);

	if (refusal)
		note_denied(nr, refusal == BY_SIGNAL ? DENIED_SIGNAL : ret < 0 ? -ret : 0);
	return refusal;
}

/* Whether a call of a container was ever seen to enter, in this phase of its life. Of
 * those whose arguments are watched it is not known. */
static __always_inline bool was_entered(struct slot *s, __u64 nr, bool compat)
{
	__u8 *p, run = RUN_OPEN | RUN_FILTERED, start = START_OPEN | START_FILTERED;
	__u8 mask = class_now(s->init) >= RUN_OPEN ? run : run | start;
	int aside = aside_of(nr);

	asm volatile("%0 &= 511" : "+r"(nr));
	p = &s->seen[nr];
	if (compat)
		p = &s->compat[nr];
	else if (aside >= 0)
		p = &s->aside[aside & 7];
	return watched[compat ? nr + CALLS : nr] || *p & mask;
}

/* Where another task has the entry, nothing is known of this one. But a call that
 * failed and that nobody of the container was ever seen to enter was refused: all
 * that enter are seen, from the first on. */
static __noinline int leave_unseen(__u64 nr, long ret)
{
	struct task_struct *t = CURRENT();
	__u32 refusal = refusal_of(t, ret);
	struct mnt_namespace *m;
	struct slot *s;
	__u32 i;

	if (!refusal || nr >= CALLS || (refusal == BY_ERRNO && ret >= 0))
		return NOT_REFUSED;
	s = contained(t, &m, &i);
	if (!s || s->flags & SLOT_LATE || bpf_map_lookup_elem(&turned_away, &s->id) ||
	    was_entered(s, nr, IS_COMPAT(t)))
		return NOT_REFUSED;
	note_denied(nr, refusal == BY_SIGNAL ? DENIED_SIGNAL : -ret);
	return refusal;
}

static __always_inline int leaving_call(__u64 *ctx, bool files, bool last)
{
	__u64 tag = stack_tag(ctx[0]), nr;
	long ret = ctx[1];
	__u64 *call = &stack_at(tag)->call, was = *call;
	bool entered = was == (tag | INSIDE) || was == (tag | INSIDE | CHECKED);
	__u32 refusal = NOT_REFUSED;

	*call = tag;
	if (was == (tag | INSIDE | CHECKED))
		end_checks(ret);
	if (entered && !files && !last)
		return 0;
	if (on_host(tag))
		return 0;
	nr = CALL_NR((struct pt_regs *)ctx[0]);
	ret = returned(ret);
	/* Seen to be outside, and yet it comes out. */
	if (was == tag || was == (tag | SIGNALLED))
		refusal = leave_refused(nr, ret);
	else if (was && (was & ~(__u64)CONTENT) != tag)
		refusal = leave_unseen(nr, ret);
	if (refusal == BY_SIGNAL)
		*call = tag | SIGNALLED;
	if (last && (entered || refusal))
		last_leave(nr, ret, tag, refusal);
	if (files && !refusal && about_files(nr, ret))
		note_files(nr, ret);
	return 0;
}

SEC("raw_tp/sys_exit")
int leave(__u64 *ctx)
{
	return leaving_call(ctx, false, false);
}

/* With files or last calls. A program of its own, because kernels before 6.8
 * verify all functions that a program holds, those too that it never calls. */
SEC("raw_tp/sys_exit")
int leave_more(__u64 *ctx)
{
	return leaving_call(ctx, files_wanted, last_wanted);
}
