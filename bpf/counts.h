// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * How often the workload made each call, where that is wanted. Where not, the
 * verifier takes the code out and the maps are made as small as can be.
 */
#pragma once
#include "slot.h"

volatile const __u8 counting = 0;

struct call_counts { __u32 of[CALLS]; };
struct rare_key { __u64 id; __u32 nr; __u8 arch, pad[3]; };
MAP(BPF_MAP_TYPE_ARRAY, SLOTS, __u32, struct call_counts, call_counts);
MAP(BPF_MAP_TYPE_HASH, 8192, struct rare_key, __u64, rare_counts);

/* The host's are not counted: all its processes would write to one place. */
static __always_inline void count_call(__u32 slot, __u64 nr)
{
	struct call_counts *c;

	if (!counting || !slot)
		return;
	c = bpf_map_lookup_elem(&call_counts, &slot);
	if (c)
		__sync_fetch_and_add(&c->of[nr & (CALLS - 1)], 1);
}

static __always_inline void count_rare(__u64 id, __u64 nr, __u8 arch)
{
	struct rare_key k = { .id = id, .nr = nr, .arch = arch };
	__u64 one = 1, *n;

	if (!counting)
		return;
	n = bpf_map_lookup_elem(&rare_counts, &k);
	if (n)
		__sync_fetch_and_add(n, 1);
	else if (unkept(bpf_map_update_elem(&rare_counts, &k, &one, BPF_NOEXIST)))
		LOSE(counts);
}
