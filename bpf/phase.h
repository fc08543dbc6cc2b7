// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Telling the runtime's own work from the workload's, by no program's name. */
#pragma once
#include "container.h"

/* A program that was never in a directory (memfd_create) is the runtime's copy of
 * itself, or what the workload began: its first process, or a child of the inside. */
static __always_inline bool began_inside(struct task_struct *t, struct mnt_namespace *m, __u32 init)
{
	return (init && BPF_CORE_READ(t, tgid) == (int)init) ||
	       BPF_CORE_READ(t, real_parent, nsproxy, mnt_ns) == m;
}

/* The program that runs was mounted in another namespace: it is the runtime's. */
static __always_inline bool foreign(struct task_struct *t, struct mnt_namespace *m, __u32 init)
{
	struct mnt_namespace *at;

	if (!BPF_CORE_READ(t, mm, exe_file, f_path.mnt))
		return false;
	at = program_ns(t);
	if (at == m)
		return false;
	return is_mounted(at) || !began_inside(t, m, init);
}

/* The class of what the current task does, in a container whose workload began in
 * init. Not static, so that it is verified once and not for each way to it. */
__noinline int class_now(__u32 init)
{
	struct task_struct *t = CURRENT();
	struct mnt_namespace *m = mount_ns(t);
	bool filtered = READ(t, seccomp.mode) == 2; /* SECCOMP_MODE_FILTER */

	if (!m)
		return 0;
	if (foreign(t, m, init))
		return filtered ? START_FILTERED : START_OPEN;
	return filtered ? RUN_FILTERED : RUN_OPEN;
}
