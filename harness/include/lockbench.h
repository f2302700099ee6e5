/*
 * lockbench.h: how a lock written in C or C++ is measured by lockbench.
 *
 * Compile the lock into a shared object and name it to any command that takes locks:
 *
 *     cc -O2 -shared -fPIC -o my-lock.so my-lock.c
 *     lockbench suite --profile quick --lock-so ./my-lock.so
 *
 * `lockbench new-lock --c my-lock` writes this header and a ticket lock to begin with. docs/c-locks.md has the whole story.
 */
#ifndef LOCKBENCH_H
#define LOCKBENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The version of what this header says. lockbench refuses a lock of another version. */
#define LOCKBENCH_ABI 1

#ifdef __cplusplus
extern "C" {
#endif

/* The vCPU that calls. It is the caller's own, and the same in all its calls. */
struct lockbench_vcpu {
    uint32_t number;    /* its number, from 0 */
    uint32_t vcpus;     /* how many there are */
    void *node;         /* its own node, of `node_size` bytes */
    void *first_node;   /* see lockbench_node */
    size_t node_stride; /* see lockbench_node */
    void (*relax)(const struct lockbench_vcpu *me); /* see lockbench_relax */
    const void *reserved;
};

/* One step of a wait. Spin through this, with no pause instruction of your own: here lockbench notices that a waiter was preempted.
   A lock that spins otherwise is measured all the same, but preemptions of its waiters are noticed when they have the lock. */
static inline void lockbench_relax(const struct lockbench_vcpu *me)
{
    me->relax(me);
}

/* The node of vCPU `number`, which is below `vcpus`. Nodes stay where they are and valid as long as the lock is used, and every vCPU may
   read and write all of them: a queue lock may hand its node to the next waiter. */
static inline void *lockbench_node(const struct lockbench_vcpu *me, uint32_t number)
{
    return (char *)me->first_node + (size_t)number * me->node_stride;
}

/* The order in which waiters get the lock. */
enum lockbench_order {
    LOCKBENCH_UNFAIR = 0, /* whoever comes first when the lock becomes free */
    LOCKBENCH_FIFO = 1,   /* strictly first come, first served */
    LOCKBENCH_HYBRID = 2  /* first come, first served, but for a bounded overtaking */
};

/* What there is to know of a lock. What may be left out may be 0. Functions must return; they must not throw. */
struct lockbench_descriptor {
    uint32_t abi;             /* LOCKBENCH_ABI */
    uint32_t order;           /* enum lockbench_order; decides by what rules handovers are judged */
    const char *name;         /* lockbench calls the lock so:NAME; left out: as its symbol or its file is called */
    const char *about;        /* one line for `lockbench list`; may be left out */
    const char *source;       /* the library, paper or commit that it comes from; may be left out */
    const char *compare_with; /* the lock of lockbench's that it is set beside, say "ticket"; may be left out */
    size_t size;              /* of the lock, in bytes */
    size_t align;             /* of the lock, at most 128; 0 stands for 128 */
    size_t size_per_vcpu;     /* bytes more for each vCPU, behind the first `size`: slots of an array lock; may be left out */
    size_t node_size;         /* of a node per vCPU, in bytes: of a queue lock; may be left out */
    size_t node_align;        /* of a node, at most 128; 0 stands for 128 */
    void (*init)(void *lock, uint32_t vcpus); /* makes a free lock in zeroed memory; left out: zeros are a free lock */
    void (*init_node)(void *lock, void *node, uint32_t vcpu); /* the same for each vCPU's node, after the lock; may be left out */
    void (*acquire)(void *lock, struct lockbench_vcpu *me);   /* returns when the vCPU has the lock */
    void (*release)(void *lock, struct lockbench_vcpu *me);   /* called by the vCPU that has the lock */
    bool (*try_acquire)(void *lock, struct lockbench_vcpu *me); /* takes the lock or returns false at once; may be left out */
    bool blocks; /* waiters may sleep in the kernel */
    bool leaf;   /* acquire and release call nothing outside of the object (no C library) and use no thread-local storage: only such
                    locks run in the `kvm` environment */
};

#if defined(__GNUC__)
#define LOCKBENCH_EXPORT __attribute__((visibility("default")))
#else
#define LOCKBENCH_EXPORT
#endif

/* Begins the definition of a lock: LOCKBENCH_LOCK(my_lock) = { .abi = LOCKBENCH_ABI, ... }; An object may define several. */
#define LOCKBENCH_LOCK(NAME)                                                                \
    LOCKBENCH_EXPORT extern const struct lockbench_descriptor lockbench_lock_##NAME;        \
    const struct lockbench_descriptor lockbench_lock_##NAME

/* The only lock of an object may also be called `lockbench_lock`. */
LOCKBENCH_EXPORT extern const struct lockbench_descriptor lockbench_lock;

#ifdef __cplusplus
}
#endif

#endif
