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

static __always_inline void keep_net(struct net_key *k, struct net_val *v)
{
	struct net_val *old = bpf_map_lookup_elem(&nets, k);

	if (old) {
		__sync_fetch_and_add(&old->count, 1);
		return;
	}
	v->count = 1;
	if (bpf_map_update_elem(&nets, k, v, BPF_NOEXIST) == -7 /* E2BIG */)
		LOSE(nets);
	__sync_fetch_and_add(&fresh, 1);
}
