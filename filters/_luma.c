/* Luma of a picture, and luma resized, bit for bit as Pillow 12 has them: `convert("L")` and `resize`.
 *
 * After src/libImaging/Convert.c and Resample.c of python-pillow/Pillow (read 2026-11-22): whole weights of 22 bits, one
 * pass along rows and one along columns, each rounded to 8 bits. What is saved: no copy to four bytes a pixel, and
 * sums that go through vector registers.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BITS = 22, HALF = 1 << (BITS - 1), LONGEST = 1 << 24, FEW = 24, BLOCK = 32 };

#if defined(__GNUC__)
#define INLINED static inline __attribute__((always_inline))
#else
#define INLINED static inline
#endif

/* Which inputs an output is made of, and the weight of each. */
typedef struct {
    int size, taps; /* outputs, and the places for weights of each */
    int *first, *count;
    int32_t *weights;
} Kernel;

static double bilinear(double x) {
    x = fabs(x);
    return x < 1.0 ? 1.0 - x : 0.0;
}

static double sinc(double x) {
    if (x == 0.0) return 1.0;
    x = x * 3.14159265358979323846;
    return sin(x) / x;
}

static double lanczos(double x) { return -3.0 <= x && x < 3.0 ? sinc(x) * sinc(x / 3) : 0.0; }

static void release(Kernel *k) {
    free(k->first);
    free(k->weights);
}

/* Fill the kernel; 0 where there is no memory. */
static int prepare(Kernel *k, int in, int out, int smooth) {
    const double scale = (double)in / out, spread = scale < 1.0 ? 1.0 : scale;
    const double support = (smooth ? 3.0 : 1.0) * spread, step = 1.0 / spread;
    k->size = out;
    k->taps = (int)ceil(support) * 2 + 1;
    k->first = malloc((size_t)out * 2 * sizeof(int));
    k->weights = calloc((size_t)out * (size_t)k->taps, sizeof(int32_t));
    double *shares = malloc((size_t)k->taps * sizeof(double));
    if (k->first && k->weights && shares) {
        k->count = k->first + out;
        for (int o = 0; o < out; o++) {
            const double centre = (o + 0.5) * scale;
            int first = (int)(centre - support + 0.5), end = (int)(centre + support + 0.5);
            if (first < 0) first = 0;
            if (end > in) end = in;
            double sum = 0.0;
            for (int t = 0; t < end - first; t++) {
                const double at = (t + first - centre + 0.5) * step;
                shares[t] = smooth ? lanczos(at) : bilinear(at);
                sum += shares[t];
            }
            for (int t = 0; t < end - first; t++) {
                const double share = sum != 0.0 ? shares[t] / sum : shares[t];
                const double whole = share * (1 << BITS);
                k->weights[o * k->taps + t] = (int32_t)(share < 0 ? whole - 0.5 : whole + 0.5);
            }
            k->first[o] = first;
            k->count[o] = end - first;
        }
    }
    const int done = k->first && k->weights && shares;
    free(shares);
    return done;
}

INLINED uint8_t clipped(int32_t sum) {
    sum >>= BITS;
    return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

INLINED void along_rows(const uint8_t *in, int width, int height, const Kernel *k, uint8_t *out) {
    for (int y = 0; y < height; y++)
        for (int o = 0; o < k->size; o++) {
            const uint8_t *from = in + (size_t)y * width + k->first[o];
            const int32_t *weights = k->weights + (size_t)o * k->taps;
            int32_t sum = HALF;
            for (int t = 0; t < k->count[o]; t++) sum += from[t] * weights[t];
            out[(size_t)y * k->size + o] = clipped(sum);
        }
}

INLINED void along_columns(const uint8_t *in, int width, const Kernel *k, int32_t *sums, uint8_t *out) {
    for (int o = 0; o < k->size; o++) {
        for (int x = 0; x < width; x++) sums[x] = HALF;
        for (int t = 0; t < k->count[o]; t++) {
            const uint8_t *from = in + (size_t)(k->first[o] + t) * width;
            const int32_t weight = k->weights[(size_t)o * k->taps + t];
            for (int x = 0; x < width; x++) sums[x] += from[x] * weight;
        }
        for (int x = 0; x < width; x++) out[(size_t)o * width + x] = clipped(sums[x]);
    }
}

/* Rows become columns, in blocks that stay in the cache. */
INLINED void transpose(const uint8_t *in, int width, int height, uint8_t *out) {
    for (int top = 0; top < height; top += BLOCK)
        for (int left = 0; left < width; left += BLOCK) {
            const int bottom = top + BLOCK < height ? top + BLOCK : height;
            const int right = left + BLOCK < width ? left + BLOCK : width;
            for (int x = left; x < right; x++)
                for (int y = top; y < bottom; y++) out[(size_t)x * height + y] = in[(size_t)y * width + x];
        }
}

INLINED void both(const uint8_t *in, int width, int height, const Kernel *across, const Kernel *down, uint8_t *between,
                  int32_t *sums, uint8_t *out) {
    if (across->size == width && down->size == height) {
        memcpy(out, in, (size_t)width * (size_t)height);
    } else if (across->size == width) {
        along_columns(in, width, down, sums, out);
    } else if (down->size == height) {
        along_rows(in, width, height, across, out);
    } else {
        if (across->taps < FEW) { /* too few for a vector: rows are summed side by side instead */
            uint8_t *turned = between + (size_t)across->size * (size_t)height;
            transpose(in, width, height, turned);
            along_columns(turned, height, across, sums, turned + (size_t)width * (size_t)height);
            transpose(turned + (size_t)width * (size_t)height, height, across->size, between);
        } else {
            along_rows(in, width, height, across, between);
        }
        along_columns(between, across->size, down, sums, out);
    }
}

INLINED void luma(const uint8_t *rgb, uint8_t *out, Py_ssize_t count) {
    for (Py_ssize_t x = 0; x < count; x++)
        out[x] = (uint8_t)((rgb[3 * x] * 19595 + rgb[3 * x + 1] * 38470 + rgb[3 * x + 2] * 7471 + 0x8000) >> 16);
}

#if defined(__GNUC__) && defined(__x86_64__)
#define WIDE __attribute__((target("avx2")))
static int is_wide(void) { return __builtin_cpu_supports("avx2"); }
#else
#define WIDE
static int is_wide(void) { return 0; }
#endif

WIDE static void wide(const uint8_t *in, int width, int height, const Kernel *across, const Kernel *down,
                      uint8_t *between, int32_t *sums, uint8_t *out) {
    both(in, width, height, across, down, between, sums, out);
}

static void plain(const uint8_t *in, int width, int height, const Kernel *across, const Kernel *down, uint8_t *between,
                  int32_t *sums, uint8_t *out) {
    both(in, width, height, across, down, between, sums, out);
}

WIDE static void wide_luma(const uint8_t *rgb, uint8_t *out, Py_ssize_t count) { luma(rgb, out, count); }
static void plain_luma(const uint8_t *rgb, uint8_t *out, Py_ssize_t count) { luma(rgb, out, count); }

static PyObject *grey(PyObject *Py_UNUSED(module), PyObject *pixels) {
    Py_buffer view;
    if (PyObject_GetBuffer(pixels, &view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) < 0) return NULL;
    PyObject *answer = NULL;
    if (view.ndim != 3 || view.shape[2] != 3 || strcmp(view.format, "B") != 0)
        PyErr_SetString(PyExc_ValueError, "luma is taken of uint8 pixels of shape (height, width, 3)");
    else
        answer = PyBytes_FromStringAndSize(NULL, view.len / 3);
    if (answer)
        (is_wide() ? wide_luma : plain_luma)(view.buf, (uint8_t *)PyBytes_AS_STRING(answer), view.len / 3);
    PyBuffer_Release(&view);
    return answer;
}

static PyObject *resized(PyObject *Py_UNUSED(module), PyObject *args) {
    Py_buffer view;
    int width, height, across_size, down_size, smooth;
    if (!PyArg_ParseTuple(args, "y*(ii)(ii)p", &view, &width, &height, &across_size, &down_size, &smooth)) return NULL;
    Kernel across = {0}, down = {0};
    PyObject *answer = NULL;
    uint8_t *between = NULL;
    int32_t *sums = NULL;
    if (width < 1 || height < 1 || across_size < 1 || down_size < 1 || width > LONGEST || height > LONGEST ||
        across_size > LONGEST || down_size > LONGEST || view.len != (Py_ssize_t)width * height) {
        PyErr_SetString(PyExc_ValueError, "the bytes are not those of a picture of this size");
    } else if (!prepare(&across, width, across_size, smooth) || !prepare(&down, height, down_size, smooth) ||
               !(between = malloc((2 * (size_t)across_size + (size_t)width) * (size_t)height)) ||
               !(sums = malloc((size_t)(across_size > height ? across_size : height) * sizeof *sums))) {
        PyErr_NoMemory();
    } else if ((answer = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)across_size * down_size))) {
        uint8_t *out = (uint8_t *)PyBytes_AS_STRING(answer);
        (is_wide() ? wide : plain)(view.buf, width, height, &across, &down, between, sums, out);
    }
    release(&across);
    release(&down);
    free(between);
    free(sums);
    PyBuffer_Release(&view);
    return answer;
}

static PyMethodDef methods[] = {
    {"grey", grey, METH_O, "Return the luma of uint8 (height, width, 3) RGB, row by row."},
    {"resized", resized, METH_VARARGS, "Return luma of (width, height) at another (width, height), by Lanczos or linear."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_luma", "Luma and its resizing, compiled.", 0, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__luma(void) { return PyModuleDef_Init(&module); }
