//go:build ignore
// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* System calls. Once seen, a call costs what an empty program costs. */
#include "slot.h"
#include "stack.h"
#include "args.h"
#include "counts.h"
#include "last.h"
#include "rare.h"
#include "tsync.h"
#include "unwatched.h"

/* What follows is not static, so that each is verified once and not for each way
 * to it: that takes most of the time until the recorder is ready. */

/* Two tasks may set two bits of a byte at once and one be lost here; each has
 * sent its event all the same. */
__noinline int note(__u32 slot, __u64 nr, __u32 arch, __u32 class)
{
	struct slot *s = &slots[slot & (SLOTS - 1)];
	int aside = aside_of(nr);
	__u8 *p = &s->seen[nr & (CALLS - 1)];

	if (arch == ARCH_COMPAT)
		p = &s->compat[nr & (CALLS - 1)];
	else if (aside >= 0)
		p = &s->aside[aside & 7];
	if (*p & class)
		return 0;
	*p |= class;
	tell(EVENT_CALL, slot, s->id, nr, arch, class, 0, CURRENT());
	return 0;
}

/* A call that no bit of a slot stands for. */
static __always_inline void enter_rarely(struct slot *s, __u32 i, __u64 nr, bool compat,
					 __u8 class)
{
	__u8 arch = rare_arch(nr, compat);

	nr = rare_nr(nr, arch);
	note_rare(i, nr, arch, class);
	if (class >= RUN_OPEN)
		count_rare(s->id, nr, arch);
}

/* Calls after which a task of the host may be in a container. */
static __always_inline bool may_leave(__u64 nr)
{
	nr &= ~(__u64)X32;
	return nr == NR_UNSHARE || nr == NR_SETNS || nr == COMPAT_UNSHARE || nr == COMPAT_SETNS;
}

/* What the stack table may keep for this task, which it knew as was; 0 for
 * nothing, a slot without a class for a thread that gives all others a filter. */
static __always_inline __u64 enter_slowly(struct pt_regs *r, __u64 nr, __u64 tag, __u64 was)
{
	struct task_struct *t = CURRENT();
	struct mnt_namespace *m = mount_ns(t);
	struct slot *s;
	__u32 i;
	__u8 class, compat, mask;

	if (!m)
		return 0;
	if (READ(m, ns.inum) == host_inum)
		return may_leave(nr) ? 0 : (__u64)RUN_OPEN << CLASS_SHIFT;
	s = slot_of(t, m, &i);
	if (!s)
		return 0;
	class = class_now(s->init);
	compat = IS_COMPAT(t);
	if (synced(s, was == (tag | i)))
		sync_threads(s, 0);
	if (unwatched && (class & (START_FILTERED | RUN_FILTERED) || sets_filter(r, nr, compat)))
		go_unwatched(i);
	if (nr >= CALLS) {
		enter_rarely(s, i, nr, compat, class);
		return 0;
	}
	/* Older verifiers forget the bound of a spilled register. */
	asm volatile("%0 &= 511" : "+r"(nr));
	if (class >= RUN_OPEN && compat)
		count_rare(s->id, nr, ARCH_COMPAT);
	else if (class >= RUN_OPEN)
		count_call(i, nr);
	mask = watched[compat ? nr + CALLS : nr];
	if (mask) {
		note_args(i, (__u64)r, nr, class, mask);
		return 0;
	}
	if (compat) {
		note(i, nr, ARCH_COMPAT, class);
		return 0;
	}
	if (aside_of(nr) >= 0) {
		note(i, nr, ARCH_NATIVE, class);
		if (!syncs(r, nr))
			return 0;
		sync_threads(s, bpf_ktime_get_boot_ns());
		return i;
	}
	note(i, nr, ARCH_NATIVE, class);
	if (s->sync || class < RUN_OPEN || tag != stack_tag((__u64)READ(t, stack)))
		return 0;
	return i | (__u64)class << CLASS_SHIFT;
}

/* Apart, so that a call which was seen before saves no registers. */
static __noinline int enter_anew(__u64 *ctx)
{
	__u64 tag = stack_tag(ctx[0]), keep;
	struct stack *e = stack_at(tag);

	keep = enter_slowly((struct pt_regs *)ctx[0], ctx[1], tag, e->known);
	e->known = keep ? tag | keep : 0;
	return 0;
}

/* Whether an entry of the stack table is this task's, and its class of call seen. */
static __always_inline bool seen_before(__u64 v, __u64 tag, __u64 nr)
{
	return (v & ~(__u64)CONTENT) == tag && nr < CALLS &&
	       slots[v & (SLOTS - 1)].seen[nr] & v >> CLASS_SHIFT & 31;
}

/* What is wanted of each call although it was seen before. A task known for native
 * calls may make one of another kind: int 0x80 in a 64-bit program. */
static __noinline int enter_again(__u64 *ctx)
{
	__u64 tag = stack_tag(ctx[0]), nr = ctx[1], v;

	if (last_wanted && !on_host(tag))
		last_enter(nr, tag);
	v = stack_at(tag)->known;
	if (!seen_before(v, tag, nr) || (strict_compat && IS_COMPAT(CURRENT())))
		return enter_anew(ctx);
	count_call(v & (SLOTS - 1), nr);
	return 0;
}

SEC("raw_tp/sys_enter")
int enter(__u64 *ctx)
{
	__u64 tag = stack_tag(ctx[0]);
	struct stack *e = stack_at(tag);

	if (exits_wanted)
		e->call = tag | INSIDE;
	if (last_wanted || counting || strict_compat)
		return enter_again(ctx);
	return seen_before(e->known, tag, ctx[1]) ? 0 : enter_anew(ctx);
}
