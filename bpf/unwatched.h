// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Filters that nobody watches yet. The probe on the way out costs every call of the
 * host, so user space attaches it when it hears of a container that may get a
 * filter. What is refused before that leaves no trace, and is counted as lost.
 */
#pragma once
#include "slot.h"
#include "args.h"

enum { PR_SET_SECCOMP = 22 };

/* Whether this call may give its task a filter. */
static __always_inline bool sets_filter(struct pt_regs *r, __u64 nr, bool compat)
{
	nr &= ~(__u64)X32;
	if (nr == (compat ? COMPAT_SECCOMP : NR_SECCOMP))
		return true;
	return nr == (compat ? COMPAT_PRCTL : NR_PRCTL) &&
	       argument(r, 0, compat) == PR_SET_SECCOMP;
}

/* What is refused from here on is missed until somebody watches. */
static __noinline int go_unwatched(__u32 slot)
{
	struct slot *s = &slots[slot & (SLOTS - 1)];

	if (s->lost.refusals)
		return 0;
	LOSE_OF(s, refusals);
	tell(EVENT_SLOT, slot, s->id, 0, 0, 0, 0, CURRENT());
	return 0;
}
