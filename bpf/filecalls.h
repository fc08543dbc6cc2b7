// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which calls are about files, and where their arguments are. */
#pragma once
#include "opened.h"

enum { EBUSY = 16 };

static __always_inline __u64 argument_at(__u64 *a, __u8 i)
{
	return i < SIX ? a[i & 7] : 0;
}

static __always_inline int directory_at(__u64 *a, __u8 i)
{
	return i < SIX ? (int)a[i & 7] : AT_FDCWD;
}

/* What the call is about, by its number in the table of its ABI. */
static __always_inline volatile const struct file_call *file_call(__u64 nr)
{
	nr &= CALLS - 1;
	if (IS_COMPAT(CURRENT()))
		nr += CALLS;
	/* arm64's number has 32 bits, and the compiler would bound those only. */
	asm volatile("%0 &= 1023" : "+r"(nr));
	return &file_calls[nr];
}

/* Whether the call that has returned is one of those. Most are not. */
static __always_inline bool about_files(__u64 nr, long ret)
{
	if (nr >= CALLS || (ret < 0 && ret >= -4095))
		return false;
	return file_call(nr)->how;
}

/* Opening that cuts a file to nothing writes to it, whatever it is opened for. */
static __always_inline int note_open(__u32 i, volatile const struct file_call *c, __u64 *a, int fd)
{
	__u64 flags = argument_at(a, c->flags);
	struct file *f = file_of(CURRENT(), fd);

	if (c->follow && bpf_probe_read_user(&flags, sizeof(flags), (void *)flags))
		flags = 0;
	return note_fd(i, fd, f && flags & O_TRUNC && access_of(f) == ACCESS_READ ? ACCESS_WRITE : 0);
}

/* Memory that is made executable may have a file behind it. */
#ifdef UNTYPED
static __always_inline int note_protected(struct slot *s, __u64 at)
{
	return 0;
}
#else
static long file_behind(struct task_struct *t, struct vm_area_struct *v, struct path *p)
{
	struct file *f = BPF_CORE_READ(v, vm_file);

	if (f)
		path_of(p, f);
	return 0;
}

static __noinline int note_protected(struct slot *s, __u64 at)
{
	struct path p = {};

	if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_find_vma))
		return 0;
	if (bpf_find_vma(CURRENT(), at, file_behind, &p, 0) == -EBUSY) {
		LOSE_OF(s, files);
		return 0;
	}
	return note_file(s, CURRENT(), &p, ACCESS_MAP);
}
#endif

static __always_inline int note_names(__u32 i, volatile const struct file_call *c, __u64 *a)
{
	__u32 access = c->access;
	__u8 first = c->path, second = c->path2;

	if (c->follow && !(argument_at(a, c->flags) & AT_SYMLINK_NOFOLLOW))
		access |= 1 << 8;
	note_name(i, argument_at(a, first), directory_at(a, c->dir), access);
	if (second != NO_ARG)
		note_name(i, argument_at(a, second), directory_at(a, c->dir2), access);
	return 0;
}

/* Not static, so that it is verified once. */
__noinline int note_files(__u64 nr, long ret)
{
	struct task_struct *t = CURRENT();
	struct mnt_namespace *m;
	volatile const struct file_call *c = file_call(nr);
	__u64 a[8] = {};
	struct slot *s;
	__u32 i;

	s = contained(t, &m, &i);
	if (!s || class_now(s->init) < RUN_OPEN)
		return 0;
	arguments(registers(t), IS_COMPAT(t), a);
	switch (c->how) {
	case HOW_OPEN:
		return note_open(i, c, a, ret);
	case HOW_FD:
		return note_fd(i, a[0], c->access);
	case HOW_MAP:
		if (!(a[2] & PROT_EXEC) || a[3] & MAP_ANONYMOUS)
			return 0;
		return note_fd(i, a[4], ACCESS_MAP);
	case HOW_PROTECT:
		return a[2] & PROT_EXEC ? note_protected(s, a[0]) : 0;
	case HOW_PATH:
		return note_names(i, c, a);
	case HOW_SOCKET:
		return note_socket(i, a[1], a[2], c->access);
	}
	return 0;
}

/* A program that was run. Of a script, the file is its interpreter's. */
static __always_inline void note_exec(struct slot *s, struct task_struct *t,
				      struct linux_binprm *b)
{
	struct file_key k = { .id = s->id, .access = ACCESS_EXEC };
	struct file *f = BPF_CORE_READ(t, mm, exe_file);
	const char *called = BPF_CORE_READ(b, filename);
	struct file_val *v = blank_file();
	struct path p;
	long n;

	if (!f || !v)
		return;
	path_of(&p, f);
	k.mount = mount_hash(&p);
	k.trail = trail_hash((__u64)p.dentry, (__u64)BPF_CORE_READ(p.mnt, mnt_root));
	if (called != BPF_CORE_READ(b, interp)) {
		n = bpf_probe_read_kernel_str(v->text, FILE_TEXT, called);
		v->length = n > 0 ? n - 1 : 0;
		v->flags = n == FILE_TEXT ? FILE_TEXT_CUT : 0;
		k.trail ^= text_hash(true);
	}
	k.trail |= 1;
	if (bpf_map_lookup_elem(&files, &k))
		return;
	if (crowded(&k)) {
		LOSE_OF(s, files);
		return;
	}
	place((__u64)p.mnt, (__u64)p.dentry);
	keep_file(s, t, &k, v);
}
