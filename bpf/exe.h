// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The path of a task's executable, as its mounts show it. */
#pragma once
#include "container.h"

MAP(BPF_MAP_TYPE_PERCPU_ARRAY, 1, __u32, struct exe, exe_scratch);

/* Names from the leaf up, each ended by a zero; mounts are crossed on the way. */
static __always_inline void walk(struct exe *out, struct path *p)
{
	struct dentry *d = p->dentry, *up;
	struct mount *m = (void *)p->mnt - bpf_core_field_offset(struct mount, mnt), *over;
	__u64 at = 0;

	for (int i = 0; i < 16 && at < EXE_PATH - 128; i++) {
		if (d == BPF_CORE_READ(m, mnt.mnt_root)) {
			over = BPF_CORE_READ(m, mnt_parent);
			if (over == m)
				break;
			d = BPF_CORE_READ(m, mnt_mountpoint);
			m = over;
			continue;
		}
		up = BPF_CORE_READ(d, d_parent);
		long n = bpf_probe_read_kernel_str(out->path + within(at), 128,
						   BPF_CORE_READ(d, d_name.name));
		if (n <= 1)
			break;
		at += n;
		if (up == d) /* in no directory */
			break;
		d = up;
	}
	asm volatile("%0 &= 255" : "+r"(at));
	out->path[at] = 0;
}

/* A key for the executable of the current task; its path is kept under it. Not
 * static, so that it is verified once and not for each way to it. */
__noinline __u64 exe_of(void)
{
	struct task_struct *t = CURRENT();
	struct file *f = BPF_CORE_READ(t, mm, exe_file);
	struct mnt_namespace *m = mount_ns(t);
	struct exe *e;
	struct path p;
	__u32 zero = 0;
	__u64 key;

	if (!f)
		return 0;
	BPF_CORE_READ_INTO(&p.mnt, f, f_path.mnt);
	BPF_CORE_READ_INTO(&p.dentry, f, f_path.dentry);
	key = (__u64)p.dentry * 0x9E3779B97F4A7C15ULL ^ (__u64)p.mnt;
	key ^= BPF_CORE_READ(p.dentry, d_inode, i_ino) << 32;
	/* The address of a mount is handed out again when its container is gone. */
	if (m)
		key ^= unique_id(m) * 0xC2B2AE3D27D4EB4FULL;
	if (bpf_map_lookup_elem(&exes, &key))
		return key;
	e = bpf_map_lookup_elem(&exe_scratch, &zero);
	if (!e)
		return 0;
	walk(e, &p);
	if (bpf_map_update_elem(&exes, &key, e, BPF_ANY))
		LOSE(exes);
	return key;
}
