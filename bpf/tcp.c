//go:build ignore
// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * TCP, by the changes of a socket's state. SCTP tells of its listeners in the same
 * way, and of nothing else that would say who talks to whom.
 */
#include "owner.h"

enum { ESTABLISHED = 1, SYN_SENT = 2, SYN_RECV = 3, CLOSE = 7, LISTEN = 10 };

static __always_inline __u8 kind_of(int old, int new)
{
	if (old == CLOSE && new == SYN_SENT)
		return NET_CONNECT;
	if (old == SYN_SENT)
		return new == ESTABLISHED ? NET_CONNECTED : new == CLOSE ? NET_FAILED : 0;
	if (old == SYN_RECV && new == ESTABLISHED)
		return NET_ACCEPT;
	return old == CLOSE && new == LISTEN ? NET_LISTEN : 0;
}

static __always_inline void addresses(struct sock *sk, struct net_key *k, struct net_val *v)
{
	__u8 *remote = k->kind == NET_LISTEN ? v->requested : k->address;
	__u8 *local = k->kind == NET_LISTEN ? k->address : v->local;

	k->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (k->family == INET) {
		BPF_CORE_READ_INTO((__be32 *)remote, sk, __sk_common.skc_daddr);
		BPF_CORE_READ_INTO((__be32 *)local, sk, __sk_common.skc_rcv_saddr);
		return;
	}
	BPF_CORE_READ_INTO((struct in6_addr *)remote, sk, __sk_common.skc_v6_daddr);
	BPF_CORE_READ_INTO((struct in6_addr *)local, sk, __sk_common.skc_v6_rcv_saddr);
	if (k->kind != NET_LISTEN)
		fold(local, k->family);
	k->family = fold(k->kind == NET_LISTEN ? local : remote, k->family);
}

static __always_inline void ports(struct sock *sk, struct net_key *k, struct net_val *v)
{
	__u16 local = BPF_CORE_READ(sk, __sk_common.skc_num);
	__u16 remote = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));

	if (k->kind == NET_ACCEPT || k->kind == NET_LISTEN) {
		k->lport = local;
		v->port = remote;
	} else {
		k->rport = remote;
		v->port = local;
	}
}

/* Connecting and listening are done by the task itself. */
static __always_inline struct owner *claim_stream(struct sock *sk, struct net_key *k,
						  struct task_struct *t)
{
	__u64 id = owner_now();
	struct owner *o;

	if (!id) {
		disown(sk, k);
		return 0;
	}
	o = remember(sk, k);
	if (!o) {
		LOSE_BY_ID(id, sockets);
		return 0;
	}
	o->id = id;
	see(&o->by, t);
	return o;
}

/* The container of that id, if it is in the network the socket is in: several may
 * share a cgroup, with the host too. */
static __always_inline bool fits(__u64 *id, __u32 netns)
{
	struct slot *s = id ? slot_with(*id) : 0;

	return s && s->netns == netns;
}

static __always_inline __u64 by_hint(struct net_key *k, struct net_val *v)
{
	__u64 *id = bpf_map_lookup_elem(&by_cgroup, &v->cgroup);

	if (fits(id, k->netns))
		return *id;
	id = bpf_map_lookup_elem(&by_netns, &k->netns);
	return id ? *id : 0;
}

/* What the first of two programs has in hand, or had last. The kernel runs no
 * program twice at a time on a processor, and passes over it in silence where a
 * packet comes in while a task connects. A second program notices that, and takes
 * the place of the first. They may be under way at once: one in a task, one in a
 * softirq. */
struct change { __u64 sk, states; };
MAP(BPF_MAP_TYPE_PERCPU_ARRAY, 1, __u32, struct change, tcp_change);

static __always_inline struct change *change_now(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&tcp_change, &zero);
}

static __always_inline __u64 states_of(__u64 *ctx)
{
	return ctx[1] << 32 | (__u32)ctx[2];
}

static __always_inline int note_change(__u64 *ctx)
{
	struct sock *sk = (struct sock *)ctx[0];
	struct task_struct *t = CURRENT();
	struct net_key k = { .kind = kind_of(ctx[1], ctx[2]) };
	__u16 protocol = BPF_CORE_READ(sk, sk_protocol);
	struct net_val v = {};
	struct owner *o;

	if (!k.kind || (protocol != PROTO_TCP && protocol != PROTO_SCTP))
		return 0; /* of MPTCP there is a TCP socket below */
	if (protocol == PROTO_SCTP && k.kind != NET_LISTEN)
		return 0;
	k.protocol = protocol;
	k.netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	v.cgroup = BPF_CORE_READ(sk, sk_cgrp_data.cgroup, kn, id);
	addresses(sk, &k, &v);
	ports(sk, &k, &v);
	if (k.kind == NET_FAILED)
		k.result = BPF_CORE_READ(sk, sk_err);
	if (k.kind == NET_CONNECT || k.kind == NET_LISTEN)
		o = claim_stream(sk, &k, t);
	else
		o = recall(sk, &k, &v);
	if (o) {
		k.id = o->id;
		v.by = o->by;
		v.requested_port = o->requested_port;
		__builtin_memcpy(v.requested, o->requested, 16);
		if (k.kind == NET_ACCEPT)
			v.by.time = bpf_ktime_get_boot_ns();
		if (k.kind == NET_CONNECTED || k.kind == NET_FAILED)
			disown(sk, &k);
	} else {
		v.by.time = bpf_ktime_get_boot_ns();
		k.id = by_hint(&k, &v);
	}
	if (!k.id && k.netns == host_netns)
		return 0;
	keep_net(&k, &v);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int tcp(__u64 *ctx)
{
	struct change *c = change_now();

	if (c) {
		c->sk = ctx[0];
		c->states = states_of(ctx);
	}
	return note_change(ctx);
}

/* Attached after the other. */
SEC("tp_btf/inet_sock_set_state")
int tcp_again(__u64 *ctx)
{
	struct change *c = change_now();

	if (!c || (c->sk == ctx[0] && c->states == states_of(ctx)))
		return 0;
	return note_change(ctx);
}
