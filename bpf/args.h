// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Arguments that are numbers of a small set: flags, families, commands. Calls whose
 * arguments are watched are never marked as seen, so that each comes this way.
 */
#pragma once
#include "slot.h"

enum { ARGS = 3, ARGS_DISTINCT = 32 };

struct arg_key {
	__u64 id;
	__u32 nr;
	__u8 class, overflow, arch, pad;
	__u32 values[ARGS];	/* of the watched arguments, in order */
	__u32 pad2;
};

/* For each call the arguments to watch, a bit each; all zero when none are. */
volatile const __u8 watched[ABIS * CALLS] = {};

MAP(BPF_MAP_TYPE_HASH, 8192, struct arg_key, struct sighting, args);
MAP(BPF_MAP_TYPE_HASH, 8192, struct call_key, __u64, arg_counts);

static __always_inline __u32 argument(struct pt_regs *r, int i, bool compat)
{
#ifdef __TARGET_ARCH_arm64
	return i ? BPF_CORE_READ(r, regs[i & 7]) : BPF_CORE_READ(r, orig_x0);
#else
	switch (i) {
	case 0: return compat ? BPF_CORE_READ(r, bx) : BPF_CORE_READ(r, di);
	case 1: return compat ? BPF_CORE_READ(r, cx) : BPF_CORE_READ(r, si);
	case 2: return BPF_CORE_READ(r, dx);
	}
	return compat ? BPF_CORE_READ(r, si) : BPF_CORE_READ(r, r10);
#endif
}

/* Each place by a name of its own: the compiler would make an address of a variable
 * one with an or, which no verifier takes of a pointer. */
static __always_inline void put(struct arg_key *k, int n, __u32 value)
{
	switch (n) {
	case 0: *(volatile __u32 *)&k->values[0] = value; return;
	case 1: *(volatile __u32 *)&k->values[1] = value; return;
	case 2: *(volatile __u32 *)&k->values[2] = value; return;
	}
}

static __always_inline bool too_many(struct arg_key *k)
{
	struct call_key c = { .id = k->id, .nr = k->nr, .arch = k->arch, .class = k->class };
	__u64 *n = bpf_map_lookup_elem(&arg_counts, &c), one = 1;

	if (!n)
		return unkept(bpf_map_update_elem(&arg_counts, &c, &one, BPF_NOEXIST));
	__sync_fetch_and_add(n, 1);
	return *n > ARGS_DISTINCT;
}

/* Keep one set of values. When there are too many, keep that instead. */
__noinline int note_args(__u32 slot, __u64 registers, __u64 nr, __u32 class, __u32 mask)
{
	struct slot *s = &slots[slot & (SLOTS - 1)];
	struct pt_regs *r = (void *)registers;
	bool compat = IS_COMPAT(CURRENT());
	struct arg_key k = { .id = s->id, .nr = nr, .arch = compat, .class = class };
	struct sighting by = {};
	int n = 0;

	for (int i = 0; i < 4; i++)
		if (mask & 1 << i)
			put(&k, n++, argument(r, i, compat));
	if (bpf_map_lookup_elem(&args, &k))
		return 0;
	if (too_many(&k)) {
		__builtin_memset(k.values, 0, sizeof(k.values));
		k.overflow = 1;
		if (bpf_map_lookup_elem(&args, &k))
			return 0;
	}
	see(&by, CURRENT());
	if (unkept(bpf_map_update_elem(&args, &k, &by, BPF_NOEXIST)))
		LOSE_OF(s, args);
	__sync_fetch_and_add(&fresh, 1);
	return 0;
}
