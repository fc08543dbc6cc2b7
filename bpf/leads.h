// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Where a name leads, by the names the kernel has in memory: those a call has
 * just used are there. No disk is read. Where a link is in the way whose text is
 * not in memory, or a name is not found, user space has to ask.
 */
#pragma once
#include "files.h"

enum { S_IFMT = 0170000, S_IFLNK = 0120000 };

#ifdef UNTYPED	/* before 5.17 no loop is long enough */
static __always_inline bool leads(struct path *p, bool follow)
{
	return false;
}

static __always_inline int own_file(struct file_val *v)
{
	return -1;
}
#else
enum { NAME_WORDS = 8, NAME_SIZE = 8 * NAME_WORDS, LINK_SIZE = 128, LINKS = 8, WALK_STEPS = 4096 };
enum walking { WALK_NAME, WALK_SLASH, WALK_CHILD, WALK_MOUNT, WALK_UP, WALK_THERE, WALK_LOST };

struct quest {
	__u64 dir, mnt;			/* addresses of a dentry and a mount */
	__u64 cursor, head;		/* of the list that is gone through */
	__u64 root, root_mnt;
	char name[NAME_SIZE], other[NAME_SIZE];	/* filled up with zeros */
	char link[LINK_SIZE];			/* read before the rest of the text */
	__u32 length, at, link_at;		/* of name; in the text, in link */
	__u32 phase, follow, links, linked;
};

MAP(BPF_MAP_TYPE_PERCPU_ARRAY, 1, __u32, struct quest, quest_scratch);

static __always_inline struct dentry *dir_of(struct quest *w) { return (void *)w->dir; }
static __always_inline struct mount *mnt_of(struct quest *w) { return (void *)w->mnt; }
static __always_inline struct list_head *cursor_of(struct quest *w) { return (void *)w->cursor; }

static __always_inline void clear_name(char *name)
{
	for (int i = 0; i < NAME_WORDS; i++)
		((__u64 *)name)[i] = 0;
}

static __always_inline void pass(struct quest *w)
{
	if (w->linked)
		w->link_at++;
	else
		w->at++;
}

static __always_inline __u32 step_name(struct quest *w, char c)
{
	if (!c || c == '/') {
		if (w->length == 1 && w->name[0] == '.')
			w->length = 0;
		return WALK_SLASH;
	}
	if (w->length >= NAME_SIZE - 1)
		return WALK_LOST;
	w->name[w->length & (NAME_SIZE - 1)] = c;
	w->length++;
	pass(w);
	return WALK_NAME;
}

static __always_inline __u32 first_child(struct quest *w)
{
	struct dentry___list *o = (void *)w->dir;
	struct dentry___hlist *n = (void *)w->dir;

	if (bpf_core_field_exists(n->d_children)) {
		w->head = 0;
		w->cursor = (__u64)BPF_CORE_READ(n, d_children.first);
	} else {
		w->head = w->dir + bpf_core_field_offset(o->d_subdirs);
		w->cursor = (__u64)BPF_CORE_READ(o, d_subdirs.next);
	}
	return WALK_CHILD;
}

/* The last name is looked up only where what it leads to is wanted. */
static __always_inline __u32 step_slash(struct quest *w, char c)
{
	if (c == '/') {
		pass(w);
		return WALK_SLASH;
	}
	if (!c && w->linked) {
		w->linked = 0;
		return WALK_SLASH;
	}
	if (!c && (!w->length || !w->follow))
		return WALK_THERE;
	if (w->length == 2 && w->name[0] == '.' && w->name[1] == '.')
		return WALK_UP;
	if (w->length)
		return first_child(w);
	clear_name(w->name);
	return WALK_NAME;
}

static __always_inline struct dentry *child_at(void *cursor)
{
	struct dentry___list *o = 0;
	struct dentry___hlist *n = 0;

	if (bpf_core_field_exists(n->d_sib))
		return cursor - bpf_core_field_offset(n->d_sib);
	return cursor - bpf_core_field_offset(o->d_child);
}

/* Whether d is a file that can be found in the directory by the name. */
static __always_inline bool found(struct quest *w, struct dentry *d)
{
	if (BPF_CORE_READ(d, d_name.hash_len) >> 32 != w->length || BPF_CORE_READ(d, d_parent) != dir_of(w))
		return false;
	clear_name(w->other);
	if (bpf_probe_read_kernel_str(w->other, NAME_SIZE, BPF_CORE_READ(d, d_name.name)) <= 1)
		return false;
	for (int i = 0; i < NAME_WORDS; i++)
		if (((__u64 *)w->other)[i] != ((__u64 *)w->name)[i])
			return false;
	return BPF_CORE_READ(d, d_hash.pprev) && BPF_CORE_READ(d, d_inode);
}

static __always_inline void first_mount(struct quest *w)
{
	w->head = w->mnt + bpf_core_field_offset(struct mount, mnt_mounts);
	w->cursor = (__u64)BPF_CORE_READ(mnt_of(w), mnt_mounts.next);
}

/* To the directory that dir is in, across mounts, and not above the root. */
static __always_inline __u32 step_up(struct quest *w)
{
	struct mount *over = BPF_CORE_READ(mnt_of(w), mnt_parent);

	w->length = 0;
	if (w->dir == w->root && w->mnt == w->root_mnt)
		return WALK_SLASH;
	if (dir_of(w) == BPF_CORE_READ(mnt_of(w), mnt.mnt_root)) {
		if (over == mnt_of(w))
			return WALK_SLASH;
		w->dir = (__u64)BPF_CORE_READ(mnt_of(w), mnt_mountpoint);
		w->mnt = (__u64)over;
		return WALK_UP;
	}
	w->dir = (__u64)BPF_CORE_READ(dir_of(w), d_parent);
	first_mount(w);
	return WALK_MOUNT;
}

/* On along a link, whose text many file systems keep with the inode. What is
 * left of another link's is not kept. */
static __always_inline __u32 enter_link(struct quest *w, struct dentry *d)
{
	char *text = BPF_CORE_READ(d, d_inode, i_link);
	long n;

	if (!text || w->linked || w->links++ >= LINKS)
		return WALK_LOST;
	n = bpf_probe_read_kernel_str(w->link, LINK_SIZE, text);
	if (n <= 1 || n == LINK_SIZE)
		return WALK_LOST;
	if (w->link[0] == '/') {
		w->dir = w->root;
		w->mnt = w->root_mnt;
	}
	w->linked = 1;
	w->link_at = w->length = 0;
	return WALK_SLASH;
}

static __always_inline __u32 step_child(struct quest *w)
{
	struct dentry *d;

	if (!w->cursor || w->cursor == w->head)
		return WALK_LOST;
	d = child_at((void *)w->cursor);
	if (!found(w, d)) {	/* next is at the same place in both kinds of list */
		w->cursor = (__u64)BPF_CORE_READ(cursor_of(w), next);
		return WALK_CHILD;
	}
	if ((BPF_CORE_READ(d, d_inode, i_mode) & S_IFMT) == S_IFLNK)
		return enter_link(w, d);
	w->dir = (__u64)d;
	first_mount(w);
	return WALK_MOUNT;
}

/* What is mounted there hides it. */
static __always_inline __u32 step_mount(struct quest *w)
{
	struct mount *m;

	if (!w->cursor)
		return WALK_LOST;
	if (w->cursor == w->head) {
		w->length = 0;
		return WALK_SLASH;
	}
	m = (void *)w->cursor - bpf_core_field_offset(struct mount, mnt_child);
	w->cursor = (__u64)BPF_CORE_READ(cursor_of(w), next);
	if (BPF_CORE_READ(m, mnt_mountpoint) != dir_of(w))
		return WALK_MOUNT;
	w->mnt = (__u64)m;
	w->dir = (__u64)BPF_CORE_READ(m, mnt.mnt_root);
	first_mount(w);
	return WALK_MOUNT;
}

static int walk_on(__u32 i, void *none)
{
	__u32 zero = 0;
	struct file_val *v = bpf_map_lookup_elem(&file_scratch, &zero);
	struct quest *w = bpf_map_lookup_elem(&quest_scratch, &zero);
	char c = 0;

	if (!v || !w)
		return 1;
	if (w->linked)
		c = w->link[w->link_at & (LINK_SIZE - 1)];
	else if (w->at < v->length)
		c = v->text[w->at & (FILE_TEXT - 1)];
	switch (w->phase) {
	case WALK_NAME:
		w->phase = step_name(w, c);
		break;
	case WALK_SLASH:
		w->phase = step_slash(w, c);
		break;
	case WALK_CHILD:
		w->phase = step_child(w);
		break;
	case WALK_MOUNT:
		w->phase = step_mount(w);
		break;
	case WALK_UP:
		w->phase = step_up(w);
		break;
	}
	return w->phase >= WALK_THERE;
}

/* Goes from p along the text in file_scratch: to the directory that its last name
 * is in, or to what that is. */
static __noinline bool leads(struct path *p, bool follow)
{
	__u32 zero = 0;
	struct quest *w = bpf_map_lookup_elem(&quest_scratch, &zero);

	if (!w || !bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_loop))
		return false;
	w->dir = (__u64)p->dentry;
	w->mnt = (__u64)mount_of(p->mnt);
	w->length = w->at = w->links = w->linked = 0;
	w->phase = WALK_SLASH;
	w->root = (__u64)BPF_CORE_READ(CURRENT(), fs, root.dentry);
	w->root_mnt = (__u64)mount_of(BPF_CORE_READ(CURRENT(), fs, root.mnt));
	w->follow = follow;
	bpf_loop(WALK_STEPS, walk_on, 0, 0);
	if (w->phase != WALK_THERE)
		return false;
	p->dentry = dir_of(w);
	p->mnt = (void *)w->mnt + bpf_core_field_offset(struct mount, mnt);
	return true;
}

/* Where leads was lost before a file of the process's own by its number, as libc
 * names files that it has no other name for: /proc/self/fd/3. It is -1 elsewhere. */
static __always_inline int own_file(struct file_val *v)
{
	__u32 zero = 0;
	struct quest *w = bpf_map_lookup_elem(&quest_scratch, &zero);
	const char self[4] = "self", proc[4] = "proc", fd[3] = "fd/";
	char fs[5] = {};
	int n = 0;
	__u32 at;

	if (!w || w->linked || w->length != sizeof(self))
		return -1;
	bpf_probe_read_kernel_str(fs, sizeof(fs), BPF_CORE_READ(dir_of(w), d_sb, s_type, name));
	for (int i = 0; i < sizeof(self); i++)
		if (fs[i] != proc[i] || w->name[i] != self[i])
			return -1;
	at = w->at;
	for (int i = 0; i < sizeof(fd); i++, at++)
		if (v->text[at & (FILE_TEXT - 1)] != fd[i])
			return -1;
	for (int i = 0; i < 9; i++, at++) {
		char c = v->text[at & (FILE_TEXT - 1)];

		if (at >= v->length)
			return i ? n : -1;
		if (c < '0' || c > '9')
			return -1;
		n = n * 10 + c - '0';
	}
	return -1;
}
#endif
