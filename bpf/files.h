// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What a workload does in file systems, taken when a call has gone well. Where
 * there is a file, its own place in the tree of mounts is read, so links and
 * relative paths come out right. Where there is only a name, the name and what
 * it is relative to are kept, and user space finds out the rest.
 */
#pragma once
#include "slot.h"
#include "stack.h"
#include "regs.h"

enum { FILE_INSIDE = 384, FILE_TEXT = 256, FS_NAME = 16, DIRECTORIES = 64, PROGRAMS = 1024 };

enum access {
	ACCESS_READ = 1, ACCESS_WRITE, ACCESS_CREATE, ACCESS_REMOVE, ACCESS_RENAME,
	ACCESS_ATTRIBUTES, ACCESS_MAP, ACCESS_DEVICE, ACCESS_CONNECT, ACCESS_BIND, ACCESS_EXEC,
};

/* Where a call has the files it works on. */
enum file_how { HOW_NONE, HOW_OPEN, HOW_FD, HOW_MAP, HOW_PATH, HOW_SOCKET, HOW_PROTECT };

/* Numbers are of arguments, NO_ARG for none: a path is then relative to the
 * working directory. Of what opens files, follow says that flags points to them. */
enum { NO_ARG = 0xff };
struct file_call { __u8 how, access, dir, path, dir2, path2, flags, follow; };
volatile const struct file_call file_calls[ABIS * CALLS] = {};
volatile const __u8 files_wanted = 0;

enum file_flag {
	FILE_CALLED = 1,	/* by name: text is relative to inside and point */
	FILE_CUT = 2,		/* inside is not whole */
	FILE_POINT_CUT = 4,	/* point is not */
	FILE_TEXT_CUT = 8,
	FILE_UNREADABLE = 16,	/* the name was gone */
	FILE_FOLLOW = 32,	/* what the name leads to, not the name */
	FILE_MEMORY = 64,	/* on a mount of the kernel's own */
	FILE_OUTSIDE = 128,	/* on a mount of another namespace */
	FILE_LED = 256,		/* inside and point are where the text leads */
};

struct file_key {
	__u64 id;
	__u64 mount;		/* of the mount's place, hashed */
	__u64 trail;		/* of the names from the mount's root on, hashed */
	__u8 access, overflow, called, pad[5];
};
struct file_val {
	struct sighting by;
	__u32 flags, length;		/* of text */
	char fs[FS_NAME];
	char inside[FILE_INSIDE];		/* names from the leaf up to the mount's root */
	char point[EXE_PATH];		/* names of the mount point */
	char text[FILE_TEXT];
};

__u64 opened;			/* entries ever added to files */

MAP(BPF_MAP_TYPE_HASH, 8192, struct file_key, struct file_val, files);
MAP(BPF_MAP_TYPE_HASH, 8192, struct file_key, __u64, file_counts);
MAP(BPF_MAP_TYPE_PERCPU_ARRAY, 1, __u32, struct file_val, file_scratch);

enum { FNV = 1099511628211ULL };
enum { STEPS = 28 };

static __always_inline struct mount *mount_of(struct vfsmount *v)
{
	return (void *)v - bpf_core_field_offset(struct mount, mnt);
}

/* Two mounts at one address that are parents of nothing else and hang at the same
 * place are the same to who looks from inside. */
static __always_inline __u64 mount_hash(struct path *p)
{
	struct mount *m = mount_of(p->mnt);
	__u64 h = (__u64)p->mnt;

	h = h * FNV ^ (__u64)BPF_CORE_READ(m, mnt_mountpoint);
	h = h * FNV ^ (__u64)BPF_CORE_READ(m, mnt_parent);
	h = h * FNV ^ (__u64)BPF_CORE_READ(m, mnt.mnt_root);
	return h;
}

/*
 * What follows is not static: the verifier takes such a function once for all who
 * call it, and knows nothing of what it returns, where it would go through a static
 * one for each call and for each length that a name may have. That is more than
 * 5.10's has patience for. A walk is a function a step, and what it has found lies
 * in a map.
 */
struct walk { __u64 mount, over, dentry, at; };	/* kernel addresses, and an offset */
MAP(BPF_MAP_TYPE_PERCPU_ARRAY, 1, __u32, struct walk, file_walk);

static __always_inline struct file_val *file_now(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&file_scratch, &zero);
}

static __always_inline struct walk *walk_now(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&file_walk, &zero);
}

/* A name's hash has its directory's address in it, so that of all names up to the
 * root tells paths apart. */
__noinline __u64 trail_hash(__u64 dentry, __u64 root)
{
	struct dentry *d = (void *)dentry;
	__u64 h = 0;

	for (int i = 0; i < STEPS && (__u64)d != root; i++) {
		struct dentry *up = BPF_CORE_READ(d, d_parent);

		h = h * FNV ^ BPF_CORE_READ(d, d_name.hash_len);
		if (up == d)
			break;
		d = up;
	}
	return h;
}

/* An offset that 128 more bytes of a path inside a mount fit behind. */
static __always_inline __u64 inner(__u64 at)
{
	asm volatile("%0 &= 255" : "+r"(at));
	return at;
}

/* One name up inside a mount; 0 at the end. */
__noinline int step_inside(__u64 root)
{
	struct file_val *v = file_now();
	struct walk *w = walk_now();
	struct dentry *d, *up;
	long n;

	if (!v || !w || w->at >= FILE_INSIDE - 128 || w->dentry == root)
		return 0;
	d = (struct dentry *)w->dentry;
	up = BPF_CORE_READ(d, d_parent);
	n = bpf_probe_read_kernel_str(v->inside + inner(w->at), 128, BPF_CORE_READ(d, d_name.name));
	if (n <= 1)
		return 0;
	if (n == 128)
		v->flags |= FILE_CUT;
	w->at += n;
	if (up == d) /* in no directory, or not any more */
		return 0;
	w->dentry = (__u64)up;
	return 1;
}

/* Names from d up to the root of its mount. */
static __always_inline void walk_inside(struct file_val *v, struct walk *w, struct dentry *d,
					struct dentry *root)
{
	__u64 at;

	w->dentry = (__u64)d;
	w->at = 0;
	for (int i = 0; i < STEPS; i++)
		if (!step_inside((__u64)root))
			break;
	if (w->dentry != (__u64)root)
		v->flags |= FILE_CUT;
	at = w->at;
	asm volatile("%0 &= 511" : "+r"(at));
	if (at < FILE_INSIDE)
		v->inside[at] = 0;
}

/* To where a mount hangs. */
static __always_inline void climb(struct walk *w, struct mount *m)
{
	w->mount = (__u64)m;
	w->over = (__u64)BPF_CORE_READ(m, mnt_parent);
	w->dentry = (__u64)BPF_CORE_READ(m, mnt_mountpoint);
}

/* One name up, or one mount; 0 at the end. */
__noinline int step_point(void)
{
	struct file_val *v = file_now();
	struct walk *w = walk_now();
	struct mount *over;
	struct dentry *d;
	long n;

	if (!v || !w || w->at >= EXE_PATH - 128 || w->over == w->mount)
		return 0;
	over = (struct mount *)w->over;
	d = (struct dentry *)w->dentry;
	if (d == BPF_CORE_READ(over, mnt.mnt_root)) {
		climb(w, over);
		return 1;
	}
	n = bpf_probe_read_kernel_str(v->point + within(w->at), 128, BPF_CORE_READ(d, d_name.name));
	if (n <= 1)
		return 0;
	if (n == 128)
		v->flags |= FILE_POINT_CUT;
	w->at += n;
	w->dentry = (__u64)BPF_CORE_READ(d, d_parent);
	return 1;
}

/* Names of a mount's place, across the mounts above it. */
static __always_inline void walk_point(struct file_val *v, struct walk *w, struct mount *m)
{
	__u64 at;

	climb(w, m);
	w->at = 0;
	for (int i = 0; i < STEPS; i++)
		if (!step_point())
			break;
	if (w->over != w->mount)
		v->flags |= FILE_POINT_CUT;
	at = w->at;
	asm volatile("%0 &= 255" : "+r"(at));
	v->point[at] = 0;
}

/* Fill in where a path lies, seen from the mount namespace of the current task. */
__noinline int place(__u64 vfsmount, __u64 dentry)
{
	struct mount *m = mount_of((struct vfsmount *)vfsmount);
	struct mnt_namespace *at = BPF_CORE_READ(m, mnt_ns);
	struct dentry *d = (struct dentry *)dentry;
	struct file_val *v = file_now();
	struct walk *w = walk_now();

	if (!v || !w)
		return 0;
	if (!at || (__u64)at >= (__u64)-4095)
		v->flags |= FILE_MEMORY;
	else if (at != mount_ns(CURRENT()))
		v->flags |= FILE_OUTSIDE;
	bpf_probe_read_kernel_str(v->fs, FS_NAME, BPF_CORE_READ(d, d_sb, s_type, name));
	walk_inside(v, w, d, BPF_CORE_READ(m, mnt.mnt_root));
	v->point[0] = 0;
	if (!(v->flags & (FILE_MEMORY | FILE_OUTSIDE)))
		walk_point(v, w, m);
	return 0;
}

/* More directories than are kept become one fact that says so. */
static __always_inline bool crowded(struct file_key *k)
{
	struct file_key c = { .id = k->id, .mount = k->mount, .access = k->access, .called = k->called };
	__u64 *n = bpf_map_lookup_elem(&file_counts, &c), one = 1;

	if (!n)
		return unkept(bpf_map_update_elem(&file_counts, &c, &one, BPF_NOEXIST));
	__sync_fetch_and_add(n, 1);
	return *n > (k->access == ACCESS_EXEC ? PROGRAMS : DIRECTORIES);
}

/* Whether a fact is new, and still to be kept. */
static __always_inline bool unknown_file(struct file_key *k)
{
	if (bpf_map_lookup_elem(&files, k))
		return false;
	if (!k->trail || !crowded(k))
		return true;
	k->trail = 0;
	k->overflow = 1;
	return !bpf_map_lookup_elem(&files, k);
}

static __always_inline struct file_val *blank_file(void)
{
	struct file_val *v = file_now();

	if (v) {
		v->flags = v->length = 0;
		v->inside[0] = v->point[0] = v->text[0] = v->fs[0] = 0;
	}
	return v;
}

static __always_inline void keep_file(struct slot *s, struct task_struct *t, struct file_key *k,
				      struct file_val *v)
{
	see(&v->by, t);
	if (unkept(bpf_map_update_elem(&files, k, v, BPF_NOEXIST)))
		LOSE_OF(s, files);
	__sync_fetch_and_add(&opened, 1);
}
