#include "config.h"

#include "proxy/peer.h"

static int64_t whole_weight(const struct peer *peer)
{
    return (int64_t)peer->weight * PEER_SCALE;
}

static void begin_turns(struct peer *peer)
{
    peer->effective = whole_weight(peer);
    peer->current = 0;
}

/* Sets or clears the flag; returns whether this lets the peer in that was out. */
static bool set_flag(struct peer *peer, uint32_t flag, bool is_set)
{
    bool was_out = (peer->flags & PEER_IS_OUT) != 0;

    peer->flags = is_set ? peer->flags | flag : peer->flags & ~flag;
    return was_out && (peer->flags & PEER_IS_OUT) == 0;
}

void peer_configure(struct peer *peer, const struct conf_server *server, int64_t now_ms)
{
    uint32_t weight = server->weight > 0 ? (uint32_t)server->weight : 1;

    peer->max_conns = (uint32_t)server->max_conns;
    peer->max_fails = (uint32_t)server->max_fails;
    peer->fail_timeout_s = (uint32_t)((server->fail_timeout_ms + 999) / 1000);
    peer->slow_start_ms = server->slow_start_ms;
    (void)set_flag(peer, PEER_IS_BACKUP, server->backup);
    if (set_flag(peer, PEER_IS_DOWN, server->down))
        peer_return(peer, now_ms);
    if (peer->weight != weight) {
        peer->weight = weight;
        begin_turns(peer);
    }
}

void peer_forget(struct peer *peer)
{
    peer->flags = 0;
    peer->fails = 0;
    peer->checked_s = 0;
    peer->accessed_s = 0;
    peer->ejected_until_ms = 0;
    peer->slow_since_ms = 0;
    peer->latency_us = 0;
    peer->samples = 0;
    begin_turns(peer);
}

void peer_return(struct peer *peer, int64_t now_ms)
{
    peer->slow_since_ms = peer->slow_start_ms > 0 ? now_ms : 0;
}

enum peer_state peer_state(const struct peer *peer, bool alone, int64_t now_ms)
{
    if ((peer->flags & PEER_IS_OUT) != 0)
        return (peer->flags & PEER_IS_DOWN) != 0      ? PEER_DOWN
               : (peer->flags & PEER_IS_DRAINED) != 0 ? PEER_DRAINED
                                                      : PEER_UNHEALTHY;
    if (now_ms < peer->ejected_until_ms && !alone)
        return PEER_EJECTED;
    if (peer->fails != 0 && peer->max_fails != 0 && peer->fails >= peer->max_fails &&
        peer_difference(now_ms / 1000, peer->checked_s) <= (int64_t)peer->fail_timeout_s && !alone)
        return PEER_FAILED;
    if (peer->max_conns != 0 && peer->connections >= peer->max_conns)
        return PEER_BUSY;
    return PEER_UP;
}

const char *peer_state_name(enum peer_state state)
{
    static const char *const names[PEER_STATES] = {
        [PEER_UP] = "up",           [PEER_DOWN] = "down",
        [PEER_DRAINED] = "drained", [PEER_UNHEALTHY] = "unhealthy",
        [PEER_EJECTED] = "ejected", [PEER_FAILED] = "failed",
        [PEER_BUSY] = "busy",
    };

    return names[state];
}

int64_t peer_ramp(const struct peer *peer, int64_t now_ms)
{
    int64_t weight = whole_weight(peer);
    int64_t since_ms = peer_difference(now_ms, peer->slow_since_ms);
    int64_t whole_ms = *(const volatile int64_t *)&peer->slow_start_ms; /* one reading */
    int64_t part;

    if (since_ms >= whole_ms)
        return weight;
    part = since_ms > 0 ? (int64_t)((uint64_t)weight * (uint64_t)since_ms) / whole_ms : 0;
    return part > 0 ? part : 1;
}

void peer_probe(struct peer *peer, int64_t now_ms)
{
    int64_t now_s = now_ms / 1000;

    if (peer_difference(now_s, peer->checked_s) > (int64_t)peer->fail_timeout_s)
        peer->checked_s = now_s;
}

void peer_failed(struct peer *peer, bool alone, int64_t now_ms)
{
    uint32_t max_fails = *(const volatile uint32_t *)&peer->max_fails; /* one reading */

    peer->failures++;
    peer->error_ms = now_ms;
    if (alone)
        return;
    if (peer->fails < UINT32_MAX)
        peer->fails++;
    peer->accessed_s = now_ms / 1000;
    peer->checked_s = peer->accessed_s;
    if (max_fails != 0)
        peer->effective =
            peer_difference(peer->effective, (int64_t)(peer->weight / max_fails) * PEER_SCALE);
    if (peer->effective < 0)
        peer->effective = 0;
}

void peer_forgive(struct peer *peer, int64_t now_ms)
{
    if (peer->accessed_s >= peer->checked_s)
        return;
    if (peer->max_fails != 0 && peer->fails >= peer->max_fails)
        peer_return(peer, now_ms);
    peer->fails = 0;
}

void peer_learn_latency(struct peer *peer, int64_t latency_us)
{
    if (peer->samples++ == 0)
        peer->latency_us = latency_us;
    else
        peer->latency_us =
            peer_sum(peer->latency_us, peer_difference(latency_us, peer->latency_us) / 8);
}

void peer_eject(struct peer *peer, int64_t now_ms)
{
    peer->ejected_until_ms = now_ms + (int64_t)peer->fail_timeout_s * 1000;
    peer_return(peer, peer->ejected_until_ms);
    peer->latency_us = 0;
    peer->samples = 0;
}

void peer_set_health(struct peer *peer, bool is_healthy, int64_t now_ms)
{
    if (is_healthy && (peer->flags & PEER_IS_UNHEALTHY) != 0)
        peer->fails = 0;
    if (set_flag(peer, PEER_IS_UNHEALTHY, !is_healthy))
        peer_return(peer, now_ms);
}

void peer_set_drained(struct peer *peer, bool is_drained, int64_t now_ms)
{
    if (set_flag(peer, PEER_IS_DRAINED, is_drained))
        peer_return(peer, now_ms);
}
