//go:build ignore
// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Datagrams of which no call tells: the first that leaves a connected socket, and
 * those that a server receives without asking who sent them. */
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
	k.netns = o->netns;
	k.family = o->family;
	k.rport = o->requested_port;
	__builtin_memcpy(k.address, o->requested, 16);
	v.by = o->by;
	v.port = sk->src_port;
	keep_net(&k, &v);
	return 1;
}

/* Where a packet's header has what is wanted (RFC 791, 8200, 768). */
enum { IP4_SOURCE = 12, IP4_LOCAL = 16, IP6_NEXT = 6, IP6_SOURCE = 8, IP6_LOCAL = 24, IP6_SIZE = 40 };

static __always_inline bool read_peer(struct __sk_buff *skb, bool v6, struct net_key *k, struct net_val *v)
{
	__u8 size = v6 ? 16 : 4, first = 0;
	__be16 port = 0;
	__u32 header;

	if (bpf_skb_load_bytes(skb, v6 ? IP6_SOURCE : IP4_SOURCE, k->address, size) ||
	    bpf_skb_load_bytes(skb, v6 ? IP6_LOCAL : IP4_LOCAL, v->local, size) ||
	    bpf_skb_load_bytes(skb, v6 ? IP6_NEXT : 0, &first, 1))
		return false;
	header = v6 ? IP6_SIZE : (first & 15) * 4;
	if ((!v6 || first == PROTO_UDP) && !bpf_skb_load_bytes(skb, header, &port, sizeof(port)))
		v->port = bpf_ntohs(port);
	return true;
}

/* Only of servers that were seen before. */
SEC("cgroup_skb/ingress")
int ingress(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;
	struct net_key k = { .kind = NET_ACCEPT, .protocol = PROTO_UDP };
	struct net_val v = {};
	struct owner *o;
	bool v6 = skb->protocol == bpf_htons(ETH_IPV6);

	if (!sk)
		return 1;
	sk = bpf_sk_fullsock(sk);
	if (!sk || sk->protocol != PROTO_UDP)
		return 1;
	o = bpf_sk_storage_get(&owners, sk, 0, 0);
	if (!o || !names_port(sk))
		return 1;
	k.id = o->id;
	k.netns = o->netns;
	k.lport = sk->src_port;
	if (!read_peer(skb, v6, &k, &v)) {
		LOSE_BY_ID(k.id, nets);
		return 1;
	}
	k.family = fold(k.address, v6 ? INET6 : INET);
	if (is_answer(&k, v.port))
		return 1;
	v.by = o->by;
	v.by.time = bpf_ktime_get_boot_ns();
	keep_net(&k, &v);
	return 1;
}
