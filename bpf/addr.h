// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Addresses, as the cgroup hooks give them. */
#pragma once
#include "kernel.h"

enum { ETH_IPV6 = 0x86dd };
enum { INET = 2, INET6 = 10, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_SCTP = 132 };

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

static __always_inline void peer(struct bpf_sock_addr *c, __u8 *a, bool v6)
{
	__u32 *w = (__u32 *)a;

	if (!v6) {
		w[0] = c->user_ip4;
		return;
	}
	w[0] = c->user_ip6[0];
	w[1] = c->user_ip6[1];
	w[2] = c->user_ip6[2];
	w[3] = c->user_ip6[3];
}

static __always_inline void own(struct bpf_sock_addr *c, __u8 *a, bool v6)
{
	__u32 *w = (__u32 *)a;

	if (!v6) {
		w[0] = c->sk->src_ip4;
		return;
	}
	w[0] = c->sk->src_ip6[0];
	w[1] = c->sk->src_ip6[1];
	w[2] = c->sk->src_ip6[2];
	w[3] = c->sk->src_ip6[3];
	fold(a, INET6);
}

static __always_inline __u16 peer_port(struct bpf_sock_addr *c)
{
	return bpf_ntohs((__u16)c->user_port);
}
