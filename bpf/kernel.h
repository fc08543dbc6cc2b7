// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The members of kernel structures that the probes read. The loader moves each
 * access to where the running kernel keeps the member, so order and padding
 * here mean nothing, and no generated dump of a whole kernel is needed.
 */
#pragma once
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct user_namespace { struct user_namespace *parent; };
struct ns_common { unsigned int inum; };
struct mnt_namespace { struct ns_common ns; struct user_namespace *user_ns; };
struct mnt_namespace___seq { __u64 seq; };		/* until 6.17 */
struct ns_common___id { __u64 ns_id; };			/* from 6.18 */
struct mnt_namespace___id { struct ns_common___id ns; };
struct net { struct ns_common ns; };
struct task_struct;
struct pid_namespace { struct ns_common ns; struct task_struct *child_reaper; unsigned int level; };
struct nsproxy {
	struct mnt_namespace *mnt_ns;
	struct net *net_ns;
	struct pid_namespace *pid_ns_for_children;
};

struct qstr { __u64 hash_len; const unsigned char *name; };
struct file_system_type { const char *name; };
struct super_block { __u32 s_dev; struct file_system_type *s_type; };
struct inode { unsigned short i_mode; unsigned long i_ino; struct super_block *i_sb; char *i_link; };
struct list_head { struct list_head *next; };
struct hlist_head { struct hlist_node *first; };
struct hlist_bl_node { struct hlist_bl_node **pprev; };
struct dentry {
	struct hlist_bl_node d_hash;
	struct qstr d_name;
	struct dentry *d_parent;
	struct inode *d_inode;
	struct super_block *d_sb;
};
struct dentry___list { struct list_head d_child, d_subdirs; };	/* until 6.7 */
struct hlist_node { struct hlist_node *next; };
struct dentry___hlist { struct hlist_node d_sib; struct hlist_head d_children; };	/* from 6.8 */
struct vfsmount { struct dentry *mnt_root; };
struct mount {
	struct vfsmount mnt;
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct mnt_namespace *mnt_ns;
	struct list_head mnt_mounts, mnt_child;
};
struct path { struct vfsmount *mnt; struct dentry *dentry; };
struct file { struct path f_path; struct inode *f_inode; unsigned int f_mode; };
struct fdtable { unsigned int max_fds; struct file **fd; };
struct files_struct { struct fdtable *fdt; };
struct fs_struct { struct path root, pwd; };
struct linux_binprm { const char *filename, *interp; };
struct vm_area_struct { struct file *vm_file; };
struct mm_struct { struct file *exe_file; };

struct kernfs_node { __u64 id; const char *name; };
struct kernfs_node___parent { struct kernfs_node *parent; };	/* until 6.14 */
struct kernfs_node___rcu { struct kernfs_node *__parent; };	/* from 6.15 */
struct cgroup { struct kernfs_node *kn; int level; };
struct cgroup_subsys_state { struct cgroup *cgroup; };
struct css_set { struct cgroup *dfl_cgrp; struct cgroup_subsys_state *subsys[1]; };
enum cgroup_subsys_id { pids_cgrp_id = 12 };

struct cred { struct user_namespace *user_ns; };
struct seccomp { int mode; };
typedef struct { int counter; } atomic_t;
struct signal_struct { struct list_head thread_head; atomic_t live; unsigned int flags; int group_exit_code; };
struct upid { int nr; };
struct pid { unsigned int level; struct upid numbers[1]; };
struct thread_info { unsigned long flags; __u32 status; };
typedef struct { unsigned long sig[1]; } sigset_t;
struct sigpending { sigset_t signal; };
struct task_struct {
	struct thread_info thread_info;
	void *stack;
	struct mm_struct *mm;
	int pid, tgid, exit_code;
	struct task_struct *real_parent, *group_leader;
	struct pid *thread_pid;
	__u64 start_boottime;
	const struct cred *real_cred;
	char comm[16];
	struct nsproxy *nsproxy;
	struct seccomp seccomp;
	struct css_set *cgroups;
	struct signal_struct *signal;
	struct list_head thread_node;
	struct files_struct *files;
	struct fs_struct *fs;
	struct sigpending pending;
};
struct task_struct___real { __u64 real_start_time; };		/* until 5.4 */

struct in6_addr { __u8 s6_addr[16]; };
typedef struct { struct net *net; } possible_net_t;
struct sock_common {
	unsigned short skc_family;
	__be32 skc_daddr, skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
	possible_net_t skc_net;
};
struct sock_cgroup_data { struct cgroup *cgroup; };
struct sock {
	struct sock_common __sk_common;
	struct sock_cgroup_data sk_cgrp_data;
	int sk_err;
	__u16 sk_protocol;
	__u8 sk_userlocks : 4;
};

#ifdef __TARGET_ARCH_arm64
struct pt_regs { __u64 regs[31], orig_x0; int syscallno; };
#else
struct pt_regs { unsigned long bx, bp, di, si, dx, cx, ax, r8, r9, r10, orig_ax; };
#endif

struct seq_file;
struct bpf_iter_meta { struct seq_file *seq; };
struct bpf_iter__task { struct bpf_iter_meta *meta; struct task_struct *task; };

#pragma clang attribute pop

/*
 * Since 5.11 the current task has a type and its members are loaded at the cost
 * of a move. Before, each goes through a call.
 */
#ifdef UNTYPED
#define CURRENT() ((struct task_struct *)bpf_get_current_task())
#define READ(p, m) BPF_CORE_READ(p, m)
#else
#define CURRENT() bpf_get_current_task_btf()
#define READ(p, m) ((p)->m)
#endif

#ifdef __TARGET_ARCH_arm64
#define IS_COMPAT(t) ((READ(t, thread_info.flags) >> 22) & 1)	/* TIF_32BIT */
#define CALL_NR(r) BPF_CORE_READ(r, syscallno)
enum { NR_UNSHARE = 97, NR_SETNS = 268, NR_SECCOMP = 277, NR_PRCTL = 167, NR_EXECVE = 221, NR_EXECVEAT = 281 };
enum { COMPAT_UNSHARE = 337, COMPAT_SETNS = 375, COMPAT_EXECVE = 11, COMPAT_EXECVEAT = 387,
       COMPAT_SECCOMP = 383, COMPAT_PRCTL = 172 };
#else
#define IS_COMPAT(t) ((READ(t, thread_info.status) >> 1) & 1)	/* TS_COMPAT */
#define CALL_NR(r) BPF_CORE_READ(r, orig_ax)
enum { NR_UNSHARE = 272, NR_SETNS = 308, NR_SECCOMP = 317, NR_PRCTL = 157, NR_EXECVE = 59, NR_EXECVEAT = 322 };
enum { COMPAT_UNSHARE = 310, COMPAT_SETNS = 346, COMPAT_EXECVE = 11, COMPAT_EXECVEAT = 358,
       COMPAT_SECCOMP = 354, COMPAT_PRCTL = 172 };
#endif
