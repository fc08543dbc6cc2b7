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
	/* Seen to be outside, and yet it comes out. Where another task has the
	 * entry, nothing is known. */
	if (was == tag || was == (tag | SIGNALLED))
		refusal = leave_refused(nr, ret);
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
