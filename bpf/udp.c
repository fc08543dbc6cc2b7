//go:build ignore
// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * UDP, by the address hooks of cgroups. A connect() sends nothing (resolvers call
 * it to sort addresses), so such a socket is only counted when a packet leaves it.
 */
#include "owner.h"

static __always_inline __u32 netns_of(struct task_struct *t)
{
	return BPF_CORE_READ(t, nsproxy, net_ns, ns.inum);
}

static __always_inline struct owner *claim_datagram(struct bpf_sock *sk)
{
	struct task_struct *t = CURRENT();
	__u64 id = owner_now();
	struct owner *o;

	if (!sk || !id)
		return 0;
	o = bpf_sk_storage_get(&owners, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!o) {
		LOSE_BY_ID(id, sockets);
		return 0;
	}
	o->id = id;
	o->netns = netns_of(t);
	see(&o->by, t);
	return o;
}

/* One datagram with an address. An answer to a client is not the server's own. */
static __always_inline int datagram(struct bpf_sock_addr *c, __u8 kind, bool v6)
{
	struct net_key k = { .kind = kind, .protocol = PROTO_UDP };
	struct net_val v = {};
	struct owner *o = claim_datagram(c->sk);
	__u16 port = 0;
	bool bound;

	if (!o)
		return 1;
	bound = names_port(c->sk);
	if (kind == NET_ACCEPT && !bound)
		return 1;
	k.id = o->id;
	k.netns = netns_of(CURRENT());
	peer(c, k.address, v6);
	k.family = fold(k.address, v6 ? INET6 : INET);
	port = c->sk->src_port;
	v.by = o->by;
	v.port = kind == NET_ACCEPT ? peer_port(c) : port;
	if (kind == NET_ACCEPT) {
		k.lport = port;
		own(c, v.local, v6);
		/* Its packet was seen and counted, unless the socket was not known then. */
		if (!bpf_map_lookup_elem(&nets, &k) && !is_answer(&k, v.port))
			keep_net(&k, &v);
		return 1;
	}
	if (bound) {
		k.kind = NET_ACCEPT;
		k.lport = port;
		if (bpf_map_lookup_elem(&nets, &k))
			return 1;
		k.kind = kind;
		k.lport = 0;
	}
	k.rport = peer_port(c);
	keep_net(&k, &v);
	return 1;
}

/* What a program asked for, before anything rewrites it. */
static __always_inline int ask(struct bpf_sock_addr *c, bool v6)
{
	struct owner *o = claim_datagram(c->sk);

	if (!o)
		return 1;
	peer(c, o->requested, v6);
	o->family = fold(o->requested, v6 ? INET6 : INET);
	o->requested_port = peer_port(c);
	o->unsent = c->protocol == PROTO_UDP;
	return 1;
}

/* A server names its port; a client lets the kernel choose. */
static __always_inline int name_port(struct bpf_sock_addr *c, bool v6)
{
	struct net_key k = { .kind = NET_LISTEN, .protocol = PROTO_UDP };
	struct net_val v = {};
	struct owner *o;

	if (c->protocol != PROTO_UDP || !c->user_port)
		return 1;
	o = claim_datagram(c->sk);
	if (!o)
		return 1;
	k.id = o->id;
	k.netns = netns_of(CURRENT());
	k.lport = peer_port(c);
	peer(c, k.address, v6);
	k.family = fold(k.address, v6 ? INET6 : INET);
	v.by = o->by;
	keep_net(&k, &v);
	return 1;
}

/* An SCTP socket: what it does is not recorded, and this says that it was there. */
SEC("cgroup/sock_create")
int create(struct bpf_sock *sk)
{
	__u64 id = sk->protocol == PROTO_SCTP ? owner_now() : 0;

	if (id)
		LOSE_BY_ID(id, sctp);
	return 1;
}

SEC("cgroup/sendmsg4") int send4(struct bpf_sock_addr *c) { return datagram(c, NET_CONNECTED, false); }
SEC("cgroup/sendmsg6") int send6(struct bpf_sock_addr *c) { return datagram(c, NET_CONNECTED, true); }
SEC("cgroup/recvmsg4") int recv4(struct bpf_sock_addr *c) { return datagram(c, NET_ACCEPT, false); }
SEC("cgroup/recvmsg6") int recv6(struct bpf_sock_addr *c) { return datagram(c, NET_ACCEPT, true); }
SEC("cgroup/connect4") int connect4(struct bpf_sock_addr *c) { return ask(c, false); }
SEC("cgroup/connect6") int connect6(struct bpf_sock_addr *c) { return ask(c, true); }
SEC("cgroup/bind4") int bind4(struct bpf_sock_addr *c) { return name_port(c, false); }
SEC("cgroup/bind6") int bind6(struct bpf_sock_addr *c) { return name_port(c, true); }
