// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Who has a ring of the flight recorder. User space takes it back. */
#pragma once
#include "maps.h"

volatile const __u32 last_wanted = 0;	/* entries of a ring, 0 for no recorder */

/* Two halves: once a call was refused, frozen is the first place of the second, and
 * the first stays as it was then. */
enum { NO_RING = -1 };
struct ring { __u64 head, frozen, id, index; };

MAP(BPF_MAP_TYPE_ARRAY, 1, __u32, struct ring, last_rings);	/* by slot */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 1);
	__type(value, __u32);
} last_free SEC(".maps");

/* For a slot that nobody else knows yet. */
static __always_inline void claim_ring(__u32 slot, __u64 id)
{
	struct ring *r = bpf_map_lookup_elem(&last_rings, &slot);
	__u32 index;

	if (!r)
		return;
	if (bpf_map_pop_elem(&last_free, &index)) {
		r->id = 0;
		return;
	}
	r->head = r->frozen = 0;
	r->index = index;
	barrier();
	r->id = id;
}
