// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Capability checks. What is kept is told apart by the stack that asked; walking
 * it costs ten times the rest, so of each kind of check the first sixteen stacks
 * are walked and then one in sixty-four.
 */
#pragma once
#include "pending.h"
#include "regs.h"

enum { ALWAYS_WALK = 16, WALK_MASK = 63 };

MAP(BPF_MAP_TYPE_HASH, 16384, struct cap_key, __u64, cap_kinds);
MAP(BPF_MAP_TYPE_PERCPU_ARRAY, 1, __u32, struct cap_val, cap_scratch);

static __always_inline __u8 userns_of(struct mnt_namespace *m, struct user_namespace *target)
{
	if (BPF_CORE_READ(m, user_ns) == target)
		return USERNS_CONTAINER;
	return BPF_CORE_READ(target, parent) ? USERNS_OTHER : USERNS_HOST;
}

static __always_inline bool sampled_out(struct cap_key *k)
{
	__u64 *n = bpf_map_lookup_elem(&cap_kinds, k), one = 1, was;

	if (!n) {
		bpf_map_update_elem(&cap_kinds, k, &one, BPF_NOEXIST);
		return false;
	}
	was = *n;
	__sync_fetch_and_add(n, 1);
	return was >= ALWAYS_WALK && (was & WALK_MASK);
}

static __always_inline void keep(struct slot *s, struct task_struct *t, struct cap_key *k,
				 struct cap_val *v)
{
	struct cap_val *old = bpf_map_lookup_elem(&caps, k);

	if (old) {
		__sync_fetch_and_add(&old->count, 1);
		return;
	}
	see(&v->by, t);
	v->count = 1;
	if (unkept(bpf_map_update_elem(&caps, k, v, BPF_NOEXIST)))
		LOSE_OF(s, caps);
	__sync_fetch_and_add(&fresh, 1);
}

static __always_inline int note_check(void *ctx, const struct cred *cred,
				      struct user_namespace *target, int cap, int ret, __u8 options)
{
	struct task_struct *t = CURRENT();
	struct cap_key k = { .cap = cap, .refused = ret != 0, .options = options };
	struct mnt_namespace *m;
	struct cap_val *v;
	struct slot *s;
	__u32 i, zero = 0;

	s = contained(t, &m, &i);
	if (!s)
		return 0;
	k.id = s->id;
	k.outcome = OUTCOME_UNKNOWN;
	k.nr = CALL_NR(registers(t));
	k.class = class_now(s->init);
	k.arch = IS_COMPAT(t);
	k.userns = userns_of(m, target);
	/* Someone else's credentials: overlayfs works under those of the mounter. */
	k.overridden = cred != READ(t, real_cred);
	if (sampled_out(&k))
		return 0;
	v = bpf_map_lookup_elem(&cap_scratch, &zero);
	if (!v)
		return 0;
	__builtin_memset(v->frames, 0, sizeof(v->frames));
	bpf_get_stack(ctx, v->frames, sizeof(v->frames), 0);
	for (int f = 0; f < FRAMES; f++)
		k.stack = k.stack * 1099511628211ULL + v->frames[f];
	keep(s, t, &k, v);
	if (exits_wanted && leaving)
		await_outcome(t, &k);
	return 0;
}
