// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The arguments of a call, from the registers that were saved when it began. */
#pragma once
#include "kernel.h"
#include "maps.h"

enum { SIX = 6 };

static __always_inline struct pt_regs *registers(struct task_struct *t)
{
#ifdef UNTYPED
	return BPF_CORE_READ(t, stack) + (1UL << stack_shift) -
	       bpf_core_type_size(struct pt_regs);
#else
	return (struct pt_regs *)bpf_task_pt_regs(t);
#endif
}

/* What a call returned. Of a 32-bit call, arm64 gave its sign to the upper half from
 * 5.14 on only, and in updates of older kernels. */
static __always_inline long returned(long ret)
{
#ifdef __TARGET_ARCH_arm64
	return IS_COMPAT(CURRENT()) ? (int)ret : ret;
#else
	return ret;
#endif
}

/* The upper half of a 32-bit program's registers says nothing: cut it off. */
static __always_inline void arguments(struct pt_regs *r, bool compat, __u64 *a)
{
#ifdef __TARGET_ARCH_arm64
	a[0] = READ(r, orig_x0);
	a[1] = READ(r, regs[1]);
	a[2] = READ(r, regs[2]);
	a[3] = READ(r, regs[3]);
	a[4] = READ(r, regs[4]);
	a[5] = READ(r, regs[5]);
	if (compat)
		for (int i = 0; i < SIX; i++)
			a[i] = (__u32)a[i];
#else
	if (compat) {
		a[0] = (__u32)READ(r, bx);
		a[1] = (__u32)READ(r, cx);
		a[2] = (__u32)READ(r, dx);
		a[3] = (__u32)READ(r, si);
		a[4] = (__u32)READ(r, di);
		a[5] = (__u32)READ(r, bp);
		return;
	}
	a[0] = READ(r, di);
	a[1] = READ(r, si);
	a[2] = READ(r, dx);
	a[3] = READ(r, r10);
	a[4] = READ(r, r8);
	a[5] = READ(r, r9);
#endif
}
