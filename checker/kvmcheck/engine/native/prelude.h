// SPDX-License-Identifier: GPL-2.0-only
/* What the generated steps use: types, numbers that are checked, and what a worker keeps of a state's expansion.
   The defines NS, WORDS, STRIDE, CELL_BITS and those of the tables' sizes stand before this. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

/* Of immintrin.h, which takes longer to read than all of this. */
#ifdef __BMI2__
#define pext(x, mask) __builtin_ia32_pext_di((x), (mask))
#define pdep(x, mask) __builtin_ia32_pdep_di((x), (mask))
#endif

/* What runs seldom is compiled quickly instead of well. */
#if defined(__GNUC__) && !defined(__clang__)
#define SELDOM __attribute__((optimize(0)))
#else
#define SELDOM
#endif

typedef int64_t V; /* a register */
#if CELL_BITS == 8
typedef int8_t cell;
#elif CELL_BITS == 16
typedef int16_t cell;
#elif CELL_BITS == 32
typedef int32_t cell;
#else
typedef int64_t cell;
#endif

#define NONE (-((V)1 << 62))
#define UNSET (-((V)1 << 62) - 1)
#define BIG ((V)1 << 60)
#define MOST_NOTED 4096
#define MOST_TRAIL 4096
#define MEMORY 12 /* so many representatives are remembered, as a power of two */

/* A claim about this program that does not hold: the Python tier has to do it. */
static _Noreturn void give_up(const char *why)
{
    fprintf(stdout, "refused %s\n", why);
    fflush(stdout);
    _exit(9);
}

static inline V checked(V code, V count)
{
    if (__builtin_expect((uint64_t)code >= (uint64_t)count, 0))
        give_up("a number that its cell has no room for");
    return code;
}

static inline V in_cell(V number)
{
    if (__builtin_expect((V)(cell)number != number, 0))
        give_up("a number that its cell has no room for");
    return number;
}

static inline V small(V number)
{
    if (__builtin_expect(number > BIG || number < -BIG, 0))
        give_up("a number of more than 60 bits");
    return number;
}

static inline V plus(V a, V b) { return small(small(a) + small(b)); }
static inline V minus(V a, V b) { return small(small(a) - small(b)); }

static inline V times(V a, V b)
{
    V product;
    if (__builtin_mul_overflow(a, b, &product))
        give_up("a number of more than 60 bits");
    return small(product);
}

static inline V shift_left(V a, V by)
{
    if (a == 0)
        return 0;
    if (by > 59)
        give_up("a number of more than 60 bits");
    return times(a, (V)1 << by);
}

static inline V floor_mod(V a, V b)
{
    V rest = a % b;
    return rest < 0 ? rest + b : rest;
}

static inline V bit(V position)
{
    if (__builtin_expect((uint64_t)position > 60, 0))
        give_up("a set's member that is none");
    return (V)1 << position;
}

static inline V has(V mask, V position) { return position >= 0 && position <= 60 ? mask >> position & 1 : 0; }
static inline V marked(V index) { return index < 0 ? 2 * ~index + 1 : 2 * index; }

static inline uint64_t mix(uint64_t x)
{
    x ^= x >> 32;
    x *= UINT64_C(0xd6e8feb86659fd93);
    x ^= x >> 32;
    x *= UINT64_C(0xd6e8feb86659fd93);
    return x ^ x >> 32;
}

/* The same at less cost, where it is one of many. */
static inline uint64_t blend(uint64_t x)
{
    x *= UINT64_C(0xd6e8feb86659fd93);
    return x ^ x >> 32;
}

static inline int same_key(const uint64_t *a, const uint64_t *b)
{
    uint64_t differ = 0;
    for (int i = 0; i < WORDS; i++)
        differ |= a[i] ^ b[i];
    return differ == 0;
}

/* ------------------------------------------------------------------ workers */

/* A thread of the program. */
typedef struct {
    int base, me;
    V p[MOST_PARAMETERS + 1];
} Thread;

/* One way through a step so far: by value, so that a choice finds it as it was. */
typedef struct {
    int merged, rounds, trail, notes;
    uint64_t covers;
} Run;

/* A successor that waits for its place in the table. */
typedef struct {
    uint64_t hash;
    uint32_t parent, way;
    uint64_t key[WORDS];
} Successor;

#define BATCH 512

struct Range { uint32_t from, to; };

static struct {
    int threads, compact, candidates, first;
    uint64_t states, memory;
    int64_t depth;
    double seconds;
    uint64_t seed;
} asked = { .threads = 1, .candidates = 1 };

/* What was found: KEYS kinds of things, of each the first few states. */
typedef struct { uint32_t state; int64_t depth; } Event;
static struct { int count; Event *kept; } events[KEYS];

typedef struct Worker {
    uint32_t now;                    /* the state that is expanded */
    int emitted, broken, blocked;    /* what came of it */
    uint64_t transitions, states;
    int noted, others;               /* accesses from `now`; of them, those of the threads before this one */
    struct Access { int slot, site, merged; } note[MOST_NOTED], maybe[MOST_TRAIL];
    int trail[MOST_TRAIL];
    uint8_t hit[HITS + 1], tried[CHOICES + 1], filled[CHOICES + 1], raced[RACES + 1];
    cell *in_between;
    size_t between_count, between_room;
    int batched;
    Successor batch[BATCH];
    uint64_t *memory;                /* representatives that were found lately */
    uint32_t next, end;              /* places for states that are this worker's */
    struct Range todo, *ranges;     /* of what it is at work on, and of the new states that it found */
    size_t range_count, range_room;
    int number;
} W;

#define FAIL(n) ({ why = (n); goto fail; (V)0; })
#define HIT(n) do { if (__builtin_expect(!w->hit[n], 0) && r.trail < MOST_TRAIL) w->trail[r.trail++] = (n); } while (0)
#define NOTE(at, n) do { \
    if (r.notes >= MOST_TRAIL) give_up("too many accesses in one step"); \
    w->maybe[r.notes++] = (struct Access){ (int)(at), (n), r.merged }; } while (0)

static void event(W *w, int key);
static void emit(W *w, const cell *s);
__attribute__((unused)) static void edge(W *w, int held, int taken, int site, V thread);
static _Noreturn void out_of_memory(void);

/* Whether more of a kind is wanted. */
static inline int wanted(int key)
{
    return __atomic_load_n(&events[key].count, __ATOMIC_RELAXED) < asked.candidates;
}

/* The run is a step: what it met on its way counts. */
static inline void commit(W *w, Run *r)
{
    while (r->trail)
        w->hit[w->trail[--r->trail]] = 1;
    for (int i = 0; i < r->notes; i++) {
        int known = 0;
        for (int j = w->others; j < w->noted && !known; j++)
            known = memcmp(&w->note[j], &w->maybe[i], sizeof(struct Access)) == 0;
        if (known)
            continue;
        if (w->noted == MOST_NOTED)
            give_up("too many accesses from one state");
        w->note[w->noted++] = w->maybe[i];
    }
    for (uint64_t rest = r->covers; rest; rest &= rest - 1)
        event(w, KEY_COVER + __builtin_ctzll(rest));
}

static inline void bad(W *w, int why)
{
    w->broken++;
    event(w, KEY_CHECK + why);
}

static inline void endless(W *w) { event(w, KEY_ENDLESS); }

static inline void between(W *w, const cell *s)
{
    if (w->between_count == w->between_room) {
        w->between_room = w->between_room ? 2 * w->between_room : 64;
        w->in_between = realloc(w->in_between, w->between_room * NS * sizeof(cell));
        if (!w->in_between)
            out_of_memory();
    }
    memcpy(w->in_between + w->between_count++ * NS, s, NS * sizeof(cell));
}
