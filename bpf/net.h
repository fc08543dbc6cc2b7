// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Network facts and whose they are. The task is asked first, then the socket's
 * own memory (inherited from a listener), then its cgroup, then its network
 * namespace: a handshake ends in whatever task the packet interrupted.
 */
#pragma once
#include "slot.h"
#include "addr.h"

MAP(BPF_MAP_TYPE_HASH, 16384, struct net_key, struct net_val, nets);

/* The slot that has this id, null where none has it any more. */
static __always_inline struct slot *slot_with(__u64 id)
{
	__u32 *i = bpf_map_lookup_elem(&by_id, &id);
	struct slot *s;

	if (!i)
		return 0;
	s = &slots[*i & (SLOTS - 1)];
	return s->id == id ? s : 0;
}

/* A fact of the container of this id, which may not be known. */
#define LOSE_BY_ID(id, what) do { \
	struct slot *whose = slot_with(id); \
	if (whose) \
		LOSE_OF(whose, what); \
	else \
		LOSE(what); \
} while (0)

static __always_inline void keep_net(struct net_key *k, struct net_val *v)
{
	struct net_val *old = bpf_map_lookup_elem(&nets, k);

	if (old) {
		__sync_fetch_and_add(&old->count, 1);
		return;
	}
	v->count = 1;
	if (unkept(bpf_map_update_elem(&nets, k, v, BPF_NOEXIST)))
		LOSE_BY_ID(k->id, nets);
	__sync_fetch_and_add(&fresh, 1);
}

/* Whether what was accepted, by its key, from that port of the peer is the answer to
 * what the container sent there first. */
static __always_inline bool is_answer(struct net_key *k, __u16 peer_port)
{
	struct net_key sent = *k;

	sent.kind = NET_CONNECTED;
	sent.lport = 0;
	sent.rport = peer_port;
	return bpf_map_lookup_elem(&nets, &sent);
}
