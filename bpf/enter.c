//go:build ignore
// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* System calls. Once seen, a call costs what an empty program costs. */
#include "slot.h"
#include "stack.h"
#include "args.h"
#include "counts.h"
#include "last.h"
#include "tsync.h"


static __always_inline int aside_of(__u64 nr)
{
	switch (nr) {
	case NR_UNSHARE: return ASIDE_UNSHARE;
	case NR_SETNS: return ASIDE_SETNS;
	case NR_SECCOMP: return ASIDE_SECCOMP;
	case NR_PRCTL: return ASIDE_PRCTL;
	}
	return -1;
}

/* Numbers that no table has room for: x32, private ones, nonsense. */
static __always_inline void note_rare(struct slot *s, struct task_struct *t, __u64 nr, __u8 arch,
				      __u8 class)
{
	struct call_key k = { .id = s->id, .nr = nr, .arch = arch, .class = class };
	struct sighting by = {};

	if (bpf_map_lookup_elem(&calls, &k))
		return;
	see(&by, t);
	if (bpf_map_update_elem(&calls, &k, &by, BPF_NOEXIST) == -7 /* E2BIG */) {
		s->flags |= SLOT_FACTS_LOST;
		LOSE(calls);
	}
	__sync_fetch_and_add(&fresh, 1);
}

/* Two tasks may set two bits of a byte at once and one be lost here; each has
 * sent its event all the same. */
static __always_inline void note(struct slot *s, __u32 i, __u8 *p, struct task_struct *t, __u64 nr,
				 __u8 arch, __u8 class)
{
	if (*p & class)
		return;
	*p |= class;
	tell(EVENT_CALL, i, s->id, nr, arch, class, 0, t);
}

/* A call that no bit of a slot stands for. */
static __always_inline void enter_rarely(struct slot *s, struct task_struct *t, __u64 nr,
					 bool compat, __u8 class)
{
	bool x32 = !compat && (nr & ~(__u64)0xffff) == X32;
	__u8 arch = compat ? ARCH_COMPAT : x32 ? ARCH_X32 : ARCH_NATIVE;

	nr = x32 ? nr & 0xffff : nr;
	note_rare(s, t, nr, arch, class);
	if (class >= RUN_OPEN)
		count_rare(s->id, nr, arch);
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
	int aside = aside_of(nr);

	if (!m)
		return 0;
	if (READ(m, ns.inum) == host_inum)
		return nr == NR_UNSHARE || nr == NR_SETNS ? 0 : (__u64)RUN_OPEN << CLASS_SHIFT;
	s = slot_of(t, m, &i);
	if (!s)
		return 0;
	class = class_of(t, m, s->init);
	compat = IS_COMPAT(t);
	if (synced(s, was == (tag | i)))
		sync_threads(s, 0);
	if (nr >= CALLS) {
		enter_rarely(s, t, nr, compat, class);
		return 0;
	}
	/* Older verifiers forget the bound of a spilled register. */
	asm volatile("%0 &= 511" : "+r"(nr));
	if (compat) {
		note(s, i, &s->compat[nr], t, nr, ARCH_COMPAT, class);
		if (class >= RUN_OPEN)
			count_rare(s->id, nr, ARCH_COMPAT);
		return 0;
	}
	if (class >= RUN_OPEN)
		count_call(i, nr);
	mask = watched[nr];
	if (mask) {
		note_args(s, t, r, nr, class, mask);
		return 0;
	}
	if (aside >= 0) {
		note(s, i, &s->aside[aside & 7], t, nr, ARCH_NATIVE, class);
		if (!syncs(r, nr))
			return 0;
		sync_threads(s, bpf_ktime_get_boot_ns());
		return i;
	}
	note(s, i, &s->seen[nr], t, nr, ARCH_NATIVE, class);
	if (s->sync || class < RUN_OPEN || tag != stack_tag((__u64)READ(t, stack)))
		return 0;
	return i | (__u64)class << CLASS_SHIFT;
}

/* Whether a task known for native calls makes one of another kind: int 0x80 in a
 * 64-bit program. Asking costs a call each time, so it has to be wanted. */
static __always_inline bool hides(void)
{
	return strict_compat && IS_COMPAT(CURRENT());
}

SEC("raw_tp/sys_enter")
int enter(__u64 *ctx)
{
	__u64 tag = stack_tag(ctx[0]), nr = ctx[1];
	__u32 i = stack_index(tag);
	__u64 v = stacks[i], keep;

	if (exits_wanted)
		running[i] = tag | INSIDE;
	if (last_wanted && !on_host(tag))
		last_enter(nr, tag);
	if ((v & ~(__u64)CONTENT) == tag && nr < CALLS &&
	    slots[v & (SLOTS - 1)].seen[nr] & v >> CLASS_SHIFT & 31 && !hides()) {
		count_call(v & (SLOTS - 1), nr);
		return 0;
	}
	keep = enter_slowly((struct pt_regs *)ctx[0], nr, tag, v);
	stacks[i] = keep ? tag | keep : 0;
	return 0;
}
