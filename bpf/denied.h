// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Calls that a seccomp filter refused. It comes before sys_enter, so they leave
 * without having entered: with an errno, which may be 0, or with SIGSYS on its way.
 * A filter that kills ends some tasks at once, and those are seen when they are gone.
 */
#pragma once
#include "rare.h"
#include "regs.h"
#include "stack.h"

enum refusal { NOT_REFUSED, BY_ERRNO, BY_SIGNAL };
/* A filter that kills makes the mode dead, from 5.16 on. */
enum { SECCOMP_MODE_FILTER = 2, SECCOMP_MODE_DEAD, SIGSYS = 31, DENIED_SIGNAL = 4096 };

/* A filter that traps has the kernel put back what the result is to stand on: x86 the
 * number, arm64 the first argument, which may look like an errno. */
static __always_inline bool rolled_back(struct task_struct *t, long ret)
{
#ifdef __TARGET_ARCH_arm64
	return (int)ret == (int)BPF_CORE_READ(registers(t), orig_x0);
#else
	return ret >= 0 || ret < -4095;
#endif
}

static __always_inline __u32 refusal_of(struct task_struct *t, long ret)
{
	int mode = READ(t, seccomp.mode);

	if (mode < SECCOMP_MODE_FILTER)
		return NOT_REFUSED;
	if (mode == SECCOMP_MODE_DEAD)
		return BY_SIGNAL;
	if (BPF_CORE_READ(t, pending.signal.sig[0]) >> (SIGSYS - 1) & 1 && rolled_back(t, ret))
		return BY_SIGNAL;
	/* Some say that all went well: a filter may, and so may who it asks. */
	return BY_ERRNO;
}

/* The fact, once. code is an errno, 0 for success, or DENIED_SIGNAL. The event is only there to be
 * sooner: the bit does not tell the code, so the fact is kept in the map. */
static __noinline int note_denied(__u64 nr, __u32 code)
{
	struct task_struct *t = CURRENT();
	bool compat = IS_COMPAT(t);
	__u8 arch = rare_arch(nr, compat), *p;
	struct call_key k = {};
	struct mnt_namespace *m;
	struct slot *s;
	__u32 i;

	s = contained(t, &m, &i);
	if (!s)
		return 0;
	k.id = s->id;
	k.nr = rare_nr(nr, arch);
	k.arch = arch;
	k.class = DENIED;
	k.code = code;
	if (nr >= CALLS) {
		keep_call(s, &k);
		return 0;
	}
	asm volatile("%0 &= 511" : "+r"(nr));
	p = compat ? &s->compat[nr] : &s->seen[nr];
	if (*p & DENIED)
		return 0;
	*p |= DENIED;
	keep_call(s, &k);
	tell(EVENT_CALL, i, s->id, nr, arch, DENIED, code, t);
	return 0;
}
