/* c-ticket: a ticket lock, to be measured by lockbench.
 *
 *     cc -O2 -shared -fPIC -o c-ticket.so c-ticket.c
 *     lockbench suite --profile quick --lock-so ./c-ticket.so
 *
 * It does what lockbench's own `ticket` does, with the same loads and stores, so that the two differ by the calls alone. */
#include "lockbench.h"

/* Little-endian: the head, whose turn it is, is the lower half of the word; the tail, the next number, the upper one. */
union ticket {
    uint32_t word;
    struct { uint16_t head, tail; } half;
};

static void acquire(void *lock, struct lockbench_vcpu *me)
{
    union ticket *ticket = lock;
    uint32_t taken = __atomic_fetch_add(&ticket->word, 1u << 16, __ATOMIC_ACQUIRE);
    uint16_t mine = taken >> 16, head = taken;
    while (head != mine) {
        lockbench_relax(me);
        head = __atomic_load_n(&ticket->half.head, __ATOMIC_ACQUIRE);
    }
}

static void release(void *lock, struct lockbench_vcpu *me)
{
    union ticket *ticket = lock;
    (void)me;
    __atomic_store_n(&ticket->half.head, ticket->half.head + 1, __ATOMIC_RELEASE);
}

LOCKBENCH_LOCK(c_ticket) = {
    .abi = LOCKBENCH_ABI,
    .order = LOCKBENCH_FIFO,
    .name = "c-ticket",
    .about = "a ticket lock in C",
    .compare_with = "ticket",
    .size = sizeof(union ticket),
    .acquire = acquire,
    .release = release,
    .leaf = true, /* so that it also runs in the `kvm` environment */
};
