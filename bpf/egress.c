//go:build ignore
// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The first packet that leaves a connected UDP socket. */
#include "owner.h"

SEC("cgroup_skb/egress")
int egress(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;
	struct net_key k = { .kind = NET_CONNECTED, .protocol = PROTO_UDP };
	struct net_val v = {};
	struct owner *o;

	if (!sk)
		return 1;
	sk = bpf_sk_fullsock(sk);
	if (!sk || sk->protocol != PROTO_UDP)
		return 1;
	o = bpf_sk_storage_get(&owners, sk, 0, 0);
	if (!o || !o->unsent)
		return 1;
	o->unsent = 0;
	k.id = o->id;
	k.family = o->family;
	k.rport = o->requested_port;
	__builtin_memcpy(k.address, o->requested, 16);
	v.by = o->by;
	v.port = sk->src_port;
	keep_net(&k, &v);
	return 1;
}
