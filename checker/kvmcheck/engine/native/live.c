// SPDX-License-Identifier: GPL-2.0-only
/* Runs without an end, on the graph of the states that table.c has found; see engine/live/ for what is computed.

   The edges are made by doing every state's steps once more, actor by actor.  Components are found without recursion;
   what fairness cuts from one is looked at again.  Everything is indexed by a state's number, in the order of discovery,
   so one worker must have found them.

   Told: `live PROPERTY DUE FAILED` (whether anything is ever due, and whether a condition could not be evaluated),
   `lasso PROPERTY DUE PENDING LOOP STAYS`, then `way` with the states and `actors` with who steps; `cut` if a run ends
   where a check breaks; `ran SECONDS`. */

#define MOST_COMPONENTS 64
#define NOBODY UINT32_MAX

static uint32_t count;               /* states */
static uint64_t edge_total, edge_places;
static uint64_t *first_edge;         /* of each state, and one more */
static uint32_t *target;
static uint8_t *actor_of_edge;
static uint64_t *can_step;           /* of each state, a bit for every actor */
static int cut_short;

/* For the property at hand. */
static uint8_t *allowed;             /* of each edge */
static uint64_t *enabled;            /* of each state */
static uint8_t *pending;             /* of each state: 1 something is due, 2 it began to be due here as well */
static uint32_t *reached_from;
static uint32_t *part;               /* which part of the states is looked at: its number; 0: none */
static uint32_t *nth, *low;          /* of the search for components */

static void *array_of(size_t size, size_t each)
{
    void *made = reserve(size * each + 64);
    if (!made)
        out_of_memory();
    return made;
}

/* ------------------------------------------------------------------ edges */

static uint32_t number_of_state(const uint64_t *key)
{
    uint64_t hash = hash_of(key), tag = tag_of(hash);
    for (size_t at = slot_of(hash);; at = behind(at)) {
        uint64_t held = slots[at];
        if (!held)
            give_up("a step to a state that was not found");
        if ((held ^ tag) >> 40 == 0) {
            uint64_t other[WORDS];
            uint32_t number = (uint32_t)((held & UINT64_C(0xffffffffff)) - 1);
            state_at(number, other);
            if (same_key(other, key))
                return number;
        }
    }
}

static uint8_t stepping;

static void collect(const uint64_t *key)
{
    if (edge_total == edge_places) {
        /* The old places stay reserved until the end: they are read no more, and given back. */
        uint64_t larger = edge_places ? 2 * edge_places : (uint64_t)1 << 20;
        uint32_t *targets = array_of(larger, sizeof *target);
        uint8_t *actors = array_of(larger, 1);
        if (edge_total) {
            memcpy(targets, target, edge_total * sizeof *target);
            memcpy(actors, actor_of_edge, edge_total);
            munmap(target, edge_places * sizeof *target + 64);
            munmap(actor_of_edge, edge_places + 64);
        }
        target = targets;
        actor_of_edge = actors;
        edge_places = larger;
    }
    target[edge_total] = number_of_state(key);
    actor_of_edge[edge_total++] = stepping;
}

static void find_edges(W *w)
{
    uint64_t key[WORDS];
    cell s[NS];
    count = (uint32_t)all_states();
    first_edge = array_of((size_t)count + 1, sizeof *first_edge);
    can_step = array_of(count, sizeof *can_step);
    retracing = COLLECTING;
    for (uint32_t state = 0; state < count; state++) {
        first_edge[state] = edge_total;
        state_at(state, key);
        unpack(key, s);
        w->now = state;
        for (int actor = 0; actor < ACTORS; actor++) {
            uint64_t before = edge_total;
            stepping = (uint8_t)actor;
            run_actor(w, actor, s);
            if (w->broken)
                cut_short = 1;
            if (w->broken || edge_total > before)
                can_step[state] |= UINT64_C(1) << actor;
        }
    }
    first_edge[count] = edge_total;
    retracing = 0;
}

/* Leave out the calls of which there are finitely many; who may leave them need not go on there. */
static void assume(int property)
{
    uint64_t key[WORDS];
    cell s[NS], after[NS];
    memset(allowed, 1, edge_total);
    memcpy(enabled, can_step, count * sizeof *enabled);
    if (!finitely[property])
        return;
    for (uint32_t state = 0; state < count; state++) {
        uint64_t others = 0, calls = 0;
        state_at(state, key);
        unpack(key, s);
        for (uint64_t e = first_edge[state]; e < first_edge[state + 1]; e++) {
            state_at(target[e], key);
            unpack(key, after);
            int counted = is_counted(property, actor_of_edge[e], s, after);
            allowed[e] = !counted;
            if (counted == 1)
                calls |= UINT64_C(1) << actor_of_edge[e];
            else
                others |= UINT64_C(1) << actor_of_edge[e];
        }
        enabled[state] &= ~(calls & ~others);
    }
}

/* ------------------------------------------------------------------ what is due */

static uint32_t *queue;

/* Mark the states in which something is due and has not come about; -1: a condition can't be evaluated. */
static int find_pending(int due)
{
    uint64_t key[WORDS];
    cell s[NS];
    uint32_t from = 0, to = 0;
    uint8_t *open = pending;
    for (uint32_t state = 0; state < count; state++) {
        state_at(state, key);
        unpack(key, s);
        int is_open = due_open(due, s), begins = is_open == 1 ? due_begins(due, s) : 0;
        if (is_open == 2 || begins == 2)
            return -1;
        open[state] = (uint8_t)(is_open ? 4 : 0);
        reached_from[state] = NOBODY;
        if (is_open && begins) {
            open[state] = 4 | 2 | 1;
            queue[to++] = state;
        }
    }
    while (from < to) {
        uint32_t state = queue[from++];
        for (uint64_t e = first_edge[state]; e < first_edge[state + 1]; e++)
            if (open[target[e]] == 4) {
                open[target[e]] = 4 | 1;
                reached_from[target[e]] = state;
                queue[to++] = target[e];
            }
    }
    for (uint32_t state = 0; state < count; state++)
        pending[state] &= 3;
    return to > 0;
}

/* ------------------------------------------------------------------ fair components */

static uint32_t *order_of_stack, *calls_state;
static uint64_t *calls_edge;
static uint32_t *members;            /* parts to be looked at, one behind the other */
static size_t member_count;
static struct Part { size_t from, to; } *parts;
static size_t part_count, part_room;
static uint32_t last_part;

static struct Component { size_t from, to; uint64_t taken; } fair_ones[MOST_COMPONENTS];
static uint32_t *fair_members;
static size_t fair_member_count, fair_count;

static void add_part(size_t from, size_t to)
{
    if (part_count == part_room) {
        part_room = part_room ? 2 * part_room : 256;
        parts = realloc(parts, part_room * sizeof *parts);
        if (!parts)
            out_of_memory();
    }
    parts[part_count++] = (struct Part){ from, to };
}

/* A component, the states of which carry the part's number `mine`; what is left of it is looked at again. */
static void judge(int property, const uint32_t *states, size_t size, uint32_t mine)
{
    uint64_t taken = 0, always = ~UINT64_C(0), ever = 0, key[WORDS];
    cell s[NS];
    for (size_t i = 0; i < size; i++) {
        uint32_t state = states[i];
        always &= enabled[state];
        ever |= enabled[state];
        for (uint64_t e = first_edge[state]; e < first_edge[state + 1]; e++)
            if (allowed[e] && part[target[e]] == mine)
                taken |= UINT64_C(1) << actor_of_edge[e];
    }
    uint64_t idle = MUST & ~taken;
    if (always & idle)
        return;
    state_at(states[0], key);
    unpack(key, s);
    uint64_t starved = ever & idle & strongly(property, s);
    if (!starved) {
        if (fair_count < MOST_COMPONENTS) {
            memcpy(fair_members + fair_member_count, states, size * sizeof *states);
            fair_ones[fair_count++] = (struct Component){ fair_member_count, fair_member_count + size, taken };
            fair_member_count += size;
        }
        return;
    }
    size_t from = member_count;
    for (size_t i = 0; i < size; i++)
        if (!(enabled[states[i]] & starved))
            members[member_count++] = states[i];
    if (member_count > from)
        add_part(from, member_count);
}

static void find_components(int property, struct Part todo)
{
    uint32_t mine = ++last_part, numbered = 0;
    size_t depth_of_stack = 0;
    for (size_t i = todo.from; i < todo.to; i++) {
        part[members[i]] = mine;
        nth[members[i]] = 0;
    }
    for (size_t i = todo.from; i < todo.to; i++) {
        uint32_t root = members[i];
        if (part[root] != mine || nth[root])
            continue;
        size_t calls = 0;
        calls_state[calls] = root;
        calls_edge[calls++] = first_edge[root];
        nth[root] = low[root] = ++numbered;
        order_of_stack[depth_of_stack++] = root;
        while (calls) {
            uint32_t state = calls_state[calls - 1];
            uint64_t e = calls_edge[calls - 1], last = first_edge[state + 1];
            int deeper = 0;
            for (; e < last; e++) {
                uint32_t next = target[e];
                if (!allowed[e] || part[next] != mine)
                    continue;
                if (!nth[next]) {
                    calls_edge[calls - 1] = e + 1;
                    calls_state[calls] = next;
                    calls_edge[calls++] = first_edge[next];
                    nth[next] = low[next] = ++numbered;
                    order_of_stack[depth_of_stack++] = next;
                    deeper = 1;
                    break;
                }
                if (nth[next] < low[state])
                    low[state] = nth[next];
            }
            if (deeper)
                continue;
            calls--;
            if (calls && low[state] < low[calls_state[calls - 1]])
                low[calls_state[calls - 1]] = low[state];
            if (low[state] != nth[state])
                continue;
            size_t from = depth_of_stack;
            uint32_t own = ++last_part;
            do
                part[order_of_stack[--from]] = own;
            while (order_of_stack[from] != state);
            judge(property, order_of_stack + from, depth_of_stack - from, own);
            depth_of_stack = from;
        }
    }
}

static void find_fair(int property)
{
    memset(part, 0, count * sizeof *part);
    part_count = member_count = fair_count = fair_member_count = 0;
    last_part = 0;
    for (uint32_t state = 0; state < count; state++)
        if (pending[state])
            members[member_count++] = state;
    add_part(0, member_count);
    while (part_count && fair_count < MOST_COMPONENTS) {
        struct Part todo = parts[--part_count];
        size_t old = part_count, size = todo.to - todo.from;
        find_components(property, todo);
        /* What was left of its components takes its place: so the parts never need more room than the states. */
        memmove(members + todo.from, members + todo.to, (member_count - todo.to) * sizeof *members);
        member_count -= size;
        for (size_t i = old; i < part_count; i++) {
            parts[i].from -= size;
            parts[i].to -= size;
        }
    }
}

/* ------------------------------------------------------------------ the lasso */

/* How a state was come by: the place in `queue` of the one before, and which of its edges. */
static uint64_t *came_by;
static uint32_t *seen_in, search_number;

static struct { uint64_t step, either; uint64_t all; uint32_t inside, start; int back; } looking;

static int meets(uint32_t state, uint64_t e)
{
    if (looking.back)
        return state == looking.start;
    return looking.all >> actor_of_edge[e] & 1 || (looking.either & ~enabled[state]) != 0;
}

/* The edges of a shortest path inside the component to what is looked for, appended to `way`. */
static size_t walk(uint32_t start, uint64_t *way, size_t length)
{
    uint32_t from = 0, to = 0;
    search_number++;
    queue[to++] = start;
    seen_in[start] = search_number;
    while (from < to) {
        uint32_t state = queue[from++];
        for (uint64_t e = first_edge[state]; e < first_edge[state + 1]; e++) {
            uint32_t next = target[e];
            if (!allowed[e] || part[next] != looking.inside)
                continue;
            if (meets(next, e)) {
                size_t end = length + 1;
                for (uint32_t at = state; at != start; at = queue[came_by[at] >> 32])
                    end++;
                way[end - 1] = e;
                size_t put = end - 1;
                for (uint32_t at = state; at != start;) {
                    uint64_t link = came_by[at];
                    uint32_t before = queue[link >> 32];
                    way[--put] = first_edge[before] + (link & UINT32_MAX);
                    at = before;
                }
                return end;
            }
            if (seen_in[next] != search_number) {
                seen_in[next] = search_number;
                came_by[next] = (uint64_t)(from - 1) << 32 | (e - first_edge[state]);
                queue[to++] = next;
            }
        }
    }
    give_up("a component that is none");
}

static void cross_off(uint32_t state, uint64_t e, int by_edge)
{
    if (by_edge) {
        looking.all &= ~(UINT64_C(1) << actor_of_edge[e]);
        looking.either &= ~(UINT64_C(1) << actor_of_edge[e]);
    }
    uint64_t blocked = looking.either & ~enabled[state];
    looking.either &= ~blocked;
    looking.all &= ~blocked;
}

static void print_lasso(int property, int due)
{
    size_t best = 0, best_length = SIZE_MAX;
    uint32_t best_start = 0;
    uint32_t *stem = array_of((size_t)count + 1, sizeof *stem);
    uint64_t *way = array_of(((size_t)count + 1) * (ACTORS + 2), sizeof *way);
    for (size_t i = 0; i < fair_count; i++) {
        uint32_t start = NOBODY;
        for (size_t j = fair_ones[i].from; j < fair_ones[i].to; j++)
            start = fair_members[j] < start ? fair_members[j] : start;
        size_t length = 1;
        uint32_t at = start;
        for (; reached_from[at] != NOBODY; at = reached_from[at])
            length++;
        for (; parents[at] != NOBODY; at = parents[at])
            length++;
        if (length < best_length) {
            best = i;
            best_length = length;
            best_start = start;
        }
    }
    struct Component one = fair_ones[best];
    size_t at = best_length;
    uint32_t state = best_start;
    for (;;) {
        stem[--at] = state;
        if (reached_from[state] == NOBODY)
            break;
        state = reached_from[state];
    }
    while (parents[state] != NOBODY)
        stem[--at] = state = parents[state];

    uint64_t ever = 0;
    looking.inside = part[best_start];
    for (size_t i = one.from; i < one.to; i++)
        ever |= enabled[fair_members[i]];
    looking.all = MUST & (one.taken | ever);
    looking.either = looking.all & ~one.taken;
    looking.start = best_start;
    looking.back = 0;
    size_t length = 0;
    uint32_t here = best_start;
    cross_off(here, 0, 0);
    while (looking.all) {
        size_t from = length;
        length = walk(here, way, length);
        for (; from < length; from++) {
            here = target[way[from]];
            cross_off(here, way[from], 1);
        }
    }
    looking.back = 1;
    if (here != best_start)
        length = walk(here, way, length);

    size_t begin = best_length - 1;
    while (begin > 0 && pending[stem[begin - 1]])
        begin--;
    printf("lasso %d %d %zu %zu %d\nway", property, due, begin, best_length - 1, length == 0);
    uint64_t key[WORDS];
    for (size_t i = 0; i < best_length; i++) {
        state_at(stem[i], key);
        print_key(key);
    }
    for (size_t i = 0; i < length; i++) {
        state_at(target[way[i]], key);
        print_key(key);
    }
    printf("\nactors");
    for (size_t i = 0; i + 1 < best_length; i++) {
        uint64_t e = first_edge[stem[i]];
        while (target[e] != stem[i + 1])
            e++;
        printf(" %d", actor_of_edge[e]);
    }
    for (size_t i = 0; i < length; i++)
        printf(" %d", actor_of_edge[way[i]]);
    putchar('\n');
    munmap(stem, ((size_t)count + 1) * sizeof *stem + 64);
    munmap(way, ((size_t)count + 1) * (ACTORS + 2) * sizeof *way + 64);
}

/* ------------------------------------------------------------------ all of it */

static void judge_lives(void)
{
    double began = now_seconds();
    int skip[LIVES] = { 0 }, assumed = -1, ever_due[LIVES] = { 0 };
    find_edges(workers[0]);
    allowed = array_of(edge_total, 1);
    enabled = array_of(count, sizeof *enabled);
    pending = array_of(count, 1);
    reached_from = array_of(count, sizeof *reached_from);
    part = array_of(count, sizeof *part);
    nth = array_of(count, sizeof *nth);
    low = array_of(count, sizeof *low);
    queue = array_of(count, sizeof *queue);
    order_of_stack = array_of(count, sizeof *order_of_stack);
    calls_state = array_of(count, sizeof *calls_state);
    calls_edge = array_of(count, sizeof *calls_edge);
    members = array_of(2 * (size_t)count + 1, sizeof *members);
    fair_members = array_of((size_t)count * 2, sizeof *fair_members);
    came_by = array_of(count, sizeof *came_by);
    seen_in = array_of(count, sizeof *seen_in);
    for (int due = 0; due < DUES; due++) {
        int property = due_property[due];
        if (skip[property])
            continue;
        if (assumed != property)
            assume(assumed = property);
        int found = find_pending(due);
        if (found < 0) {
            skip[property] = 1;
            printf("live %d 1 1\n", property);
            continue;
        }
        ever_due[property] |= found;
        if (!found)
            continue;
        find_fair(property);
        if (fair_count) {
            skip[property] = 1;
            print_lasso(property, due);
        }
    }
    for (int property = 0; property < LIVES; property++)
        if (!skip[property])
            printf("live %d %d 0\n", property, ever_due[property]);
    if (cut_short)
        printf("cut\n");
    printf("ran %.6f\n", now_seconds() - began);
}
