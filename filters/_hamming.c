/* The loops of filters/bandtables.py and filters/hamming.py, which say what they do and are tested equal to these.
 *
 * Optional: without this extension the same answers come from numpy, some times slower. It keeps no state, lets go of
 * the interpreter while it works, and trusts no number that it reads from a table: a table that does not fit its rows
 * is a ValueError, never a read outside of it.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <stdlib.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "bands are numbered for little-endian words; numpy does the work on this machine"
#endif

#define LOW_BITS 5                /* a cell word covers this many low bits of a band's value, see bandtables.py */
#define SEVERAL 0x80000000u       /* marks a slot that points into `more` */
#define AHEAD 3                   /* units of work in flight: probing, fetching, comparing */
#define SCANNED 4096              /* rows that a scan keeps in the cache while every query passes */
#define INLINE static inline __attribute__((always_inline))
#define PREFETCH(place) __builtin_prefetch((place), 0, 1)

typedef enum { FINE, NO_MEMORY, UNFIT } Outcome;

typedef struct {
    int64_t offset, width, radius, first_cell;
} Band;

/* What is searched, and where to put what is found: every pair, or the best of each query and label. */
typedef struct {
    const uint64_t *queries, *rows, *cells;
    const uint32_t *slots, *more;
    const Band *bands;
    const uint16_t *labels;
    size_t query_count, row_count, cell_count, slot_count, more_count, band_count, label_count;
    unsigned limit;
    uint64_t *best;
    uint32_t *pairs;
    size_t pair_count, pair_room;
    Outcome outcome;
} Search;

typedef struct {
    size_t query, slot_count, row_count;
    uint32_t *slots, *rows;
} Unit;

INLINE uint64_t band_value(const uint64_t *row, int64_t offset, int64_t width)
{
    uint64_t value = row[offset >> 6] >> (offset & 63);
    if ((offset & 63) + width > 64)
        value |= row[(offset >> 6) + 1] << (64 - (offset & 63));
    return value & (((uint64_t)1 << width) - 1);
}

INLINE unsigned distance(const uint64_t *one, const uint64_t *other, size_t words, unsigned limit)
{
    unsigned bits = 0;
    for (size_t word = 0; word < words; word++) {
        bits += (unsigned)__builtin_popcountll(one[word] ^ other[word]);
        if (word == 1 && bits > limit)
            return bits;
    }
    return bits;
}

/* Whether an earlier band finds this pair as well; pairs are told once. */
static int found_before(const Search *search, const uint64_t *query, const uint64_t *row, size_t band)
{
    for (size_t each = 0; each < band; each++) {
        const Band *other = &search->bands[each];
        uint64_t apart = band_value(query, other->offset, other->width) ^ band_value(row, other->offset, other->width);
        if (__builtin_popcountll(apart) <= other->radius)
            return 1;
    }
    return 0;
}

static void tell(Search *search, size_t query, size_t row, unsigned bits)
{
    if (search->best) {
        if (search->labels[row] >= search->label_count) {
            search->outcome = UNFIT;
            return;
        }
        uint64_t *best = &search->best[query * search->label_count + search->labels[row]];
        uint64_t found = (uint64_t)bits << 32 | row;
        if (found < *best)
            *best = found;
        return;
    }
    if (search->pair_count == search->pair_room) {
        size_t room = search->pair_room ? 2 * search->pair_room : 1024;
        uint32_t *larger = realloc(search->pairs, room * 3 * sizeof *larger);
        if (!larger) {
            search->outcome = NO_MEMORY;
            return;
        }
        search->pairs = larger;
        search->pair_room = room;
    }
    uint32_t *place = search->pairs + 3 * search->pair_count++;
    place[0] = (uint32_t)query;
    place[1] = (uint32_t)row;
    place[2] = bits;
}

INLINE void compare(Search *search, size_t query, size_t row, size_t band, size_t words)
{
    const uint64_t *one = search->queries + query * words, *other = search->rows + row * words;
    unsigned bits = distance(one, other, words, search->limit);
    if (bits <= search->limit && (search->best || !found_before(search, one, other, band)))
        tell(search, query, row, bits);
}

/* Look up every value of the band within its radius; the low bits of all of them are in one word. */
INLINE void probe(Search *search, Unit *unit, const Band *band, const uint32_t *masks, const size_t *ends, size_t words)
{
    uint64_t value = band_value(search->queries + unit->query * words, band->offset, band->width);
    const uint64_t *cells = search->cells + band->first_cell;
    size_t low = value & ((1 << LOW_BITS) - 1), high = value >> LOW_BITS, count = 0, mask = 0;
    for (int64_t flipped = 0; flipped <= band->radius; flipped++) {
        uint32_t ball = 0;
        for (size_t each = 0; each < 1 << LOW_BITS; each++)
            ball |= (uint32_t)(__builtin_popcountll(each ^ low) <= band->radius - flipped) << each;
        for (; mask < ends[flipped]; mask++) {
            uint64_t cell = cells[high ^ masks[mask]];
            uint32_t present = (uint32_t)cell, hits = present & ball;
            while (hits) {
                uint32_t below = (hits & -hits) - 1;
                uint32_t slot = (uint32_t)(cell >> 32) + (uint32_t)__builtin_popcountll(present & below);
                PREFETCH(search->slots + slot);
                unit->slots[count++] = slot;
                hits &= hits - 1;
            }
        }
    }
    unit->slot_count = count;
}

/* Turn slots into rows; a cell of several rows is compared at once. */
INLINE void fetch(Search *search, Unit *unit, size_t band, size_t words)
{
    size_t count = 0;
    for (size_t each = 0; each < unit->slot_count; each++) {
        uint32_t slot = unit->slots[each];
        if (slot >= search->slot_count) {
            search->outcome = UNFIT;
            break;
        }
        uint32_t row = search->slots[slot];
        if (!(row & SEVERAL)) {
            if (row >= search->row_count) {
                search->outcome = UNFIT;
                break;
            }
            PREFETCH(search->rows + (size_t)row * words);
            unit->rows[count++] = row;
            continue;
        }
        PREFETCH(search->more + (row & ~SEVERAL));
        unit->slots[each - count] = row;
    }
    size_t several = unit->slot_count - count;
    unit->row_count = count;
    if (search->outcome != FINE)
        return;
    for (size_t each = 0; each < several; each++) {
        size_t first = unit->slots[each] & ~SEVERAL;
        if (first >= search->more_count || search->more[first] >= search->more_count - first) {
            search->outcome = UNFIT;
            return;
        }
        const uint32_t *list = search->more + first + 1;
        size_t length = search->more[first];
        for (size_t item = 0; item < length && item < 8; item++)
            if (list[item] < search->row_count)
                PREFETCH(search->rows + (size_t)list[item] * words);
        for (size_t item = 0; item < length; item++) {
            if (list[item] >= search->row_count) {
                search->outcome = UNFIT;
                return;
            }
            if (item + 8 < length && list[item + 8] < search->row_count)
                PREFETCH(search->rows + (size_t)list[item + 8] * words);
            compare(search, unit->query, list[item], band, words);
        }
    }
}

INLINE void settle(Search *search, const Unit *unit, size_t band, size_t words)
{
    for (size_t each = 0; each < unit->row_count; each++)
        compare(search, unit->query, unit->rows[each], band, words);
}

/* Return every change of up to `radius` of `bits` bits, fewest first; ends[k] is the number of those up to k. */
static uint32_t *masks_of(int64_t bits, int64_t radius, size_t *ends)
{
    size_t count = 0, room = 0, choose = 1;
    for (int64_t flipped = 0; flipped <= radius && flipped <= bits; flipped++) {
        room += choose;
        choose = choose * (size_t)(bits - flipped) / (size_t)(flipped + 1);
    }
    uint32_t *masks = malloc(room * sizeof *masks);
    if (!masks)
        return NULL;
    for (int64_t flipped = 0; flipped <= radius; flipped++) {
        if (flipped == 0) {
            masks[count++] = 0;
        } else if (flipped <= bits) {
            uint64_t mask = ((uint64_t)1 << flipped) - 1;
            while (mask < (uint64_t)1 << bits) {
                masks[count++] = (uint32_t)mask;
                uint64_t lowest = mask & -mask, carried = mask + lowest;
                mask = carried | ((mask ^ carried) >> 2) / lowest;
            }
        }
        ends[flipped] = count;
    }
    return masks;
}

/* One band for all queries, three units at a time so that no step waits for memory. */
INLINE void search_band(Search *search, size_t number, Unit *units, size_t words)
{
    const Band *band = &search->bands[number];
    size_t ends[64];
    uint32_t *masks = masks_of(band->width - LOW_BITS, band->radius, ends);
    if (!masks) {
        search->outcome = NO_MEMORY;
        return;
    }
    for (size_t step = 0; step < search->query_count + 2 && search->outcome == FINE; step++) {
        if (step < search->query_count) {
            units[step % AHEAD].query = step;
            probe(search, &units[step % AHEAD], band, masks, ends, words);
        }
        if (step >= 1 && step - 1 < search->query_count)
            fetch(search, &units[(step - 1) % AHEAD], number, words);
        if (step >= 2 && search->outcome == FINE)
            settle(search, &units[(step - 2) % AHEAD], number, words);
    }
    free(masks);
}

INLINE void search_bands(Search *search, Unit *units, size_t words)
{
    for (size_t band = 0; band < search->band_count && search->outcome == FINE; band++)
        if (search->bands[band].radius >= 0)
            search_band(search, band, units, words);
}

INLINE void scan_rows(Search *search, size_t words)
{
    for (size_t first = 0; first < search->row_count; first += SCANNED) {
        size_t last = search->row_count - first < SCANNED ? search->row_count : first + SCANNED;
        for (size_t query = 0; query < search->query_count && search->outcome == FINE; query++)
            for (size_t row = first; row < last; row++)
                compare(search, query, row, 0, words);
    }
}

INLINE void work(Search *search, Unit *units, size_t words)
{
    if (search->bands)
        search_bands(search, units, words);
    else
        scan_rows(search, words);
}

#define BY_WORDS(search, units, words)      \
    do {                                    \
        if ((words) == 4)                   \
            work((search), (units), 4);     \
        else if ((words) == 1)              \
            work((search), (units), 1);     \
        else                                \
            work((search), (units), words); \
    } while (0)

static void work_anywhere(Search *search, Unit *units, size_t words)
{
    BY_WORDS(search, units, words);
}

#if defined(__x86_64__)
__attribute__((target("popcnt,bmi"))) static void work_here(Search *search, Unit *units, size_t words)
{
    BY_WORDS(search, units, words);
}
#endif

static void run(Search *search, Unit *units, size_t words)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("popcnt") && __builtin_cpu_supports("bmi")) {
        work_here(search, units, words);
        return;
    }
#endif
    work_anywhere(search, units, words);
}

/* The arguments, checked so far that no read can leave a buffer. */
static const char *unfit(const Search *search, const Py_buffer *buffers, size_t words)
{
    if (!words || words > 64 || (size_t)buffers[0].len % (8 * words) || (size_t)buffers[1].len % (8 * words))
        return "the rows have another size";
    if (search->row_count >= SEVERAL || search->query_count > UINT32_MAX)
        return "there are too many rows";
    if (search->labels && search->row_count * sizeof *search->labels > (size_t)buffers[6].len)
        return "there are fewer labels than rows";
    if (search->best && search->query_count * search->label_count * sizeof *search->best > (size_t)buffers[7].len)
        return "there is too little room for the best";
    for (size_t each = 0; each < search->band_count; each++) {
        const Band *band = &search->bands[each];
        if (band->width < LOW_BITS || band->width > 32 || band->offset < 0 || band->radius > band->width - LOW_BITS ||
            (size_t)(band->offset + band->width) > 64 * words || band->first_cell < 0 ||
            (size_t)band->first_cell + ((size_t)1 << (band->width - LOW_BITS)) > search->cell_count)
            return "a band does not fit the tables";
    }
    return NULL;
}

static size_t most_probes(const Search *search)
{
    size_t most = 0;
    for (size_t each = 0; each < search->band_count; each++) {
        size_t probes = 0, choose = 1;
        for (int64_t flipped = 0; flipped <= search->bands[each].radius; flipped++) {
            probes += choose;
            choose = choose * (size_t)(search->bands[each].width - flipped) / (size_t)(flipped + 1);
        }
        most = probes > most ? probes : most;
    }
    return most;
}

static Outcome run_with_room(Search *search, size_t words)
{
    Unit units[AHEAD] = {{0}};
    size_t most = most_probes(search);
    uint32_t *room = malloc((2 * AHEAD * most + 1) * sizeof *room);
    if (!room)
        return NO_MEMORY;
    for (size_t each = 0; each < AHEAD; each++) {
        units[each].slots = room + 2 * each * most;
        units[each].rows = units[each].slots + most;
    }
    run(search, units, words);
    free(room);
    return search->outcome;
}

static PyObject *answer(Search *search)
{
    PyObject *found = NULL;
    if (search->outcome == NO_MEMORY)
        PyErr_NoMemory();
    else if (search->outcome == UNFIT)
        PyErr_SetString(PyExc_ValueError, "the tables do not fit their rows");
    else
        found = PyBytes_FromStringAndSize((const char *)search->pairs, (Py_ssize_t)(search->pair_count * 12));
    free(search->pairs);
    return found;
}

PyDoc_STRVAR(search_doc, "search(queries, rows, cells, slots, more, bands, labels, best, words, limit, label_count)\n\n"
"Return (query, row, distance) of every pair within `limit` bits as uint32, in no order. With no band every row is\n"
"compared. With `best`, uint64 (queries, label_count), nothing is returned and the least distance << 32 | row is left\n"
"there.");

static PyObject *search(PyObject *module, PyObject *arguments)
{
    enum { BUFFERS = 8 };
    Py_buffer buffers[BUFFERS] = {{0}};
    Py_ssize_t words, limit, label_count;
    Search search = {0};
    PyObject *found = NULL;
    const char *why;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "y*y*y*y*y*y*y*w*nnn", &buffers[0], &buffers[1], &buffers[2], &buffers[3],
                          &buffers[4], &buffers[5], &buffers[6], &buffers[7], &words, &limit, &label_count))
        return NULL;
    search.limit = limit > 0 ? (unsigned)limit : 0;
    search.queries = buffers[0].buf;
    search.rows = buffers[1].buf;
    search.cells = buffers[2].buf;
    search.slots = buffers[3].buf;
    search.more = buffers[4].buf;
    search.bands = buffers[5].len ? buffers[5].buf : NULL;
    search.labels = label_count > 0 ? buffers[6].buf : NULL;
    search.best = label_count > 0 ? buffers[7].buf : NULL;
    search.label_count = label_count > 0 ? (size_t)label_count : 0;
    search.query_count = words > 0 ? (size_t)buffers[0].len / (8 * (size_t)words) : 0;
    search.row_count = words > 0 ? (size_t)buffers[1].len / (8 * (size_t)words) : 0;
    search.cell_count = (size_t)buffers[2].len / sizeof *search.cells;
    search.slot_count = (size_t)buffers[3].len / sizeof *search.slots;
    search.more_count = (size_t)buffers[4].len / sizeof *search.more;
    search.band_count = (size_t)buffers[5].len / sizeof *search.bands;
    why = limit < 0 ? "a distance is never negative" : unfit(&search, buffers, words > 0 ? (size_t)words : 0);
    if (why) {
        PyErr_SetString(PyExc_ValueError, why);
    } else {
        Py_BEGIN_ALLOW_THREADS
        search.outcome = run_with_room(&search, (size_t)words);
        Py_END_ALLOW_THREADS
        found = answer(&search);
    }
    for (size_t each = 0; each < BUFFERS; each++)
        PyBuffer_Release(&buffers[each]);
    return found;
}

/* Sort the rows by the band's value: `places` holds, per value, first how many rows have it, then where they go. */
static Outcome fill(const uint64_t *rows, size_t count, size_t words, const Band *band, uint32_t *places,
                    uint64_t *cells, uint32_t *slots, uint32_t *more, uint32_t used[2])
{
    uint32_t slot = 0, place = 0, first_slot = used[0], first_more = used[1];
    for (size_t row = 0; row < count; row++)
        places[band_value(rows + row * words, band->offset, band->width)]++;
    for (size_t value = 0; value < (size_t)1 << band->width; value++) {
        uint64_t *cell = &cells[value >> LOW_BITS];
        if (!(value & ((1 << LOW_BITS) - 1)))
            *cell = (uint64_t)(first_slot + slot) << 32;
        if (!places[value])
            continue;
        *cell |= (uint64_t)1 << (value & ((1 << LOW_BITS) - 1));
        if (places[value] == 1) {
            places[value] = slot++;
        } else {
            if ((uint64_t)first_more + place + places[value] >= SEVERAL)
                return UNFIT;
            slots[slot++] = SEVERAL | (first_more + place);
            more[place] = places[value];
            uint32_t next = place + 1;
            place += 1 + places[value];
            places[value] = SEVERAL | next;
        }
    }
    for (size_t row = 0; row < count; row++) {
        uint32_t *next = &places[band_value(rows + row * words, band->offset, band->width)];
        if (*next & SEVERAL)
            more[(*next)++ & ~SEVERAL] = (uint32_t)row;
        else
            slots[*next] = (uint32_t)row;
    }
    used[0] = slot;
    used[1] = place;
    return FINE;
}

PyDoc_STRVAR(table_doc, "table(rows, words, band, cells, slots, more, first_slot, first_more)\n\n"
"Write the table of one band (offset, width) and return how many slots and places of `more` it took.");

static PyObject *table(PyObject *module, PyObject *arguments)
{
    Py_buffer rows = {0}, cells = {0}, slots = {0}, more = {0};
    Py_ssize_t words;
    long long offset, width;
    uint32_t used[2];
    Outcome outcome = UNFIT;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "y*n(LL)w*w*w*II", &rows, &words, &offset, &width, &cells, &slots, &more, &used[0],
                          &used[1]))
        return NULL;
    Band band = {offset, width, 0, 0};
    size_t count = words > 0 ? (size_t)rows.len / (8 * (size_t)words) : 0;
    size_t cell_count = (size_t)cells.len / 8, values = (size_t)1 << (width & 63);
    size_t distinct = count < values ? count : values;
    if (words > 0 && offset >= 0 && width >= LOW_BITS && width <= 32 && offset + width <= 64 * words &&
        count < SEVERAL && cell_count >= values >> LOW_BITS && (size_t)slots.len / 4 >= distinct &&
        (size_t)more.len / 4 >= count + count / 2) {
        Py_BEGIN_ALLOW_THREADS
        uint32_t *places = calloc(values, sizeof *places);
        outcome = !places ? NO_MEMORY
                          : fill(rows.buf, count, (size_t)words, &band, places, cells.buf, slots.buf, more.buf, used);
        free(places);
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&rows);
    PyBuffer_Release(&cells);
    PyBuffer_Release(&slots);
    PyBuffer_Release(&more);
    if (outcome == NO_MEMORY)
        return PyErr_NoMemory();
    if (outcome == UNFIT) {
        PyErr_SetString(PyExc_ValueError, "the rows do not fit a table");
        return NULL;
    }
    return Py_BuildValue("(II)", used[0], used[1]);
}

static PyMethodDef methods[] = {
    {"search", search, METH_VARARGS, search_doc},
    {"table", table, METH_VARARGS, table_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_hamming", NULL, 0, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__hamming(void)
{
    return PyModule_Create(&definition);
}
