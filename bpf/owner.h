// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Whose a socket is. */
#pragma once
#include "net.h"

/* What a socket remembers. */
struct owner {
	__u64 id;
	__u8 requested[16];
	__u16 requested_port;
	__u8 unsent, family;
	__u32 netns;
	struct sighting by;
};
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct owner);
} owners SEC(".maps");

enum { BINDPORT_LOCK = 8 };

/* A socket by its address, for which no member of it has to be one that cgroup
 * programs may see. What is read from a map is a number to the verifier. */
MAP(BPF_MAP_TYPE_PERCPU_ARRAY, 1, __u32, __u64, udp_address);

/* Whether a program named the socket's port, whoever it was and whenever. */
static __always_inline bool names_port(struct bpf_sock *sk)
{
	__u32 zero = 0;
	volatile __u64 *at = bpf_map_lookup_elem(&udp_address, &zero);
	struct sock *s;

	if (!at)
		return false;
	*at = (__u64)sk;
	s = (struct sock *)*at;
	return BPF_CORE_READ_BITFIELD_PROBED(s, sk_userlocks) & BINDPORT_LOCK;
}

/* The container of the current task, 0 on the host. Not static, so that it is
 * verified once and not for each way to it. */
__noinline __u64 owner_now(void)
{
	struct mnt_namespace *m;
	__u32 i;
	struct slot *s = contained(CURRENT(), &m, &i);

	return s ? s->id : 0;
}

#ifdef UNTYPED
/*
 * Before 5.11 a socket remembers nothing for a tracing program. Kept beside it is
 * whose an attempt is while it waits for its answer, by the socket's address, and
 * who listens, by network namespace, address and port: a socket that was accepted
 * inherits nothing.
 */
struct socket_key {
	__u64 at;
	__u32 netns;
	__u16 port, pad;
	__u8 address[16];
};
MAP(BPF_MAP_TYPE_LRU_HASH, 8192, struct socket_key, struct owner, sockets_of);
MAP(BPF_MAP_TYPE_PERCPU_ARRAY, 1, __u32, struct owner, owner_blank);	/* never written */

static __always_inline struct socket_key socket_key(struct sock *sk, struct net_key *k)
{
	struct socket_key s = {};

	if (k->kind != NET_LISTEN && k->kind != NET_ACCEPT) {
		s.at = (__u64)sk;
		return s;
	}
	s.netns = k->netns;
	s.port = k->lport;
	if (k->kind == NET_LISTEN)
		__builtin_memcpy(s.address, k->address, 16);
	return s;
}

static __always_inline struct owner *remember(struct sock *sk, struct net_key *k)
{
	struct socket_key s = socket_key(sk, k);
	__u32 zero = 0;
	struct owner *blank = bpf_map_lookup_elem(&owner_blank, &zero);

	if (!blank || bpf_map_update_elem(&sockets_of, &s, blank, BPF_ANY))
		return 0;
	return bpf_map_lookup_elem(&sockets_of, &s);
}

/* One that was accepted is of who listens on its address, or else on all. */
static __always_inline struct owner *recall(struct sock *sk, struct net_key *k, struct net_val *v)
{
	struct socket_key s = socket_key(sk, k);
	struct owner *o;

	if (k->kind == NET_ACCEPT)
		__builtin_memcpy(s.address, v->local, 16);
	o = bpf_map_lookup_elem(&sockets_of, &s);
	if (o || k->kind != NET_ACCEPT)
		return o;
	__builtin_memset(s.address, 0, 16);
	return bpf_map_lookup_elem(&sockets_of, &s);
}

/* The answer to an attempt is there, and the address may be another socket's next;
 * or somebody of the host listens where a container did. */
static __always_inline void disown(struct sock *sk, struct net_key *k)
{
	struct socket_key s = socket_key(sk, k);

	if (k->kind != NET_ACCEPT)
		bpf_map_delete_elem(&sockets_of, &s);
}
#else
static __always_inline struct owner *remember(struct sock *sk, struct net_key *k)
{
	return bpf_sk_storage_get(&owners, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
}

static __always_inline struct owner *recall(struct sock *sk, struct net_key *k, struct net_val *v)
{
	return bpf_sk_storage_get(&owners, sk, 0, 0);
}

static __always_inline void disown(struct sock *sk, struct net_key *k) {}
#endif
