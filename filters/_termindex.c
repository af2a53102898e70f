/* Terms as whole words, and cues anywhere, in many texts: what filters/termindex.py finds with an automaton.
 *
 * A term can only begin where a word does; there, the first four characters are looked up in a set of bits, which nearly
 * always says that no pattern begins so. A cue may begin anywhere; few characters begin one. Patterns lie sorted, so those
 * with the same lead, four characters or all they have, are one range, and the shortest of them comes first.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>
#include <string.h>

enum { POINTS = 0x110000, LEAD = 4 };
enum { KIND = 7, SEEN = 8, BEGINS_CUE = 64, BEGINS_TERM = 128 }; /* of a character; KIND 0 never joins another */

typedef struct {
    uint32_t low, high; /* none where high is 0 */
} Range;

typedef struct {
    uint8_t *characters;
    uint64_t *leads; /* a bit for each hash of a lead */
    Range *ranges;   /* by the hash of their lead, or behind it */
    uint32_t mask, range_mask;
    Py_UCS4 *pool;
    uint32_t *starts; /* of each pattern in the pool, and of the end */
    uint8_t *is_cue;
    uint32_t count;
    PyObject *kind_of;
} Index;

typedef struct {
    Py_UCS4 *at;
    Py_ssize_t length, room;
} Text;

static inline uint32_t mixed(uint32_t hash, Py_UCS4 point)
{
    hash = (hash ^ point) * 0x9e3779b1u;
    return hash ^ (hash >> 15);
}

static inline int has_lead(const Index *index, uint32_t hash)
{
    hash &= index->mask;
    return (int)(index->leads[hash >> 6] >> (hash & 63) & 1);
}

static inline uint32_t length_of(const Index *index, uint32_t pattern)
{
    return index->starts[pattern + 1] - index->starts[pattern];
}

static int learn(Index *index, Py_UCS4 point)
{
    PyObject *told = PyObject_CallFunction(index->kind_of, "i", (int)point);
    long kind = told ? PyLong_AsLong(told) : -1;
    Py_XDECREF(told);
    if (kind < 0 || kind > KIND) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "a kind of character is 0 to 7");
        return -1;
    }
    index->characters[point] |= (uint8_t)(kind | SEEN);
    return 0;
}

/* Copy a form, with a blank at either end, and learn the kinds of its characters. */
static int load(Index *index, PyObject *form, Text *text)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(form);
    int kind = PyUnicode_KIND(form);
    const void *data = PyUnicode_DATA(form);
    if (length + 2 > text->room) {
        Py_ssize_t room = (length + 2) * 2;
        Py_UCS4 *at = PyMem_Realloc(text->at, (size_t)room * sizeof *at);
        if (!at) {
            PyErr_NoMemory();
            return -1;
        }
        text->at = at;
        text->room = room;
    }
    text->length = length + 2;
    text->at[0] = text->at[length + 1] = ' ';
    for (Py_ssize_t each = 0; each < length; each++) {
        Py_UCS4 point = text->at[each + 1] = PyUnicode_READ(kind, data, each);
        if (!(index->characters[point] & SEEN) && learn(index, point) < 0)
            return -1;
    }
    return 0;
}

/* Whether the character before a place goes on in it. */
static inline int joins(const Index *index, const Text *text, Py_ssize_t place)
{
    int kind = place > 0 && place < text->length ? index->characters[text->at[place]] & KIND : 0;
    return kind && kind == (index->characters[text->at[place - 1]] & KIND);
}

/* Return where the range of a lead lies, or would lie. */
static Range *range_of(const Index *index, uint32_t hash, const Py_UCS4 *lead, uint32_t length)
{
    for (uint32_t slot = hash & index->range_mask;; slot = (slot + 1) & index->range_mask) {
        Range *range = &index->ranges[slot];
        if (!range->high || ((length == LEAD ? length_of(index, range->low) >= LEAD
                                             : length_of(index, range->low) == length) &&
                             !memcmp(index->pool + index->starts[range->low], lead, length * sizeof *lead)))
            return range;
    }
}

/* Return the first pattern in a range whose character at `depth` is not less than `point`. */
static uint32_t first_from(const Index *index, uint32_t low, uint32_t high, uint32_t depth, Py_UCS4 point)
{
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (index->pool[index->starts[middle] + depth] < point)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int report(PyObject *found, Py_ssize_t form, uint32_t pattern, int is_word)
{
    PyObject *told = Py_BuildValue("(nkO)", form, (unsigned long)pattern, is_word ? Py_True : Py_False);
    int failed = told ? PyList_Append(found, told) : -1;
    Py_XDECREF(told);
    return failed;
}

/* Report every pattern of a range that stands at a place, the shortest first; they agree up to `depth`. */
static int in_range(const Index *index, const Text *text, Py_ssize_t place, Range range, uint32_t depth,
                    Py_ssize_t form, PyObject *found)
{
    uint32_t low = range.low, high = range.high;
    int begins = !joins(index, text, place);
    for (; low < high; depth++) {
        Py_ssize_t end = place + depth;
        if (length_of(index, low) == depth) {
            int is_word = begins && !joins(index, text, end);
            if ((is_word || index->is_cue[low]) && report(found, form, low, is_word) < 0)
                return -1;
            low++;
        }
        if (end >= text->length)
            break;
        low = first_from(index, low, high, depth, text->at[end]);
        high = first_from(index, low, high, depth, text->at[end] + 1);
    }
    return 0;
}

static int at_place(const Index *index, const Text *text, Py_ssize_t place, Py_ssize_t form, PyObject *found)
{
    uint32_t hash = 0;
    for (uint32_t length = 1; length <= LEAD && place + length <= text->length; length++) {
        hash = mixed(hash, text->at[place + length - 1]);
        uint32_t lead = mixed(hash, length);
        if (has_lead(index, lead)) {
            Range range = *range_of(index, lead, text->at + place, length);
            if (range.high && in_range(index, text, place, range, length, form, found) < 0)
                return -1;
        }
    }
    return 0;
}

static int in_form(const Index *index, const Text *text, Py_ssize_t form, PyObject *found)
{
    for (Py_ssize_t place = 0; place < text->length; place++) {
        int flags = index->characters[text->at[place]];
        if ((flags & BEGINS_CUE || (flags & BEGINS_TERM && !joins(index, text, place))) &&
            at_place(index, text, place, form, found) < 0)
            return -1;
    }
    return 0;
}

static void drop(Index *index)
{
    PyMem_RawFree(index->characters);
    PyMem_Free(index->leads);
    PyMem_Free(index->ranges);
    PyMem_Free(index->pool);
    PyMem_Free(index->starts);
    PyMem_Free(index->is_cue);
    Py_XDECREF(index->kind_of);
    PyMem_Free(index);
}

static const char NAME[] = "filters._termindex.index";

static void forget(PyObject *capsule) { drop(PyCapsule_GetPointer(capsule, NAME)); }

/* Take the patterns over; they are str, sorted, none empty, and come with a byte that says whether it is a cue. */
static int fill(Index *index, PyObject *patterns, const char *cues)
{
    for (uint32_t each = 0; each < index->count; each++) {
        PyObject *pattern = PyTuple_GET_ITEM(patterns, each);
        Py_ssize_t length = PyUnicode_GET_LENGTH(pattern);
        Py_UCS4 *at = index->pool + index->starts[each];
        uint32_t hash = 0, lead = 0;
        index->starts[each + 1] = index->starts[each] + (uint32_t)length;
        if (!PyUnicode_AsUCS4(pattern, at, length, 0))
            return -1;
        while (lead < LEAD && lead < length)
            hash = mixed(hash, at[lead++]);
        hash = mixed(hash, lead);
        Range *range = range_of(index, hash, at, lead);
        *range = (Range){range->high ? range->low : each, each + 1};
        index->leads[(hash & index->mask) >> 6] |= (uint64_t)1 << (hash & 63);
        index->is_cue[each] = cues[each] != 0;
        index->characters[at[0]] |= cues[each] ? BEGINS_CUE | BEGINS_TERM : BEGINS_TERM;
    }
    return 0;
}

static PyObject *made(PyObject *patterns, const char *cues, PyObject *kind_of)
{
    size_t characters = 0, count = (size_t)PyTuple_GET_SIZE(patterns);
    uint32_t bits = 1 << 16, ranges = 64;
    for (size_t each = 0; each < count; each++) {
        PyObject *pattern = PyTuple_GET_ITEM(patterns, each), *before = each ? PyTuple_GET_ITEM(patterns, each - 1) : NULL;
        if (!PyUnicode_Check(pattern) || !PyUnicode_GET_LENGTH(pattern) ||
            (before && PyUnicode_Compare(before, pattern) >= 0)) {
            PyErr_SetString(PyExc_ValueError, "patterns are texts, sorted, each once and none empty");
            return NULL;
        }
        characters += (size_t)PyUnicode_GET_LENGTH(pattern);
    }
    while (bits < 16 * count && bits < (1u << 30))
        bits *= 2;
    while (ranges < 2 * count && ranges < (1u << 30))
        ranges *= 2;
    Index *index = characters < UINT32_MAX && count < ranges ? PyMem_Calloc(1, sizeof *index) : NULL;
    if (!index)
        return PyErr_NoMemory();
    index->mask = bits - 1;
    index->range_mask = ranges - 1;
    index->count = (uint32_t)count;
    index->kind_of = Py_NewRef(kind_of);
    index->characters = PyMem_RawCalloc(POINTS, 1);
    index->leads = PyMem_Calloc(bits / 64, sizeof *index->leads);
    index->ranges = PyMem_Calloc(ranges, sizeof *index->ranges);
    index->pool = PyMem_Calloc(characters + 1, sizeof *index->pool);
    index->starts = PyMem_Calloc(count + 1, sizeof *index->starts);
    index->is_cue = PyMem_Calloc(count + 1, 1);
    if (!index->characters || !index->leads || !index->ranges || !index->pool || !index->starts || !index->is_cue)
        PyErr_NoMemory();
    else if (fill(index, patterns, cues) == 0 && learn(index, ' ') == 0) {
        PyObject *capsule = PyCapsule_New(index, NAME, forget);
        if (capsule)
            return capsule;
    }
    drop(index);
    return NULL;
}

PyDoc_STRVAR(index_doc, "index(patterns, cues, kind_of)\n\n"
"Return the index over sorted patterns, with a byte for each that is not 0 for a cue; kind_of(code point) says what a\n"
"character joins with, 1 to 7, and 0 for nothing.");

static PyObject *new_index(PyObject *module, PyObject *arguments)
{
    PyObject *patterns, *kind_of;
    const char *cues;
    Py_ssize_t cue_count;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "O!y#O", &PyTuple_Type, &patterns, &cues, &cue_count, &kind_of))
        return NULL;
    if (cue_count != PyTuple_GET_SIZE(patterns)) {
        PyErr_SetString(PyExc_ValueError, "there is a byte for each pattern");
        return NULL;
    }
    return made(patterns, cues, kind_of);
}

PyDoc_STRVAR(find_doc, "find(index, forms)\n\n"
"Return (form, pattern, is a word there) for all that stands in the forms, by form, beginning and end.");

static PyObject *find(PyObject *module, PyObject *arguments)
{
    PyObject *capsule, *forms;
    Text text = {0};
    (void)module;
    if (!PyArg_ParseTuple(arguments, "OO!", &capsule, &PyTuple_Type, &forms))
        return NULL;
    Index *index = PyCapsule_GetPointer(capsule, NAME);
    PyObject *found = index ? PyList_New(0) : NULL;
    for (Py_ssize_t each = 0; found && each < PyTuple_GET_SIZE(forms); each++) {
        PyObject *form = PyTuple_GET_ITEM(forms, each);
        if (!PyUnicode_Check(form)) {
            PyErr_SetString(PyExc_TypeError, "a form is a str");
            Py_CLEAR(found);
        } else if (load(index, form, &text) < 0 || in_form(index, &text, each, found) < 0) {
            Py_CLEAR(found);
        }
    }
    PyMem_Free(text.at);
    return found;
}

static PyMethodDef methods[] = {
    {"index", new_index, METH_VARARGS, index_doc},
    {"find", find, METH_VARARGS, find_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_termindex", NULL, 0, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__termindex(void)
{
    return PyModule_Create(&definition);
}
