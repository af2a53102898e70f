/* The loop of filters/ties.py, which says what it is for and is tested equal to this.
 *
 * Optional: without this extension the same groups come from numpy, some times slower. It keeps no state, lets go of the
 * interpreter while it works, and looks at every number that it was given before it follows it.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <stdlib.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "bands are numbered for little-endian words; numpy does the work on this machine"
#endif

#define LOW_BITS 6    /* of a value: 64 neighbouring values are one word of `filled` */
#define BLOCK_BITS 14 /* of a value: the rows of two blocks stay in the second cache while they meet */
#define WIDEST 26
#define MANY 16 /* pairs of rows from which it pays to ask first whether their groups were joined meanwhile */
#define INLINE static inline __attribute__((always_inline))

/* Rows in the order of a band's value, then of their group; a group is known by the number of its first member. */
typedef struct {
    const uint64_t *rows;
    const uint32_t *groups, *starts;
    uint32_t *parents;
    uint64_t *filled;
    size_t count;
    int width, radius;
    unsigned limit;
} Band;

/* EVEN[k] has the places of a word whose number has bit k clear. */
static const uint64_t EVEN[LOW_BITS] = {0x5555555555555555u, 0x3333333333333333u, 0x0f0f0f0f0f0f0f0fu,
                                        0x00ff00ff00ff00ffu, 0x0000ffff0000ffffu, 0x00000000ffffffffu};

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

INLINE uint32_t root(uint32_t *parents, uint32_t each)
{
    while (parents[each] != each) {
        parents[each] = parents[parents[each]];
        each = parents[each];
    }
    return each;
}

INLINE size_t run_end(const uint32_t *groups, size_t first, size_t end)
{
    size_t last = first + 1;
    while (last < end && groups[last] == groups[first])
        last++;
    return last;
}

INLINE int any_near(const Band *band, size_t a, size_t a_end, size_t b, size_t b_end, size_t words)
{
    for (size_t one = a; one < a_end; one++)
        for (size_t other = b; other < b_end; other++)
            if (distance(band->rows + one * words, band->rows + other * words, words, band->limit) <= band->limit)
                return 1;
    return 0;
}

/* Two groups that meet in these cells, each connected as it is: one near pair joins them. */
INLINE void meet(const Band *band, size_t a, size_t a_end, size_t b, size_t b_end, size_t words)
{
    uint32_t one = band->groups[a], other = band->groups[b];
    if ((a_end - a) * (b_end - b) >= MANY && root(band->parents, one) == root(band->parents, other))
        return;
    if (!any_near(band, a, a_end, b, b_end, words))
        return;
    one = root(band->parents, one);
    other = root(band->parents, other);
    if (one < other)
        band->parents[other] = one;
    else
        band->parents[one] = other;
}

/* The rows of two values, or of one value among themselves. */
INLINE void join_cells(const Band *band, size_t value, size_t other, size_t words)
{
    size_t a = band->starts[value], a_last = band->starts[value + 1], b_last = band->starts[other + 1];
    for (size_t a_end; a < a_last; a = a_end) {
        a_end = run_end(band->groups, a, a_last);
        for (size_t b = value == other ? a_end : band->starts[other], b_end; b < b_last; b = b_end) {
            b_end = run_end(band->groups, b, b_last);
            if (band->groups[a] != band->groups[b])
                meet(band, a, a_end, b, b_end, words);
        }
    }
}

/* All pairs of values in two words whose low bits differ in up to `most`; in one word, each pair once. */
INLINE void join_words(const Band *band, size_t word, size_t partner, int most, size_t words)
{
    uint64_t here = band->filled[word], there = band->filled[partner];
    if (!here || !there)
        return;
    for (size_t mask = 0; mask < 1 << LOW_BITS; mask++) {
        if (__builtin_popcountll(mask) > most)
            continue;
        uint64_t hits = there;
        for (int bit = 0; bit < LOW_BITS; bit++)
            if (mask >> bit & 1)
                hits = (hits & EVEN[bit]) << (1 << bit) | (hits >> (1 << bit) & EVEN[bit]);
        hits &= here;
        if (word == partner && mask)
            hits &= EVEN[63 - __builtin_clzll(mask)];
        for (; hits; hits &= hits - 1) {
            size_t low = (size_t)__builtin_ctzll(hits);
            join_cells(band, word << LOW_BITS | low, partner << LOW_BITS | (low ^ mask), words);
        }
    }
}

/* Every pair of values that differ in up to `radius` bits, once: block by block, then word by word. */
INLINE void join_band(const Band *band, size_t words)
{
    int inner = (band->width < BLOCK_BITS ? band->width : BLOCK_BITS) - LOW_BITS;
    size_t blocks = (size_t)1 << (band->width - LOW_BITS - inner), size = (size_t)1 << inner;
    for (size_t far = 0; far < blocks; far++) {
        int left = band->radius - __builtin_popcountll(far);
        for (size_t block = 0; left >= 0 && block < blocks; block++) {
            size_t other = block ^ far;
            for (size_t near = 0; other >= block && near < size; near++) {
                int most = left - __builtin_popcountll(near);
                for (size_t word = 0; most >= 0 && word < size; word++)
                    if (far || (word ^ near) >= word)
                        join_words(band, block * size + word, other * size + (word ^ near), most, words);
            }
        }
    }
}

#define BY_WORDS(band, words)       \
    do {                            \
        if ((words) == 4)           \
            join_band((band), 4);   \
        else if ((words) == 1)      \
            join_band((band), 1);   \
        else                        \
            join_band((band), words); \
    } while (0)

static void join_anywhere(const Band *band, size_t words)
{
    BY_WORDS(band, words);
}

#if defined(__x86_64__)
__attribute__((target("popcnt,bmi"))) static void join_here(const Band *band, size_t words)
{
    BY_WORDS(band, words);
}
#endif

static void run(const Band *band, size_t words)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("popcnt") && __builtin_cpu_supports("bmi")) {
        join_here(band, words);
        return;
    }
#endif
    join_anywhere(band, words);
}

/* Whether every number leads somewhere, and every chain of parents ends: each is no greater than its child. */
static int fits(const Band *band)
{
    size_t values = (size_t)1 << band->width;
    if (band->starts[0] != 0 || band->starts[values] != band->count)
        return 0;
    for (size_t value = 0; value < values; value++)
        if (band->starts[value] > band->starts[value + 1])
            return 0;
    for (size_t row = 0; row < band->count; row++)
        if (band->groups[row] >= band->count || band->parents[row] > row)
            return 0;
    return 1;
}

static void fill(const Band *band)
{
    size_t values = (size_t)1 << band->width;
    for (size_t value = 0; value < values; value++)
        if (band->starts[value] < band->starts[value + 1])
            band->filled[value >> LOW_BITS] |= (uint64_t)1 << (value & 63);
}

PyDoc_STRVAR(join_doc, "join(rows, groups, starts, parents, words, width, radius, limit)\n\n"
"Join groups of which two rows lie within `limit` bits and agree in a band of `width` bits but for `radius`.\n\n"
"rows: uint64 (n, words), ordered by the value of the band, then by group. groups: uint32 (n), the number of each row's\n"
"group. starts: uint32 (2**width + 1), the first row of each value. parents: uint32 (n), changed: the group that each\n"
"group was joined to, itself at first.");

static PyObject *join(PyObject *module, PyObject *arguments)
{
    Py_buffer rows = {0}, groups = {0}, starts = {0}, parents = {0};
    Py_ssize_t words;
    int width, radius, limit, fine = 0, memory = 1;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "y*y*y*w*niii", &rows, &groups, &starts, &parents, &words, &width, &radius, &limit))
        return NULL;
    if (words > 0 && words <= 64 && width >= LOW_BITS && width <= WIDEST && radius >= 0 && limit >= 0 &&
        rows.len % (8 * words) == 0 && rows.len / (8 * words) < UINT32_MAX) {
        size_t count = (size_t)(rows.len / (8 * words)), values = (size_t)1 << width;
        Band band = {rows.buf, groups.buf, starts.buf, parents.buf, NULL, count, width, radius, (unsigned)limit};
        if ((size_t)groups.len == 4 * count && (size_t)parents.len == 4 * count &&
            (size_t)starts.len == 4 * (values + 1)) {
            Py_BEGIN_ALLOW_THREADS
            fine = fits(&band);
            band.filled = fine ? calloc(values >> LOW_BITS, 8) : NULL;
            memory = !fine || band.filled;
            if (band.filled) {
                fill(&band);
                run(&band, (size_t)words);
            }
            free(band.filled);
            Py_END_ALLOW_THREADS
        }
    }
    PyBuffer_Release(&rows);
    PyBuffer_Release(&groups);
    PyBuffer_Release(&starts);
    PyBuffer_Release(&parents);
    if (!memory)
        return PyErr_NoMemory();
    if (!fine) {
        PyErr_SetString(PyExc_ValueError, "the arguments do not fit each other");
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"join", join, METH_VARARGS, join_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_ties", NULL, 0, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__ties(void)
{
    return PyModule_Create(&definition);
}
