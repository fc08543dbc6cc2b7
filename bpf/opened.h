// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* From a call that has gone well to the facts it is. */
#pragma once
#include "leads.h"

enum {
	O_TRUNC = 01000, FMODE_WRITE = 2, FMODE_PATH = 0x4000, FMODE_CREATED = 0x100000,
	S_IFREG = 0100000, S_IFDIR = 0040000,
	PROT_EXEC = 4, MAP_ANONYMOUS = 0x20,
	AT_FDCWD = -100, AT_SYMLINK_NOFOLLOW = 0x100, UNIX = 1,
};

static __always_inline struct file *file_of(struct task_struct *t, int fd)
{
	struct fdtable *table = BPF_CORE_READ(t, files, fdt);
	struct file **list = BPF_CORE_READ(table, fd), *f = 0;

	if (fd < 0 || (__u32)fd >= BPF_CORE_READ(table, max_fds))
		return 0;
	bpf_probe_read_kernel(&f, sizeof(f), list + fd);
	return f;
}

static __always_inline void path_of(struct path *p, struct file *f)
{
	BPF_CORE_READ_INTO(&p->mnt, f, f_path.mnt);
	BPF_CORE_READ_INTO(&p->dentry, f, f_path.dentry);
}

/* One fact about a file whose place is known. Directories are told apart where
 * something was written. */
static __always_inline int note_file(struct slot *s, struct task_struct *t, struct path *p,
				     __u8 access)
{
	struct file_key k = { .id = s->id, .access = access };
	struct dentry *root, *d = p->dentry;
	struct file_val *v;

	if (!p->mnt || !d)
		return 0;
	k.mount = mount_hash(p);
	if (access != ACCESS_READ && access != ACCESS_MAP && access != ACCESS_DEVICE) {
		root = BPF_CORE_READ(p->mnt, mnt_root);
		if (d != root && access != ACCESS_EXEC)
			d = BPF_CORE_READ(d, d_parent);
		k.trail = trail_hash((__u64)d, (__u64)root);
	}
	if (!unknown_file(&k))
		return 0;
	v = blank_file();
	if (!v)
		return 0;
	place((__u64)p->mnt, (__u64)p->dentry);
	keep_file(s, t, &k, v);
	return 0;
}

static __always_inline __u8 access_of(struct file *f)
{
	__u32 mode = BPF_CORE_READ(f, f_mode), kind = BPF_CORE_READ(f, f_inode, i_mode) & S_IFMT;

	if (mode & FMODE_PATH)
		return 0;
	if (mode & FMODE_CREATED)
		return ACCESS_CREATE;
	if (!(mode & FMODE_WRITE))
		return ACCESS_READ;
	return kind == S_IFREG || kind == S_IFDIR ? ACCESS_WRITE : ACCESS_DEVICE;
}

/* These are not static either, see files.h. A slot is known by its index. */
__noinline int note_fd(__u32 slot, int fd, __u32 access)
{
	struct slot *s = &slots[slot & (SLOTS - 1)];
	struct task_struct *t = CURRENT();
	struct file *f = file_of(t, fd);
	struct path p;

	if (!f)
		return 0;
	if (!access)
		access = access_of(f);
	if (!access)
		return 0;
	path_of(&p, f);
	return note_file(s, t, &p, access);
}

/* The text's hash up to the slash before its last name, or of all of it. */
__noinline __u64 text_hash(__u32 whole)
{
	__u64 h = 14695981039346656037ULL, directory = h, slash = h;
	struct file_val *v = file_now();

	for (int i = 0; v && i < FILE_TEXT; i++) {
		__u8 c = v->text[i];

		if (i >= v->length)
			break;
		h = (h ^ c) * FNV;
		if (c == '/')
			slash = h;
		else
			directory = slash;
	}
	return whole ? h : directory;
}

/* What names are relative to. */
static __always_inline bool base_of(struct task_struct *t, struct path *p, __u8 first, int dir)
{
	struct file *f;

	if (first == '/') {
		BPF_CORE_READ_INTO(&p->mnt, t, fs, root.mnt);
		BPF_CORE_READ_INTO(&p->dentry, t, fs, root.dentry);
		return true;
	}
	if (dir == AT_FDCWD) {
		BPF_CORE_READ_INTO(&p->mnt, t, fs, pwd.mnt);
		BPF_CORE_READ_INTO(&p->dentry, t, fs, pwd.dentry);
		return true;
	}
	f = file_of(t, dir);
	if (f)
		path_of(p, f);
	return f;
}

static __always_inline __u32 lead(struct path *p, struct task_struct *t, struct file_val *v)
{
	struct file *f;

	if (leads(p, v->flags & FILE_FOLLOW))
		return FILE_LED;
	f = v->flags & FILE_FOLLOW ? file_of(t, own_file(v)) : 0;
	if (!f)
		return 0;
	path_of(p, f);
	return FILE_LED;
}

__noinline int note_called(__u32 slot, int dir, __u32 access)
{
	struct slot *s = &slots[slot & (SLOTS - 1)];
	struct file_val *v = file_now();
	struct file_key k = { .id = s->id, .access = access, .called = 1 };
	struct task_struct *t = CURRENT();
	struct path p = {};

	if (!v)
		return 0;
	if (!base_of(t, &p, v->text[0], dir) || !p.mnt || !p.dentry)
		v->flags |= FILE_UNREADABLE;
	else
		k.mount = mount_hash(&p);
	k.trail = text_hash(access == ACCESS_CONNECT || access == ACCESS_BIND);
	if (k.mount && v->text[0] != '/')
		k.trail ^= trail_hash((__u64)p.dentry, (__u64)BPF_CORE_READ(p.mnt, mnt_root));
	if (!unknown_file(&k))
		return 0;
	if (k.mount && v->text[0] && !(v->flags & FILE_TEXT_CUT))
		v->flags |= lead(&p, t, v);
	if (k.mount)
		place((__u64)p.mnt, (__u64)p.dentry);
	v->flags |= FILE_CALLED;
	keep_file(s, t, &k, v);
	return 0;
}

/* A name in user space's memory. By now it was used, so it is there. An empty one
 * means the file at dir itself. */
__noinline int note_name(__u32 slot, __u64 at, int dir, __u32 access_follow)
{
	__u8 access = access_follow;
	struct file_val *v = blank_file();
	long n;

	if (!v)
		return 0;
	n = at ? bpf_probe_read_user_str(v->text, FILE_TEXT, (void *)at) : 1;
	if (n == 1)
		return dir == AT_FDCWD ? 0 : note_fd(slot, dir, access);
	if (n < 0) {
		v->text[0] = 0;
		v->flags |= FILE_UNREADABLE;
		n = 1;
	}
	v->length = n - 1;
	if (n == FILE_TEXT)
		v->flags |= FILE_TEXT_CUT;
	if (access_follow >> 8)
		v->flags |= FILE_FOLLOW;
	return note_called(slot, dir, access);
}

/* A socket of this machine, by the name it was called by. */
__noinline int note_socket(__u32 slot, __u64 at, __u32 length, __u32 access)
{
	struct file_val *v = blank_file();
	__u16 family = 0;
	long n = length - 2;

	if (!v || bpf_probe_read_user(&family, sizeof(family), (void *)at) || family != UNIX)
		return 0;
	if (n <= 0)	/* no name */
		return 0;
	if (n > 108)
		n = 108;
	__builtin_memset(v->text, 0, 128);
	asm volatile("%0 &= 127" : "+r"(n));
	if (bpf_probe_read_user(v->text, n, (void *)at + 2))
		v->flags |= FILE_UNREADABLE;
	v->flags |= FILE_FOLLOW;
	if (v->text[0]) {
		n = bpf_probe_read_user_str(v->text, 128, (void *)at + 2);
		n = n > 0 ? n - 1 : 0;
		if (n > 108)
			n = 108;
	}
	v->length = n;
	return note_called(slot, AT_FDCWD, access);
}
