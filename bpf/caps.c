//go:build ignore
// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The ways to the same check; the loader takes the first that attaches. */
#include "caps.h"

/* From 5.5 where trampolines are allowed: the options are an argument. */
SEC("fexit/cap_capable")
int caps_fexit(__u64 *ctx)
{
	return note_check(ctx, (void *)ctx[0], (void *)ctx[1], ctx[2], ctx[4], ctx[3] & 0x7f);
}

/* From 6.14: the options were left out of it on purpose. */
SEC("tp_btf/cap_capable")
int caps_tp(__u64 *ctx)
{
	return note_check(ctx, (void *)ctx[0], (void *)ctx[1], ctx[3], ctx[4], OPTIONS_UNKNOWN);
}

/* Between those, a pair: the arguments wait for the result. */
struct asked { __u64 cred, target; __u32 cap, options; };
MAP(BPF_MAP_TYPE_HASH, 2048, __u64, struct asked, cap_asked);

#ifdef __TARGET_ARCH_arm64
#define ARG(c, n) BPF_CORE_READ((struct pt_regs *)(c), regs[n])
#define RESULT(c) BPF_CORE_READ((struct pt_regs *)(c), regs[0])
#define ARGS(c) { ARG(c, 0), ARG(c, 1), ARG(c, 2), ARG(c, 3) }
#else
#define RESULT(c) BPF_CORE_READ((struct pt_regs *)(c), ax)
#define ARGS(c) { BPF_CORE_READ((struct pt_regs *)(c), di), \
		  BPF_CORE_READ((struct pt_regs *)(c), si), \
		  BPF_CORE_READ((struct pt_regs *)(c), dx), BPF_CORE_READ((struct pt_regs *)(c), cx) }
#endif

SEC("kprobe/cap_capable")
int caps_ask(void *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct asked a = ARGS(ctx);
	struct mnt_namespace *m;
	struct slot *s;
	__u32 i;

	s = contained(CURRENT(), &m, &i);
	if (s && bpf_map_update_elem(&cap_asked, &id, &a, BPF_ANY))
		LOSE_OF(s, caps);
	return 0;
}

SEC("kretprobe/cap_capable")
int caps_answer(void *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct asked *p = bpf_map_lookup_elem(&cap_asked, &id), a;

	if (!p)
		return 0;
	a = *p;
	bpf_map_delete_elem(&cap_asked, &id);
	return note_check(ctx, (void *)a.cred, (void *)a.target, a.cap, (int)RESULT(ctx), a.options & 0x7f);
}
