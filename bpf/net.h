// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Network facts and whose they are. The task is asked first, then the socket's
 * own memory (inherited from a listener), then its cgroup, then its network
 * namespace: a handshake ends in whatever task the packet interrupted.
 */
#pragma once
#include "slot.h"

enum { INET = 2, INET6 = 10, PROTO_TCP = 6, PROTO_UDP = 17 };

MAP(BPF_MAP_TYPE_HASH, 16384, struct net_key, struct net_val, nets);

/* What a socket remembers. */
struct owner {
	__u64 id;
	__u8 requested[16];
	__u16 requested_port;
	__u8 bound, unsent, family, pad[3];
	struct sighting by;
};
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct owner);
} owners SEC(".maps");

static __always_inline bool is_mapped(const __u8 *a)
{
	const __u32 *w = (const __u32 *)a;

	return w[0] == 0 && w[1] == 0 && w[2] == bpf_htonl(0xffff);
}

/* An IPv4 address in IPv6 clothes is an IPv4 address. */
static __always_inline __u8 fold(__u8 *a, __u8 family)
{
	__u32 *w = (__u32 *)a;

	if (family != INET6 || !is_mapped(a))
		return family;
	w[0] = w[3];
	w[1] = w[2] = w[3] = 0;
	return INET;
}

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

/* The container whose task this is, 0 on the host. */
static __always_inline __u64 owner_task(struct task_struct *t)
{
	struct mnt_namespace *m;
	__u32 i;
	struct slot *s = contained(t, &m, &i);

	return s ? s->id : 0;
}
