// SPDX-License-Identifier: GPL-2.0-only
/* The states that were seen, and the search through them: level by level, by any number of workers.

   A state's number is its place in `store`.  A slot of `slots` is 0, or a state's number plus one below and a piece of
   its hash above (with --compact: all of the hash, and nothing else).  Slots are taken with compare-and-swap.  Workers
   take runs of states from the level; between two rounds all of them wait, and one looks at limits, lets the table
   grow and begins the next level.  So counts, and the depth of everything that is found, are the same with any number
   of workers.

   What is told, one line each on stdout: `progress`, `event KEY STATE DEPTH`, `path`, `edge`, `hit`, `raced`, `tried`, `filled`,
   and at last `done`, or `refused` and why. */

#define RUN 64              /* states that a worker takes at once */
#define ROOM 256            /* places for states that a worker takes at once, if there are several */
#define LEAST_SLOTS ((size_t)1 << 16)

static uint64_t *slots;
static size_t slot_count;
static uint8_t *store;
static uint32_t *parents;
static uint16_t *ways;
static uint64_t places;          /* how many states there is room for */
static uint64_t next_place;
static uint64_t *roots;          /* with --compact: the initial states */
static struct Range *level, *done_ranges;     /* what is expanded now; all states of this level and those before */
static size_t level_count, level_room, level_at, done_count, done_room;
static int cannot_grow, finished, news;
static uint64_t store_given_back;    /* with --compact: states before this are gone */
static int64_t depth;
static volatile int stopping;
static const char *stopped = "";
static struct timespec started;
static volatile sig_atomic_t interrupted;
static pthread_barrier_t meeting;
static pthread_mutex_t telling = PTHREAD_MUTEX_INITIALIZER;
static W **workers;

static int wanted_group[KEYS], groups;

typedef struct { int held, taken, site, thread; uint32_t state; } Edge;
static Edge *edges;
static size_t edge_count, edge_room;
static uint8_t edge_seen[LOCK_ORDER ? (size_t)NS * NS : 1];

static double now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - started.tv_sec) + (double)(now.tv_nsec - started.tv_nsec) * 1e-9;
}

static void stop(const char *why)
{
    pthread_mutex_lock(&telling);
    if (!stopping) {
        stopped = why;
        __atomic_store_n(&stopping, 1, __ATOMIC_SEQ_CST);
    }
    pthread_mutex_unlock(&telling);
}

static _Noreturn void out_of_memory(void)
{
    printf("memory\n");
    fflush(stdout);
    _exit(8);
}

static uint64_t all_states(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < asked.threads; i++)
        sum += __atomic_load_n(&workers[i]->states, __ATOMIC_RELAXED);
    return sum;
}

static uint64_t all_transitions(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < asked.threads; i++)
        sum += __atomic_load_n(&workers[i]->transitions, __ATOMIC_RELAXED);
    return sum;
}

/* ------------------------------------------------------------------ memory */

static void *reserve(size_t bytes)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        return NULL;
#ifdef MADV_HUGEPAGE
    if (bytes >= (size_t)1 << 22)
        madvise(at, bytes, MADV_HUGEPAGE);
#endif
    return at;
}

/* The bytes that are in use, as far as they are many. */
static uint64_t bytes_used(void)
{
    uint64_t stored = next_place - (asked.compact ? store_given_back : 0);
    uint64_t each = sizeof(uint32_t) + (asked.compact ? sizeof(uint16_t) : 0);
    return (uint64_t)slot_count * sizeof *slots + stored * STRIDE + next_place * each;
}

/* Whether the machine itself runs short: then we stop before somebody stops us. */
static int machine_is_full(void)
{
    char text[256];
    int file = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    ssize_t got = read(file, text, sizeof text - 1);
    close(file);
    if (got <= 0)
        return 0;
    text[got] = 0;
    char *total = strstr(text, "MemTotal:"), *available = strstr(text, "MemAvailable:");
    if (!total || !available)
        return 0;
    uint64_t of = strtoull(total + 9, NULL, 10), left = strtoull(available + 13, NULL, 10);
    return left < of / 40;
}

/* ------------------------------------------------------------------ the table */

static inline uint64_t hash_of(const uint64_t *key)
{
    uint64_t h = asked.seed;
    for (int i = 0; i < WORDS; i++) {
        __uint128_t product = (__uint128_t)(key[i] ^ h ^ UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xa0761d6478bd642f);
        h = (uint64_t)product ^ (uint64_t)(product >> 64) ^ h >> 29;
    }
    return mix(h);
}

static inline void state_at(uint32_t number, uint64_t *key)
{
    key[WORDS - 1] = 0;
    memcpy(key, store + (size_t)number * STRIDE, STRIDE);
}

/* A piece of the hash that has no part in where its slot is. */
static inline uint64_t tag_of(uint64_t hash) { return hash << 40; }

/* Where a hash is looked for first; any number of slots will do, so that the table need not double to grow. */
static inline size_t slot_of(uint64_t hash) { return (size_t)((__uint128_t)hash * slot_count >> 64); }
static inline size_t behind(size_t at) { return at + 1 == slot_count ? 0 : at + 1; }

/* Put states into the fresh table that are known to differ. */
static void enter(struct Range range)
{
    uint64_t key[WORDS], hashes[16];
    for (uint32_t from = range.from; from < range.to; from += 16) {
        int here = (int)(range.to - from < 16 ? range.to - from : 16);
        for (int j = 0; j < here; j++) {
            state_at(from + (uint32_t)j, key);
            hashes[j] = hash_of(key);
            __builtin_prefetch(&slots[slot_of(hashes[j])], 1);
        }
        for (int j = 0; j < here; j++) {
            size_t at = slot_of(hashes[j]);
            while (slots[at])
                at = behind(at);
            slots[at] = tag_of(hashes[j]) | (from + (uint32_t)j + UINT64_C(1));
        }
    }
}

/* Growing moves every state.  A small table grows fast, to do that seldom; a large one slowly, since memory ends it. */
static size_t larger_table(void)
{
    if (!slot_count)
        return LEAST_SLOTS;
    if (slot_count < (size_t)1 << 18)
        return 4 * slot_count;
    return slot_count < (size_t)1 << 24 ? 2 * slot_count : slot_count + slot_count / 2;
}

static void grow(void)
{
    size_t larger = larger_table();
    int fits = !asked.memory || bytes_used() + larger * sizeof *slots <= asked.memory;
    uint64_t *fresh = fits ? reserve(larger * sizeof *slots) : NULL;
    if (!fresh) {
        /* Then it gets fuller than one likes. */
        cannot_grow = 1;
        return;
    }
    uint64_t *old = slots;
    size_t old_count = slot_count;
    slots = fresh;
    slot_count = larger;
    if (asked.compact) {
        for (size_t i = 0; i < old_count; i++)
            if (old[i]) {
                size_t at = slot_of(old[i]);
                while (slots[at])
                    at = behind(at);
                slots[at] = old[i];
            }
    } else {
        for (size_t i = 0; i < done_count; i++)
            enter(done_ranges[i]);
        for (int i = 0; old && i < asked.threads; i++)
            for (size_t j = 0; j < workers[i]->range_count; j++)
                enter(workers[i]->ranges[j]);
    }
    if (old)
        munmap(old, old_count * sizeof *old);
}

static void note_range(W *w, uint32_t from, uint32_t to)
{
    if (from == to)
        return;
    if (w->range_count && w->ranges[w->range_count - 1].to == from) {
        w->ranges[w->range_count - 1].to = to;
        return;
    }
    if (w->range_count == w->range_room) {
        w->range_room = w->range_room ? 2 * w->range_room : 256;
        w->ranges = realloc(w->ranges, w->range_room * sizeof *w->ranges);
        if (!w->ranges)
            out_of_memory();
    }
    w->ranges[w->range_count++] = (struct Range){ from, to };
}

static int place_for(W *w, uint32_t *place)
{
    if (w->next == w->end) {
        uint64_t take = asked.threads == 1 ? 1 : ROOM;
        uint64_t from = __atomic_fetch_add(&next_place, take, __ATOMIC_RELAXED);
        if (from + take > places) {
            stop("memory");
            return 0;
        }
        w->next = (uint32_t)from;
        w->end = (uint32_t)(from + take);
    }
    *place = w->next;
    return 1;
}

static void examine_new(W *w, uint32_t number, const uint64_t *key)
{
    cell s[NS];
    uint32_t before = w->now;
    unpack(key, s);
    w->now = number;
    examine(w, s);
    w->now = before;
}

/* Put a state into a slot that was free, if it still is; else `held` is who was faster. */
static inline int take_slot(size_t at, uint64_t *held, uint64_t mine)
{
    if (asked.threads == 1) {
        /* Nobody else is there, and a locked instruction waits for every store before it. */
        __atomic_store_n(&slots[at], mine, __ATOMIC_RELAXED);
        return 1;
    }
    return __atomic_compare_exchange_n(&slots[at], held, mine, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

/* Keep a state, if it is new. */
static void keep(W *w, const Successor *one)
{
    size_t at = slot_of(one->hash);
    uint64_t mine = 0;
    uint64_t tag = asked.compact ? (one->hash ? one->hash : 1) : tag_of(one->hash);
    uint32_t place = 0;
    for (;;) {
        uint64_t held = __atomic_load_n(&slots[at], __ATOMIC_ACQUIRE);
        if (held == 0) {
            if (!mine) {
                if (!place_for(w, &place))
                    return;
                memcpy(store + (size_t)place * STRIDE, one->key, STRIDE);
                parents[place] = one->parent;
                if (asked.compact) {
                    if (one->way > UINT16_MAX)
                        give_up("a state with more than 65,536 successors");
                    ways[place] = (uint16_t)one->way;
                }
                mine = asked.compact ? tag : tag | (place + UINT64_C(1));
            }
            if (take_slot(at, &held, mine)) {
                note_range(w, place, place + 1);
                w->next++;
                w->states++;
                examine_new(w, place, one->key);
                return;
            }
        }
        if (asked.compact) {
            if (held == tag)
                return;
        } else if ((held ^ tag) >> 40 == 0) {
            uint64_t key[WORDS];
            state_at((uint32_t)((held & UINT64_C(0xffffffffff)) - 1), key);
            if (same_key(key, one->key))
                return;
        }
        at = behind(at);
    }
}

static void flush(W *w)
{
    if (!asked.compact)
        for (int i = 0; i < w->batched; i++) {
            uint64_t held = __atomic_load_n(&slots[slot_of(w->batch[i].hash)], __ATOMIC_ACQUIRE);
            if (held)
                __builtin_prefetch(store + (size_t)((held & UINT64_C(0xffffffffff)) - 1) * STRIDE);
        }
    if (all_states() + (uint64_t)asked.threads * BATCH >= slot_count)
        give_up("a state with very many successors");
    for (int i = 0; i < w->batched; i++)
        keep(w, &w->batch[i]);
    w->batched = 0;
}

/* Steps are done once more: to find again a state that was not kept, or (with live.c) to see where they lead. */
#define COLLECTING 2
static int retracing;
#if LIVES
static void collect(const uint64_t *key);
static void judge_lives(void);
#endif
static uint64_t retraced[WORDS];
static uint32_t retraced_way;

static void emit(W *w, const cell *s)
{
    uint32_t way = (uint32_t)w->emitted++;
    if (__builtin_expect(w->batched == BATCH, 0))
        flush(w);
    Successor *one = &w->batch[w->batched];
    represent(w, s, one->key);
    if (__builtin_expect(retracing, 0)) {
#if LIVES
        if (retracing == COLLECTING) {
            collect(one->key);
            return;
        }
#endif
        if (way == retraced_way)
            memcpy(retraced, one->key, sizeof retraced);
        return;
    }
    one->hash = hash_of(one->key);
    one->parent = w->now;
    one->way = way;
    __builtin_prefetch(&slots[slot_of(one->hash)], 1);
    w->batched++;
}

/* ------------------------------------------------------------------ what is found */

static void event(W *w, int key)
{
    if (retracing || __atomic_load_n(&events[key].count, __ATOMIC_RELAXED) >= asked.candidates)
        return;
    pthread_mutex_lock(&telling);
    if (events[key].count < asked.candidates) {
        int n = events[key].count;
        for (int i = 0; i < n; i++)
            if (events[key].kept[i].state == w->now && key != KEY_ENDLESS) {
                pthread_mutex_unlock(&telling);
                return;
            }
        events[key].kept[n] = (Event){ w->now, depth };
        __atomic_store_n(&events[key].count, n + 1, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&telling);
    __atomic_store_n(&news, 1, __ATOMIC_RELAXED);
    if (key == KEY_ENDLESS)
        stop("endless");
}

static void edge(W *w, int held, int taken, int site, V thread)
{
    if (retracing || !LOCK_ORDER)
        return;
    uint8_t *seen = &edge_seen[(size_t)held * NS + (size_t)taken];
    if (__atomic_load_n(seen, __ATOMIC_RELAXED))
        return;
    pthread_mutex_lock(&telling);
    if (!*seen) {
        __atomic_store_n(seen, 1, __ATOMIC_RELAXED);
        if (edge_count == edge_room) {
            edge_room = edge_room ? 2 * edge_room : 64;
            edges = realloc(edges, edge_room * sizeof *edges);
            if (!edges)
                out_of_memory();
        }
        edges[edge_count++] = (Edge){ held, taken, site, (int)thread, w->now };
    }
    pthread_mutex_unlock(&telling);
}

/* Whether everything that was looked for is found. */
static int satisfied(void)
{
    int violated = 0, found = 0;
    for (int key = 0; key < KEY_COVER; key++) {
        if (!events[key].count || key == KEY_CHECK + OVERFLOW || key == KEY_ENDLESS)
            continue;
        violated = 1;
    }
    if (asked.first && violated)
        return 1;
    for (int group = 1; group <= groups; group++)
        for (int key = 0; key < KEYS; key++)
            if (wanted_group[key] == group && events[key].count) {
                found++;
                break;
            }
    return groups > 0 && found == groups;
}

/* ------------------------------------------------------------------ the search */

static void expand_number(W *w, uint32_t number)
{
    uint64_t key[WORDS];
    cell s[NS];
    state_at(number, key);
    unpack(key, s);
    w->now = number;
    w->emitted = w->broken = w->noted = 0;
    expand(w, s);
    w->transitions += (uint64_t)(w->emitted + w->broken);
}

/* The table is full enough. */
static uint64_t most_states(void) { return slot_count - slot_count / (cannot_grow ? 16 : 6); }

static double last_told;

static void look(void)
{
    double now = now_seconds();
    if (interrupted)
        stop("interrupted");
    if (asked.seconds > 0 && now >= asked.seconds)
        stop("seconds");
    if (now - last_told >= 0.2) {
        last_told = now;
        if (machine_is_full())
            stop("memory");
        size_t left = 0;
        size_t from = __atomic_load_n(&level_at, __ATOMIC_RELAXED);
        for (size_t i = from; i < level_count; i++)
            left += level[i].to - level[i].from;
        pthread_mutex_lock(&telling);
        printf("progress %llu %llu %lld %zu\n", (unsigned long long)all_states(),
               (unsigned long long)all_transitions(), (long long)depth, left);
        fflush(stdout);
        pthread_mutex_unlock(&telling);
    }
}

static void append(struct Range **to, size_t *count, size_t *room, struct Range one)
{
    if (*count == *room) {
        *room = *room ? 2 * *room : 1024;
        *to = realloc(*to, *room * sizeof **to);
        if (!*to)
            out_of_memory();
    }
    (*to)[(*count)++] = one;
}

/* Expand runs of states until there are none, or the table is full, or something says stop. */
static void round_of(W *w)
{
    unsigned turns = 0;
    while (!__atomic_load_n(&stopping, __ATOMIC_RELAXED) && all_states() < most_states()) {
        if (asked.states && all_states() >= asked.states) {
            stop("states");
            break;
        }
        if (w->todo.from == w->todo.to) {
            size_t at = __atomic_fetch_add(&level_at, 1, __ATOMIC_RELAXED);
            if (at >= level_count)
                break;
            w->todo = level[at];
        }
        while (w->todo.from < w->todo.to && all_states() < slot_count - slot_count / 16)
            expand_number(w, w->todo.from++);
        flush(w);
        if (w->number == 0 && ++turns % 16 == 0)
            look();
        if (__atomic_exchange_n(&news, 0, __ATOMIC_RELAXED) && satisfied())
            stop("satisfied");
    }
}

/* The states that the last level led to are the next one. */
static void next_level(void)
{
    uint32_t least = UINT32_MAX;
    level_count = level_at = 0;
    for (int i = 0; i < asked.threads; i++) {
        W *w = workers[i];
        for (size_t j = 0; j < w->range_count; j++) {
            struct Range whole = w->ranges[j];
            least = whole.from < least ? whole.from : least;
            if (done_count && done_ranges[done_count - 1].to == whole.from)
                done_ranges[done_count - 1].to = whole.to;
            else
                append(&done_ranges, &done_count, &done_room, whole);
            for (uint32_t from = whole.from; from < whole.to; from += RUN) {
                uint32_t to = whole.to - from > RUN ? from + RUN : whole.to;
                append(&level, &level_count, &level_room, (struct Range){ from, to });
            }
        }
        w->range_count = 0;
    }
    if (asked.compact && level_count) {
        /* What was expanded is needed no more: a trace is found again by doing its steps. */
        uint64_t page = 4096, from = store_given_back * STRIDE / page * page, to = (uint64_t)least * STRIDE / page * page;
        if (to > from)
            madvise(store + from, to - from, MADV_DONTNEED);
        store_given_back = least;
    }
}

/* Between two rounds, by one worker while the others wait. */
static void housekeeping(void)
{
    look();
    while (!stopping && all_states() >= most_states()) {
        if (cannot_grow) {
            stop("memory");
            break;
        }
        grow();
    }
    if (asked.memory && bytes_used() > asked.memory)
        stop("memory");
    int open = level_at < level_count;
    for (int i = 0; i < asked.threads; i++)
        open |= workers[i]->todo.from < workers[i]->todo.to;
    if (!stopping && !open) {
        next_level();
        if (level_count) {
            depth++;
            if (asked.depth >= 0 && depth >= asked.depth)
                stop("depth");
        }
    }
    finished = stopping || (!open && !level_count);
}

static void *work(void *given)
{
    W *w = given;
    for (;;) {
        pthread_barrier_wait(&meeting);
        if (w->number == 0)
            housekeeping();
        pthread_barrier_wait(&meeting);
        if (finished)
            return NULL;
        round_of(w);
    }
}

/* ------------------------------------------------------------------ the answer */

static void print_key(const uint64_t *key)
{
    putchar(' ');
    for (int i = 0; i < WORDS; i++)
        printf("%016llx", (unsigned long long)key[i]);
}

/* The states on the way to one, from an initial state. */
static void print_path(uint32_t state)
{
    uint32_t *way = NULL;
    size_t length = 0, room = 0;
    for (uint32_t at = state; at != UINT32_MAX; at = parents[at]) {
        if (length == room) {
            room = room ? 2 * room : 256;
            way = realloc(way, room * sizeof *way);
            if (!way)
                out_of_memory();
        }
        way[length++] = at;
    }
    printf("path %u", state);
    uint64_t key[WORDS];
    if (asked.compact)
        memcpy(key, roots + (size_t)way[length - 1] * WORDS, sizeof key);
    for (size_t i = length; i-- > 0;) {
        if (!asked.compact) {
            state_at(way[i], key);
        } else if (i + 1 < length) {
            cell s[NS];
            W *w = workers[0];
            unpack(key, s);
            retracing = 1;
            retraced_way = ways[way[i]];
            w->emitted = w->broken = w->noted = w->batched = 0;
            expand(w, s);
            retracing = 0;
            memcpy(key, retraced, sizeof key);
        }
        print_key(key);
    }
    putchar('\n');
    free(way);
}

#define PRINT_MARKS(name, size) do { \
    printf(#name); \
    for (int n = 0; n < (size); n++) \
        for (int i = 0; i < asked.threads; i++) \
            if (workers[i]->name[n]) { printf(" %d", n); break; } \
    putchar('\n'); } while (0)

static void tell(void)
{
    uint64_t states = all_states();
    for (int key = 0; key < KEYS; key++)
        for (int i = 0; i < events[key].count; i++)
            printf("event %d %u %lld\n", key, events[key].kept[i].state, (long long)events[key].kept[i].depth);
    for (size_t i = 0; i < edge_count; i++)
        printf("edge %d %d %d %d %u\n", edges[i].held, edges[i].taken, edges[i].site, edges[i].thread, edges[i].state);
    PRINT_MARKS(hit, HITS);
    PRINT_MARKS(raced, RACES);
    PRINT_MARKS(tried, CHOICES);
    PRINT_MARKS(filled, CHOICES);
    for (int key = 0; key < KEYS; key++)
        for (int i = 0; i < events[key].count; i++)
            print_path(events[key].kept[i].state);
    for (size_t i = 0; i < edge_count; i++)
        print_path(edges[i].state);
    printf("done %llu %llu %lld %llu %.6f %s\n", (unsigned long long)states, (unsigned long long)all_transitions(),
           (long long)(depth < 0 ? 0 : depth), (unsigned long long)bytes_used(), now_seconds(),
           *stopped ? stopped : "complete");
    fflush(stdout);
}

/* ------------------------------------------------------------------ the beginning */

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

static void prepare(void)
{
    uint64_t memory = asked.memory ? asked.memory : (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    places = asked.compact ? UINT32_MAX - 1 : memory / (STRIDE + sizeof *parents);
    if (asked.states && places > asked.states + (1 << 22))
        places = asked.states + (1 << 22);
    if (places > UINT32_MAX - 1)
        places = UINT32_MAX - 1;
    for (; places > 1024; places /= 2) {
        store = reserve(places * STRIDE + 64);
        parents = reserve(places * sizeof *parents);
        ways = asked.compact ? reserve(places * sizeof *ways) : NULL;
        if (store && parents && (ways || !asked.compact))
            break;
        if (store)
            munmap(store, places * STRIDE + 64);
        if (parents)
            munmap(parents, places * sizeof *parents);
    }
    if (places <= 1024)
        out_of_memory();
    grow();
    workers = calloc((size_t)asked.threads, sizeof *workers);
    for (int i = 0; workers && i < asked.threads; i++) {
        workers[i] = calloc(1, sizeof **workers);
        if (!workers[i] || !(workers[i]->memory = calloc((size_t)2 * WORDS << MEMORY, sizeof(uint64_t))))
            out_of_memory();
        workers[i]->number = i;
    }
    for (int key = 0; key < KEYS; key++)
        if (!(events[key].kept = calloc((size_t)asked.candidates, sizeof(Event))))
            out_of_memory();
    if (!workers || stopping)
        out_of_memory();
    setup();
}

/* One initial state a line, its words in hexadecimal. */
static void read_roots(void)
{
    char text[WORDS * 16 + 16];
    size_t count = 0, room = 0;
    W *w = workers[0];
    depth = -1;
    while (fgets(text, sizeof text, stdin)) {
        Successor one = { .parent = UINT32_MAX };
        if (strlen(text) < WORDS * 16)
            break;
        for (int i = 0; i < WORDS; i++) {
            char word[17] = { 0 };
            memcpy(word, text + 16 * i, 16);
            one.key[i] = strtoull(word, NULL, 16);
        }
        cell s[NS];
        unpack(one.key, s);
        represent(w, s, one.key);
        one.hash = hash_of(one.key);
        uint64_t before = w->states;
        if (before >= most_states())
            grow();
        keep(w, &one);
        if (asked.compact && w->states > before) {
            if (count == room) {
                room = room ? 2 * room : 16;
                roots = realloc(roots, room * WORDS * sizeof *roots);
                if (!roots)
                    out_of_memory();
            }
            memcpy(roots + count++ * WORDS, one.key, sizeof one.key);
        }
    }
}

static uint64_t number_of(const char *text) { return strtoull(text, NULL, 10); }

int main(int count, char **given)
{
    clock_gettime(CLOCK_MONOTONIC, &started);
    asked.depth = -1;
    for (int i = 1; i + 1 < count; i += 2) {
        const char *name = given[i], *value = given[i + 1];
        if (!strcmp(name, "threads")) asked.threads = (int)number_of(value);
        else if (!strcmp(name, "compact")) asked.compact = (int)number_of(value);
        else if (!strcmp(name, "candidates")) asked.candidates = (int)number_of(value);
        else if (!strcmp(name, "first")) asked.first = (int)number_of(value);
        else if (!strcmp(name, "states")) asked.states = number_of(value);
        else if (!strcmp(name, "depth")) asked.depth = (int64_t)number_of(value);
        else if (!strcmp(name, "memory")) asked.memory = number_of(value);
        else if (!strcmp(name, "seed")) asked.seed = number_of(value);
        else if (!strcmp(name, "seconds")) asked.seconds = atof(value);
        else if (!strcmp(name, "wanted")) {
            char *rest;
            groups++;
            for (const char *at = value; *at; at = *rest ? rest + 1 : rest) {
                long key = strtol(at, &rest, 10);
                if (rest == at)
                    break;
                if (key >= 0 && key < KEYS)
                    wanted_group[key] = groups;
            }
        }
    }
    if (asked.threads < 1 || asked.threads > 1024 || asked.candidates < 1)
        return 2;
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* If somebody has to die of want of memory, then this process: its parent says what it means. */
    int adjust = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (adjust >= 0) {
        if (write(adjust, "1000", 4) < 0) { /* then as it was */ }
        close(adjust);
    }
#endif
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, on_signal);
    prepare();
    read_roots();
    pthread_barrier_init(&meeting, NULL, (unsigned)asked.threads);
    pthread_attr_t large;
    pthread_attr_init(&large);
    pthread_attr_setstacksize(&large, (size_t)128 << 20);
    pthread_t *handles = calloc((size_t)asked.threads, sizeof *handles);
    if (!handles)
        out_of_memory();
    for (int i = 0; i < asked.threads; i++)
        if (pthread_create(&handles[i], &large, work, workers[i]))
            out_of_memory();
    for (int i = 0; i < asked.threads; i++)
        pthread_join(handles[i], NULL);
    free(handles);
#if LIVES
    if (!*stopped)
        judge_lives();
#endif
    tell();
    return 0;
}
