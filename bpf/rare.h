// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Calls that no bit of a slot tells all of. Kept in a map, so that a full ring
 * costs none of them. */
#pragma once
#include "slot.h"

static __always_inline __u8 rare_arch(__u64 nr, bool compat)
{
	if (compat)
		return ARCH_COMPAT;
	return (nr & ~(__u64)0xffff) == X32 ? ARCH_X32 : ARCH_NATIVE;
}

static __always_inline __u64 rare_nr(__u64 nr, __u8 arch)
{
	return arch == ARCH_X32 ? nr & 0xffff : nr;
}

static __always_inline void keep_call(struct slot *s, struct call_key *k)
{
	struct sighting by = {};

	if (bpf_map_lookup_elem(&calls, k))
		return;
	see(&by, CURRENT());
	if (unkept(bpf_map_update_elem(&calls, k, &by, BPF_NOEXIST)))
		LOSE_OF(s, calls);
	__sync_fetch_and_add(&fresh, 1);
}

/* Numbers that no table has room for: x32, private ones, nonsense. Not static, so
 * that it is verified once and not for each way to it. */
__noinline int note_rare(__u32 slot, __u64 nr, __u32 arch, __u32 class)
{
	struct slot *s = &slots[slot & (SLOTS - 1)];
	struct call_key k = { .id = s->id, .nr = nr, .arch = arch, .class = class };

	keep_call(s, &k);
	return 0;
}
