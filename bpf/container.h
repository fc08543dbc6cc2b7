// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* From a task to the slot of its mount namespace. */
#pragma once
#include "maps.h"

#define LOSE(what) __sync_fetch_and_add(&lost.what, 1)

/* A fact of one container: it is counted for all, marked, and counted for it. */
#define LOSE_OF(slot, what) do { \
	LOSE(what); \
	(slot)->flags |= SLOT_FACTS_LOST; \
	__sync_fetch_and_add(&(slot)->lost.what, 1); \
} while (0)

/* What adding an entry came to: it is not there. A full map is the usual reason and
 * not the only one: a lock that is not to be had is another. Where somebody else
 * has just added the same entry (EEXIST), it is there. */
static __always_inline bool unkept(long err)
{
	return err && err != -17;
}

/* Inode numbers of namespaces are handed out again at once; these are not. */
static __always_inline __u64 unique_id(struct mnt_namespace *m)
{
	struct mnt_namespace___id *n = (void *)m;
	struct mnt_namespace___seq *o = (void *)m;

	if (bpf_core_field_exists(n->ns.ns_id))
		return READ(n, ns.ns_id);
	return BPF_CORE_READ(o, seq);
}

/* The same of one that is not the current task's, and may be nobody's any more. */
static __always_inline __u64 id_of(struct mnt_namespace *m)
{
	struct mnt_namespace___id *n = (void *)m;
	struct mnt_namespace___seq *o = (void *)m;

	if (bpf_core_field_exists(n->ns.ns_id))
		return BPF_CORE_READ(n, ns.ns_id);
	return BPF_CORE_READ(o, seq);
}

/* The kernel's own mounts have no namespace, or an error in its place. */
static __always_inline bool is_mounted(struct mnt_namespace *at)
{
	return at && (__u64)at < (__u64)-4095;
}

/* Where the program that runs was mounted, null without a program. */
static __always_inline struct mnt_namespace *program_ns(struct task_struct *t)
{
	struct vfsmount *v = BPF_CORE_READ(t, mm, exe_file, f_path.mnt);
	struct mount *mt = (void *)v - bpf_core_field_offset(struct mount, mnt);

	return v ? BPF_CORE_READ(mt, mnt_ns) : 0;
}

/* The namespace that a task which has just made one comes from, by its program: by
 * its parent where that is in no directory. */
static __always_inline __u64 comes_from(struct task_struct *t)
{
	struct mnt_namespace *at = program_ns(t);

	if (!is_mounted(at))
		at = BPF_CORE_READ(t, real_parent, nsproxy, mnt_ns);
	return at ? id_of(at) : 0;
}

static __always_inline struct mnt_namespace *mount_ns(struct task_struct *t)
{
	struct nsproxy *n = READ(t, nsproxy);

	return n ? READ(n, mnt_ns) : 0;	/* none: the task is on its way out */
}

/* On a host without unified cgroups the pids controller's tells containers apart.
 * The number of a controller differs from kernel to kernel. */
static __always_inline struct cgroup *cgroup_of(struct task_struct *t)
{
	struct css_set *set = BPF_CORE_READ(t, cgroups);
	struct cgroup *c = BPF_CORE_READ(set, dfl_cgrp);
	struct cgroup_subsys_state *css = 0;

	if (BPF_CORE_READ(c, level) > 0 ||
	    !bpf_core_enum_value_exists(enum cgroup_subsys_id, pids_cgrp_id))
		return c;
	bpf_probe_read_kernel(&css, sizeof(css),
		(void *)set + bpf_core_field_offset(struct css_set, subsys) +
		bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id) * sizeof(void *));
	return css ? BPF_CORE_READ(css, cgroup) : c;
}

/* An offset into a path that 128 more bytes fit behind. Older verifiers forget the
 * bound of a register once it was spilled, so it is set again where it is used. */
static __always_inline __u64 within(__u64 at)
{
	asm volatile("%0 &= 127" : "+r"(at));
	return at;
}

static __always_inline struct kernfs_node *parent_of(struct kernfs_node *k)
{
	struct kernfs_node___parent *o = (void *)k;
	struct kernfs_node___rcu *n = (void *)k;

	if (bpf_core_field_exists(o->parent))
		return BPF_CORE_READ(o, parent);
	return BPF_CORE_READ(n, __parent);
}

/* Names from the leaf up, each ended by a zero. What is returned is the id sockets
 * know their cgroup by: of the unified tree, and 0 for its root, which tells nobody
 * apart. */
static __always_inline __u64 cgroup_path(struct task_struct *t, char *path)
{
	struct cgroup *c = cgroup_of(t), *unified = BPF_CORE_READ(t, cgroups, dfl_cgrp);
	struct kernfs_node *k = BPF_CORE_READ(c, kn);
	__u64 at = 0, id = 0;

	if (c == unified && BPF_CORE_READ(c, level) > 0)
		id = BPF_CORE_READ(k, id);

	for (int i = 0; i < 8 && k && at < CGROUP_PATH - 128; i++) {
		long n = bpf_probe_read_kernel_str(path + within(at), 128, BPF_CORE_READ(k, name));

		if (n <= 1)
			break;
		at += n;
		k = parent_of(k);
	}
	asm volatile("%0 &= 255" : "+r"(at));
	path[at] = 0;
	return id;
}

static __always_inline void note_cgroup(struct slot *s, struct task_struct *t)
{
	__u64 id = s->id;

	s->cgroup = cgroup_path(t, s->path);
	if (s->cgroup)
		bpf_map_update_elem(&by_cgroup, &s->cgroup, &id, BPF_ANY);
}

/* Recording began after the container: its past is not known. */
static __always_inline bool is_late(struct task_struct *t)
{
	struct pid_namespace *p = BPF_CORE_READ(t, nsproxy, pid_ns_for_children);
	struct task_struct *init = BPF_CORE_READ(p, child_reaper);

	if (BPF_CORE_READ(t, start_boottime) < attached_at)
		return true;
	return BPF_CORE_READ(p, level) && init &&
	       BPF_CORE_READ(init, start_boottime) < attached_at;
}
