#include "net/traffic.h"

void traffic_moved(struct traffic *traffic, bool near, uint64_t bytes, int64_t now)
{
        uint64_t *counted = near ? &traffic->near_bytes : &traffic->far_bytes;

        __atomic_store_n(counted, *counted + bytes, __ATOMIC_RELAXED);
        __atomic_store_n(&traffic->moved, now, __ATOMIC_RELAXED);
}

void traffic_opened(struct traffic *traffic, bool near, int change)
{
        uint32_t *open = near ? &traffic->near_open : &traffic->far_open;

        __atomic_store_n(open, *open + (uint32_t)change, __ATOMIC_RELAXED);
}

struct traffic traffic_read(const struct traffic *traffic)
{
        return (struct traffic){
                .near_bytes = __atomic_load_n(&traffic->near_bytes, __ATOMIC_RELAXED),
                .far_bytes = __atomic_load_n(&traffic->far_bytes, __ATOMIC_RELAXED),
                .near_open = __atomic_load_n(&traffic->near_open, __ATOMIC_RELAXED),
                .far_open = __atomic_load_n(&traffic->far_open, __ATOMIC_RELAXED),
                .moved = __atomic_load_n(&traffic->moved, __ATOMIC_RELAXED),
        };
}
