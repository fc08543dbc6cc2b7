// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Calls that a seccomp filter refused. It comes before sys_enter, so they leave
 * without having entered: with an errno, or with SIGSYS on its way. A filter that
 * kills ends some tasks at once, and those are seen when they are gone.
 */
#pragma once
#include "slot.h"
#include "stack.h"

enum refusal { NOT_REFUSED, BY_ERRNO, BY_SIGNAL };
/* A filter that kills makes the mode dead, from 5.16 on. */
enum { SECCOMP_MODE_FILTER = 2, SECCOMP_MODE_DEAD, SIGSYS = 31, DENIED_SIGNAL = 4096 };

static __always_inline __u32 refusal_of(struct task_struct *t, long ret)
{
	int mode = READ(t, seccomp.mode);

	if (mode < SECCOMP_MODE_FILTER)
		return NOT_REFUSED;
	if (mode == SECCOMP_MODE_DEAD)
		return BY_SIGNAL;
	if (ret < 0 && ret >= -4095)
		return BY_ERRNO;
	return BPF_CORE_READ(t, pending.signal.sig[0]) >> (SIGSYS - 1) & 1 ? BY_SIGNAL : NOT_REFUSED;
}

/* The fact, once. code is an errno, or DENIED_SIGNAL. */
static __noinline int note_denied(__u64 nr, __u32 code)
{
	struct task_struct *t = CURRENT();
	struct mnt_namespace *m;
	struct slot *s;
	__u8 *p;
	__u32 i;

	s = contained(t, &m, &i);
	if (!s || nr >= CALLS)
		return 0;
	asm volatile("%0 &= 511" : "+r"(nr));
	p = IS_COMPAT(t) ? &s->compat[nr] : &s->seen[nr];
	if (*p & DENIED)
		return 0;
	*p |= DENIED;
	tell(EVENT_CALL, i, s->id, nr, IS_COMPAT(t), class_now(s->init) | DENIED, code, t);
	return 0;
}
