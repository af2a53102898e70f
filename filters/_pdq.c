/* PDQ's eight dihedral hashes and its quality, bit for bit those of pdqhash 0.2.8 on x86-64.
 *
 * Written anew from the description of the algorithm (facebook/ThreatExchange, hashing/hashing.pdf) and after reading
 * what pdqhash does (both on 2026-11-21):
 *
 *     RGB -> luma -> box along rows -> box along columns -> both boxes again -> 64 x 64 samples -> DCT -> median
 *
 * The bits depend on how each sum was rounded, so every running sum here adds and subtracts the same float32 numbers in
 * the same order as the reference does. What is saved: the four boxes run in one sweep over a few rows that stay in the
 * cache; LANES rows are summed side by side, which hides the latency of an addition; columns go through vector
 * registers; and behind the third box only the 64 columns that are sampled are touched.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__FAST_MATH__) || FLT_EVAL_METHOD != 0
#error "float32 sums must round as IEEE 754 says; without this extension, pdqhash is used"
#endif

enum { GRID = 64, SIDE = 16, BITS = SIDE * SIDE, HASH = BITS / 8, FORMS = 8, LANES = 8 };
#define SHORTEST 5 /* pixels; PDQ gives anything smaller hash 0 and quality 0 */
#define LONGEST 0x7fffffff /* pixels, so that no product of a side and a grid place overflows */

#if defined(__GNUC__)
#define INLINED static inline __attribute__((always_inline))
#else
#define INLINED static inline
#endif

typedef int64_t Index;

typedef struct {
    const uint8_t *base;
    Index down, right, deep; /* bytes to the next row, pixel and channel; may be negative or 0 */
    Index height, width;
} Picture;

/* A box filter along one axis: output x is the mean of the inputs x + ahead - window + 1 to x + ahead that exist. */
typedef struct {
    Index length, window, ahead;
} Box;

static Box box(Index length) {
    Index window = (length + 2 * GRID - 1) / (2 * GRID);
    return (Box){length, window, (window + 2) / 2 - 1};
}

static float inputs(Box b, Index x) {
    Index end = x + b.ahead + 1, begin = end - b.window;
    return (float)((end < b.length ? end : b.length) - (begin > 0 ? begin : 0));
}

static Index sample(Index cell, Index length) { return (2 * cell + 1) * length / (2 * GRID); }

/* What a sweep writes to. A block is LANES rows that are `pitch` floats apart; a row of it begins with `window` zeros
 * and ends with `ahead` zeros, so that a running sum meets no special case at either end. */
typedef struct {
    Box across, along; /* along a row; along a column */
    Index pitch, depth;
    float *pixels;  /* block: luma */
    float *sums;    /* block: running sums along rows; output x lies at x + ahead */
    float *once;    /* block: rows that have been through two boxes */
    float *ring;    /* `depth` rows behind the first box: those under the window of the second, and LANES more */
    float *column;  /* the running sum of each column */
    float *zeros;   /* a row */
    float *ring2;   /* the same for the last box, 64 columns wide */
    float column2[GRID];
    float grid[GRID][GRID];
    Index place[GRID]; /* the sampled columns */
    float divisor[GRID];
    Index next; /* the row of `grid` to be filled next */
    uint8_t *packed; /* one row of RGB, where pixels do not lie side by side */
} Sweep;

/* As pdqhash's float64 sum rounds when it is cut to float32, for each of the 16,777,216 colours (all were counted):
 * 299 R + 587 G + 114 B is a whole number under 2^24, and a thousandth of one is never close to the middle of two
 * float32. */
INLINED void luma(const uint8_t *restrict rgb, float *restrict out, Index width) {
    for (Index x = 0; x < width; x++)
        out[x] = (float)(299 * rgb[3 * x] + 587 * rgb[3 * x + 1] + 114 * rgb[3 * x + 2]) / 1000.0f;
}

INLINED void slide(const float *restrict in, float *restrict out, Index pitch, Index steps, Index window) {
    float sum[LANES] = {0};
    for (Index k = 0; k < steps; k++)
        for (int r = 0; r < LANES; r++) {
            sum[r] += in[r * pitch + k + window];
            sum[r] -= in[r * pitch + k];
            out[r * pitch + k] = sum[r];
        }
}

INLINED void mean(const float *restrict sums, float *restrict out, Box b) {
    Index x = 0;
    const float window = (float)b.window;
    for (; x < b.window - b.ahead; x++) out[x] = sums[x] / inputs(b, x);
    for (; x < b.length - b.ahead; x++) out[x] = sums[x] / window;
    for (; x < b.length; x++) out[x] = sums[x] / inputs(b, x);
}

INLINED void fall(float *restrict sum, const float *restrict in, const float *restrict past, Index width) {
    for (Index x = 0; x < width; x++) sum[x] = (sum[x] + in[x]) - past[x];
}

INLINED void divide(const float *restrict sum, float *restrict out, float by, Index width) {
    for (Index x = 0; x < width; x++) out[x] = sum[x] / by;
}

/* Step k of the last box: row k of the sampled columns enters its window, row k - ahead of it comes out. */
INLINED void last(Sweep *s, Index k) {
    const Box b = s->along;
    const float *in = k < b.length ? s->ring2 + k % s->depth * GRID : s->zeros;
    const float *past = k >= b.window ? s->ring2 + (k - b.window) % s->depth * GRID : s->zeros;
    fall(s->column2, in, past, GRID);
    for (; s->next < GRID && sample(s->next, b.length) == k - b.ahead; s->next++)
        divide(s->column2, s->grid[s->next], inputs(b, k - b.ahead), GRID);
}

/* The third box and the last one, of the rows of `once` that end with row y. */
INLINED void second(Sweep *s, Index y) {
    const Box b = s->along;
    slide(s->once, s->sums, s->pitch, s->across.length + s->across.ahead, s->across.window);
    for (Index row = y - y % LANES; row <= y; row++) {
        const float *sums = s->sums + row % LANES * s->pitch + s->across.ahead;
        float *kept = s->ring2 + row % s->depth * GRID;
        for (int j = 0; j < GRID; j++) kept[j] = sums[s->place[j]] / s->divisor[j];
        last(s, row);
    }
    if (y == b.length - 1)
        for (Index k = b.length; k < b.length + b.ahead; k++) last(s, k);
}

/* Step k of the second box. */
INLINED void step(Sweep *s, Index k) {
    const Box b = s->along;
    const Index width = s->across.length, y = k - b.ahead;
    const float *in = k < b.length ? s->ring + k % s->depth * width : s->zeros;
    const float *past = k >= b.window ? s->ring + (k - b.window) % s->depth * width : s->zeros;
    fall(s->column, in, past, width);
    if (y < 0) return;
    divide(s->column, s->once + y % LANES * s->pitch + s->across.window, inputs(b, y), width);
    if (y % LANES == LANES - 1 || y == b.length - 1) second(s, y);
}

INLINED const uint8_t *row_of(const Picture *p, Index y, uint8_t *packed) {
    const uint8_t *row = p->base + y * p->down;
    if (p->deep == 1 && p->right == 3) return row;
    for (Index x = 0; x < p->width; x++)
        for (int c = 0; c < 3; c++) packed[3 * x + c] = row[x * p->right + c * p->deep];
    return packed;
}

INLINED void sweep(Sweep *s, const Picture *p) {
    const Box b = s->across;
    for (Index top = 0; top < p->height; top += LANES) {
        const Index rows = p->height - top < LANES ? p->height - top : LANES;
        for (Index r = 0; r < rows; r++)
            luma(row_of(p, top + r, s->packed), s->pixels + r * s->pitch + b.window, b.length);
        slide(s->pixels, s->sums, s->pitch, b.length + b.ahead, b.window);
        for (Index r = 0; r < rows; r++)
            mean(s->sums + r * s->pitch + b.ahead, s->ring + (top + r) % s->depth * b.length, b);
        for (Index r = 0; r < rows; r++) step(s, top + r);
    }
    for (Index k = p->height; k < p->height + s->along.ahead; k++) step(s, k);
}

/* ---- from the grid to bits ---- */

static float cosines[SIDE][GRID]; /* filled when the module is imported */

static void prepare(void) {
    const float scale = (float)sqrt(2.0 / GRID);
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < GRID; j++)
            cosines[i][j] = (float)(scale * cos(3.14159265358979323846 / 2.0 / GRID * (i + 1) * (2 * j + 1)));
}

INLINED void transform(float grid[GRID][GRID], float out[SIDE][SIDE]) {
    float half[SIDE][GRID] = {{0}}, turned[GRID][SIDE];
    for (int i = 0; i < SIDE; i++)
        for (int k = 0; k < GRID; k++)
            for (int j = 0; j < GRID; j++) half[i][j] += cosines[i][k] * grid[k][j];
    for (int k = 0; k < GRID; k++)
        for (int j = 0; j < SIDE; j++) turned[k][j] = cosines[j][k];
    memset(out, 0, sizeof(float) * BITS);
    for (int i = 0; i < SIDE; i++)
        for (int k = 0; k < GRID; k++)
            for (int j = 0; j < SIDE; j++) out[i][j] += half[i][k] * turned[k][j];
}

static int quality(float grid[GRID][GRID]) {
    int sum = 0;
    for (int i = 0; i < GRID; i++)
        for (int j = 0; j < GRID; j++) {
            if (i + 1 < GRID) sum += abs((int)((grid[i][j] - grid[i + 1][j]) * 100.0f / 255.0f));
            if (j + 1 < GRID) sum += abs((int)((grid[i][j] - grid[i][j + 1]) * 100.0f / 255.0f));
        }
    return sum / 90 < 100 ? sum / 90 : 100;
}

/* A whole number that is ordered as the float is; both zeros are one. */
static uint32_t order(float value) {
    uint32_t bits;
    value += 0.0f;
    memcpy(&bits, &value, sizeof bits);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

/* The bits of the coefficients above their median, which is the 128th smallest of 256. */
INLINED void above_median(const uint32_t keys[BITS], uint8_t bits[BITS]) {
    uint32_t median = 0;
    for (uint32_t bit = 0x80000000u; bit; bit >>= 1) {
        int below = 0;
        for (int k = 0; k < BITS; k++) below += keys[k] < (median | bit);
        if (below < BITS / 2) median |= bit;
    }
    for (int k = 0; k < BITS; k++) bits[k] = keys[k] > median;
}

/* A picture that is turned or mirrored has the same coefficients, some negated, perhaps transposed. Negated are those
 * where row * i + column * j is odd (`odd` 1) or even (0); `upright` and `transposed` are pdqhash's places of the two
 * forms that this makes. */
static const struct { int row, column, odd, upright, transposed; } SIGNS[FORMS / 2] = {
    {0, 0, 1, 0, 6}, /* none: the original, transposed */
    {0, 1, 0, 5, 1}, /* mirrored, rotated by 90 degrees */
    {1, 0, 0, 4, 3}, /* flipped, rotated by 270 */
    {1, 1, 1, 2, 7}, /* rotated by 180, transversed */
};

/* Place 0 is the last bit of the hexadecimal form. */
static void set(uint8_t hash[HASH], int place, uint8_t bit) {
    hash[HASH - 1 - place / 8] |= (uint8_t)(bit << place % 8);
}

INLINED void bits_of(float dct[SIDE][SIDE], uint8_t out[FORMS][HASH]) {
    for (int f = 0; f < FORMS / 2; f++) {
        uint32_t keys[BITS];
        uint8_t bits[BITS];
        for (int i = 0; i < SIDE; i++)
            for (int j = 0; j < SIDE; j++) {
                int negated = ((SIGNS[f].row * i + SIGNS[f].column * j) & 1) == SIGNS[f].odd;
                keys[i * SIDE + j] = order(negated ? -dct[i][j] : dct[i][j]);
            }
        above_median(keys, bits);
        for (int i = 0; i < SIDE; i++)
            for (int j = 0; j < SIDE; j++) {
                set(out[SIGNS[f].upright], i * SIDE + j, bits[i * SIDE + j]);
                set(out[SIGNS[f].transposed], j * SIDE + i, bits[i * SIDE + j]);
            }
    }
}

INLINED void all(Sweep *s, const Picture *p, uint8_t out[FORMS][HASH]) {
    float dct[SIDE][SIDE];
    sweep(s, p);
    transform(s->grid, dct);
    bits_of(dct, out);
}

static void plain(Sweep *s, const Picture *p, uint8_t out[FORMS][HASH]) { all(s, p, out); }

#if defined(__GNUC__) && defined(__x86_64__)
__attribute__((target("avx2"))) static void wide(Sweep *s, const Picture *p, uint8_t out[FORMS][HASH]) {
    all(s, p, out);
}
static int is_wide(void) { return __builtin_cpu_supports("avx2"); }
#else
#define wide plain
static int is_wide(void) { return 0; }
#endif

/* ---- memory and Python ---- */

/* Return the quality, or -1 where there is no memory. */
static int hash(const Picture *p, uint8_t out[FORMS][HASH]) {
    memset(out, 0, FORMS * HASH);
    if (p->height < SHORTEST || p->width < SHORTEST) return 0;
    Sweep *s = calloc(1, sizeof *s);
    if (!s) return -1;
    s->across = box(p->width);
    s->along = box(p->height);
    s->pitch = s->across.window + s->across.length + s->across.ahead;
    s->depth = s->along.window + LANES;
    for (int j = 0; j < GRID; j++) {
        s->place[j] = sample(j, p->width);
        s->divisor[j] = inputs(s->across, s->place[j]);
    }
    const Index width = p->width > GRID ? p->width : GRID;
    const Index floats[] = {3 * LANES * s->pitch, s->depth * p->width, s->depth * GRID, 2 * width, (3 * width + 3) / 4};
    uint64_t total = 0;
    for (int k = 0; k < 5; k++) total += (uint64_t)floats[k]; /* each is under 2^60 */
    float *memory = total <= SIZE_MAX / sizeof(float) ? calloc((size_t)total, sizeof(float)) : NULL;
    int result = -1;
    if (memory) {
        s->pixels = memory;
        s->sums = s->pixels + LANES * s->pitch;
        s->once = s->sums + LANES * s->pitch;
        s->ring = s->once + LANES * s->pitch;
        s->ring2 = s->ring + floats[1];
        s->column = s->ring2 + floats[2];
        s->zeros = s->column + width;
        s->packed = (uint8_t *)(s->zeros + width);
        (is_wide() ? wide : plain)(s, p, out);
        result = quality(s->grid);
    }
    free(memory);
    free(s);
    return result;
}

static PyObject *dihedral(PyObject *Py_UNUSED(module), PyObject *pixels) {
    Py_buffer view;
    if (PyObject_GetBuffer(pixels, &view, PyBUF_STRIDED_RO | PyBUF_FORMAT) < 0) return NULL;
    PyObject *answer = NULL;
    if (view.ndim != 3 || view.shape[2] != 3 || strcmp(view.format, "B") != 0) {
        PyErr_SetString(PyExc_ValueError, "PDQ takes uint8 pixels of shape (height, width, 3)");
    } else if (view.shape[0] > LONGEST || view.shape[1] > LONGEST) {
        PyErr_SetString(PyExc_ValueError, "PDQ takes pictures with sides up to 2147483647 pixels");
    } else {
        const Picture picture = {view.buf,       view.strides[0], view.strides[1], view.strides[2],
                                 view.shape[0], view.shape[1]};
        uint8_t out[FORMS][HASH];
        int found;
        Py_BEGIN_ALLOW_THREADS
        found = hash(&picture, out);
        Py_END_ALLOW_THREADS
        answer = found < 0 ? PyErr_NoMemory() : Py_BuildValue("y#i", out, (Py_ssize_t)sizeof out, found);
    }
    PyBuffer_Release(&view);
    return answer;
}

static PyMethodDef methods[] = {
    {"dihedral", dihedral, METH_O, "Return 8 x 32 bytes of hashes, and the quality, of uint8 (height, width, 3) RGB."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_pdq", "PDQ, compiled.", 0, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__pdq(void) {
    prepare();
    return PyModuleDef_Init(&module);
}
