// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Whose a socket is. */
#pragma once
#include "net.h"

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
/* Before 5.11 a socket remembers nothing for a tracing program. */
MAP(BPF_MAP_TYPE_PERCPU_ARRAY, 1, __u32, struct owner, owner_scratch);

static __always_inline struct owner *remember(struct sock *sk)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&owner_scratch, &zero);
}

static __always_inline struct owner *recall(struct sock *sk)
{
	return 0;
}
#else
static __always_inline struct owner *remember(struct sock *sk)
{
	return bpf_sk_storage_get(&owners, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
}

static __always_inline struct owner *recall(struct sock *sk)
{
	return bpf_sk_storage_get(&owners, sk, 0, 0);
}
#endif
