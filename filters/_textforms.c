/* The forms of many texts at once, exactly those of filters/textforms.py, which is the reference.
 *
 * Normalisation is a matter of one character after the other as long as no character composes with the one before it.
 * What a character becomes is asked of Python once, at its first sight (filters/fastforms.py), and then kept in a table;
 * a text with a character that composes, or with escapes or reversed runs, is left to Python.
 *
 *     text -> written -> alike -> bare      by character, blanks put together
 *     alike, bare -> parted, joined, leet   by its neighbours; forms that are there already are left out
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>
#include <string.h>

enum { POINTS = 0x110000, FORMS = 48, STAGES = 3, SPELLED = 3 };
enum { WRITTEN, ALIKE, BARE };
enum { ALPHA = 1, ALNUM = 2, CASED = 4, SEPARATOR = 8, TIE = 16, DECORATED = 32, OTHER = 64, SEEN = 128 }; /* of a character */
/* A character is LEFT to Python, or leaves nothing in some form, or is shown, or is STEADY, one and the same in every
 * form, or JOINS: steady, but for what stands before it. */
enum { LEFT, VANISHES, SHOWN, STEADY, JOINS };
#define SEVERAL POINTS /* from here on, a place in the pool */

typedef struct {
    uint32_t becomes[STAGES]; /* a character, or SEVERAL + where its length and characters lie in the pool */
    uint32_t partners;        /* in the same way, what it composes with */
    uint8_t sort, first, last; /* the combining classes that it begins and ends with */
} Entry;

typedef struct {
    Py_UCS4 *at;
    Py_ssize_t length, room;
} Text;

typedef struct {
    Entry *entries;
    uint8_t *flags;
    Text pool;
    PyObject *describe;
} Table;

/* What a form has that could be read in another way: `alone` counts letters and digits by themselves, `mixed` says that
 * a Latin letter touches one of an alphabet with look-alikes, `sign` that a separator is no blank, `stretched` that a
 * letter stands three times in a row. */
typedef struct {
    int flags, alone, leet, mixed, sign, stretched;
} Survey;

/* Of one call, as another thread may make one while Python is asked; the text at hand is meant. */
typedef struct {
    Table *table;
    Text stage[STAGES], joined[3], form[FORMS];
    int count;     /* of forms */
    int failed;    /* with a Python error set */
    Text *alike;
    int signs;     /* ASCII digits and "@" */
    int digits;    /* whether its plain form has a decimal digit of any script */
} Work;

static int make_room(Text *text, Py_ssize_t room)
{
    if (room <= text->room)
        return 0;
    room += room / 2 + 64;
    Py_UCS4 *at = PyMem_Realloc(text->at, (size_t)room * sizeof *at);
    if (!at) {
        PyErr_NoMemory();
        return -1;
    }
    text->at = at;
    text->room = room;
    return 0;
}

static int put_in_pool(Table *table, PyObject *string, uint32_t *place)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(string);
    if (length == 1) {
        *place = PyUnicode_READ_CHAR(string, 0);
        return 0;
    }
    if (length > 64 || make_room(&table->pool, table->pool.length + length + 1) < 0) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "a character becomes too many");
        return -1;
    }
    *place = SEVERAL + (uint32_t)table->pool.length;
    table->pool.at[table->pool.length++] = (Py_UCS4)length;
    for (Py_ssize_t each = 0; each < length; each++)
        table->pool.at[table->pool.length++] = PyUnicode_READ_CHAR(string, each);
    return 0;
}

static int ask(Table *table, Py_UCS4 point, Entry *entry)
{
    PyObject *becomes[STAGES], *partners;
    int sort, flags, first, last, failed = 0;
    PyObject *told = PyObject_CallFunction(table->describe, "i", (int)point);
    if (!told)
        return -1;
    if (!PyTuple_Check(told) || !PyArg_ParseTuple(told, "UUUUiiii", &becomes[0], &becomes[1], &becomes[2], &partners,
                                                  &sort, &flags, &first, &last)) {
        failed = -1;
    } else {
        failed = put_in_pool(table, partners, &entry->partners);
        for (int stage = 0; stage < STAGES && !failed; stage++)
            failed = put_in_pool(table, becomes[stage], &entry->becomes[stage]);
        entry->sort = (uint8_t)sort;
        entry->first = (uint8_t)first;
        entry->last = (uint8_t)last;
        if (!failed)
            table->flags[point] = (uint8_t)(flags | SEEN);
    }
    Py_DECREF(told);
    return failed;
}

static inline int flags_of(Work *work, Py_UCS4 point)
{
    if (!work->table->flags[point] && ask(work->table, point, &work->table->entries[point]) < 0)
        work->failed = 1;
    return work->table->flags[point];
}

static inline int has(Work *work, Py_UCS4 point, int flag) { return flags_of(work, point) & flag; }

static inline Entry *entry_of(Work *work, Py_UCS4 point)
{
    flags_of(work, point);
    return &work->table->entries[point];
}

static inline int is_word(Work *work, Py_UCS4 point) { return point == '_' || has(work, point, ALNUM); }

static inline const Py_UCS4 *characters_of(const Table *table, const uint32_t *becomes, Py_ssize_t *length)
{
    *length = *becomes < SEVERAL ? 1 : table->pool.at[*becomes - SEVERAL];
    return *becomes < SEVERAL ? becomes : &table->pool.at[*becomes - SEVERAL + 1];
}

/* Whether a character that joins stays by itself behind the one that stands before it. */
static int stays(Work *work, const Entry *entry, Py_UCS4 before)
{
    const Entry *other = entry_of(work, before);
    Py_ssize_t length;
    const Py_UCS4 *partners = characters_of(work->table, &entry->partners, &length);
    if (other->sort < STEADY || (entry->first && other->first))
        return 0;
    for (Py_ssize_t each = 0; !other->first && each < length; each++)
        if (partners[each] == before)
            return 0;
    return 1;
}

/* As "[^\\W\\d_]". */
static inline int is_letter(Work *work, Py_UCS4 point)
{
    return has(work, point, ALNUM) && !Py_UNICODE_ISDECIMAL(point);
}

/* Append what a character becomes; of blanks in a row only the first stays, if they are to be put together. */
static inline int append(Work *work, Text *text, uint32_t becomes, int together)
{
    Py_ssize_t length;
    const Py_UCS4 *from = characters_of(work->table, &becomes, &length);
    if (text->length + length > text->room && make_room(text, text->length + length) < 0) {
        work->failed = 1;
        return -1;
    }
    for (Py_ssize_t each = 0; each < length; each++)
        if (!together || from[each] != ' ' || !text->length || text->at[text->length - 1] != ' ')
            text->at[text->length++] = from[each];
    return 0;
}

static int copied(Work *work, const Text *from, Text *to)
{
    if (make_room(to, from->length) < 0) {
        work->failed = 1;
        return 0;
    }
    if (from->length)
        memcpy(to->at, from->at, (size_t)from->length * sizeof *to->at);
    to->length = from->length;
    return 1;
}

static int same(const Text *one, const Text *other)
{
    return one->length == other->length &&
           (!one->length || !memcmp(one->at, other->at, (size_t)one->length * sizeof *one->at));
}

/* Whether something may be undone here before the text is read: a reference, an escape, a tag. */
static int is_escape(Py_UCS4 point, Py_UCS4 next)
{
    if (point == '&')
        return next && !(next == ' ' || next == '\t' || next == '\n' || next == '\f' || next == '<' || next == '&' ||
                         next == ';');
    if (point == '%')
        return next < 128 && Py_ISXDIGIT(next);
    if (point == '\\')
        return next == 'u' || next == 'x';
    return point == '<' && next < 128 && (Py_ISALPHA(next) || next == '/' || next == '!');
}

/* Make the three stages; return 0 when the text is left to Python. */
static int normalised(Work *work, PyObject *text)
{
    int kind = PyUnicode_KIND(text), last = 0, differs = 0;
    const void *data = PyUnicode_DATA(text);
    Py_ssize_t length = PyUnicode_GET_LENGTH(text);
    Text *written = &work->stage[WRITTEN];
    work->signs = work->digits = written->length = 0;
    if (make_room(written, length) < 0) {
        work->failed = 1;
        return 0;
    }
    for (Py_ssize_t at = 0; at < length; at++) {
        Py_UCS4 point = PyUnicode_READ(kind, data, at);
        Entry *entry = entry_of(work, point);
        if (work->failed || entry->sort == LEFT ||
            (entry->sort == JOINS && (!at || !stays(work, entry, PyUnicode_READ(kind, data, at - 1)))) || (entry->first && last > entry->first) ||
            ((point == '&' || point == '%' || point == '\\' || point == '<') &&
             is_escape(point, at + 1 < length ? PyUnicode_READ(kind, data, at + 1) : 0)))
            return 0;
        uint32_t becomes = entry->becomes[WRITTEN];
        if (becomes < SEVERAL && becomes != ' ' && written->length < written->room)
            written->at[written->length++] = becomes;
        else if (append(work, written, becomes, 1) < 0)
            return 0;
        if (entry->sort >= SHOWN || entry->last > last)
            last = entry->last; /* what shows nothing keeps no marks apart */
        differs |= becomes != entry->becomes[ALIKE];
        work->signs += (point >= '0' && point <= '9') || point == '@';
    }
    work->alike = written;
    if (differs) {
        work->alike = &work->stage[ALIKE];
        work->alike->length = 0;
        for (Py_ssize_t at = 0; at < length; at++)
            if (append(work, work->alike, entry_of(work, PyUnicode_READ(kind, data, at))->becomes[ALIKE], 1) < 0)
                return 0;
    }
    return !work->failed;
}

/* As `bared`: return the text without decoration, or the text itself. */
static Text *bared(Work *work, Text *from, const Survey *seen)
{
    Text *to = &work->stage[BARE];
    if (!(seen->flags & DECORATED))
        return from;
    to->length = 0;
    for (Py_ssize_t at = 0; at < from->length; at++)
        if (append(work, to, entry_of(work, from->at[at])->becomes[BARE], 0) < 0)
            break;
    return to;
}

static inline int is_leet(Py_UCS4 point)
{
    static const char signs[128] = {['0'] = 1, ['1'] = 1, ['3'] = 1, ['4'] = 1, ['5'] = 1, ['6'] = 1, ['7'] = 1,
                                    ['8'] = 1, ['9'] = 1, ['@'] = 1, ['$'] = 1, ['!'] = 1, ['|'] = 1};
    return point < 128 && signs[point];
}

static Survey survey(Work *work, const Text *text)
{
    Survey seen = {0, 0, 0, 0, 0, 0};
    int before = 0, here = 0; /* whether the last two characters are letters or digits */
    int latin = 0, other = 0; /* whether the last one is a Latin letter, or one of OTHER */
    for (Py_ssize_t at = 0; at < text->length; at++) {
        int flags = flags_of(work, text->at[at]), alnum = flags & ALNUM;
        seen.flags |= flags;
        work->digits |= alnum && Py_UNICODE_ISDECIMAL(text->at[at]);
        seen.sign |= flags & SEPARATOR && text->at[at] != ' ';
        seen.stretched |= at > 1 && alnum && text->at[at] == text->at[at - 1] && text->at[at] == text->at[at - 2] &&
                          is_letter(work, text->at[at]);
        seen.leet |= is_leet(text->at[at]);
        seen.alone += here && !before && !alnum;
        before = here;
        here = alnum;
        int is_latin = text->at[at] >= 'a' && text->at[at] <= 'z', is_other = flags & OTHER;
        seen.mixed |= (latin && is_other) || (other && is_latin);
        latin = is_latin;
        other = is_other;
    }
    seen.alone += here && !before;
    return seen;
}

/* As `parted`: what ties words becomes a blank. */
static int parted(Work *work, const Text *from, Text *to)
{
    int changed = 0;
    Py_ssize_t at = 0;
    if (!copied(work, from, to))
        return 0;
    to->length = 0;
    while (at < from->length) {
        Py_ssize_t end = at;
        if (at && has(work, from->at[at], TIE) && has(work, from->at[at - 1], ALNUM)) {
            while (end < from->length && has(work, from->at[end], TIE))
                end++;
            if (end < from->length && has(work, from->at[end], ALNUM)) {
                to->at[to->length++] = ' ';
                at = end;
                changed = 1;
                continue;
            }
        }
        to->at[to->length++] = from->at[at++];
    }
    return changed;
}

/* As `solid`: what stands between two letters, one to three signs, is taken out. */
static int solid(Work *work, const Text *from, Text *to)
{
    int changed = 0;
    if (!copied(work, from, to))
        return 0;
    to->length = 0;
    for (Py_ssize_t at = 0; at < from->length;) {
        Py_ssize_t end = at;
        if (at && is_letter(work, from->at[at - 1]))
            while (end < from->length && end <= at + 3 && from->at[end] != ' ' && has(work, from->at[end], SEPARATOR))
                end++;
        if (end > at && end <= at + 3 && end < from->length && is_letter(work, from->at[end])) {
            at = end;
            changed = 1;
        }
        to->at[to->length++] = from->at[at++];
    }
    return changed;
}

/* Leave `kept` of every letter that stands three times in a row or more. */
static int unstretched(Work *work, const Text *from, Text *to, int kept)
{
    if (!copied(work, from, to))
        return 0;
    to->length = 0;
    for (Py_ssize_t at = 0, end; at < from->length; at = end) {
        for (end = at + 1; end < from->length && from->at[end] == from->at[at]; end++)
            ;
        Py_ssize_t stays = end - at > 2 && is_letter(work, from->at[at]) ? kept : end - at;
        while (stays-- > 0)
            to->at[to->length++] = from->at[at];
    }
    return 1;
}

/* Return where the letter lies that comes after one to three separators and stands by itself; 0 when none does. */
static Py_ssize_t next_alone(Work *work, const Text *text, Py_ssize_t at)
{
    Py_ssize_t place = at + 1;
    while (place < text->length && place <= at + 3 && has(work, text->at[place], SEPARATOR))
        place++;
    if (place == at + 1 || place >= text->length || !has(work, text->at[place], ALNUM))
        return 0;
    return place + 1 < text->length && has(work, text->at[place + 1], ALNUM) ? 0 : place;
}

/* As `_joined`: words spelled out are put together, but for the first letter if it is to stay apart. */
static int joined(Work *work, const Text *from, Text *to, int apart)
{
    int changed = 0;
    Py_ssize_t at = 0;
    if (!copied(work, from, to))
        return 0;
    to->length = 0;
    while (at < from->length) {
        Py_ssize_t second, third;
        if (has(work, from->at[at], ALNUM) && (!at || !has(work, from->at[at - 1], ALNUM)) &&
            (second = next_alone(work, from, at)) && (third = next_alone(work, from, second))) {
            to->at[to->length++] = from->at[at];
            if (apart)
                to->at[to->length++] = ' ';
            to->at[to->length++] = from->at[second];
            for (at = third; third; third = next_alone(work, from, third)) {
                to->at[to->length++] = from->at[third];
                at = third;
            }
            at++;
            changed = 1;
        } else {
            to->at[to->length++] = from->at[at++];
        }
    }
    return changed;
}

/* As LEET_CHARACTER: whether a sign beside a letter may stand for one. */
static int has_leet(Work *work, const Text *text)
{
    for (Py_ssize_t at = 0; at < text->length; at++) {
        Py_UCS4 point = text->at[at];
        if (!is_leet(point))
            continue;
        if (at + 1 < text->length && has(work, text->at[at + 1], CASED))
            return 1;
        if (at && has(work, text->at[at - 1], CASED) &&
            ((point != '!' && point != '|') || (at + 1 < text->length && is_word(work, text->at[at + 1]))))
            return 1;
    }
    return 0;
}

static int is_one(Work *work, const Text *text, Py_ssize_t at)
{
    Py_UCS4 point = text->at[at];
    if (point == '!' || point == '|') {
        Py_UCS4 next = at + 1 < text->length ? text->at[at + 1] : ' ';
        return next == '@' || next == '$' || next == '!' || next == '|' || is_word(work, next);
    }
    return point == '1';
}

static Py_UCS4 unleeted(Py_UCS4 point)
{
    static const char from[] = "034567" "89@$", to[] = "oeasgt" "bgas";
    const char *found = point < 128 && point ? strchr(from, (int)point) : NULL;
    return found ? (Py_UCS4)to[found - from] : point;
}

/* As one round of `_leet`, with `one` for what stands for "i" or "l"; return whether any does. */
static int without_leet(Work *work, const Text *from, Text *to, Py_UCS4 one)
{
    int ones = 0;
    if (!copied(work, from, to))
        return 0;
    for (Py_ssize_t at = 0, end; at <= from->length; at = end + 1) {
        int alpha = 0, other = 0;
        for (end = at; end < from->length && from->at[end] != ' '; end++) {
            int is_alpha = has(work, from->at[end], ALPHA);
            alpha |= is_alpha;
            other |= !is_alpha;
            ones |= is_one(work, from, end);
        }
        for (Py_ssize_t each = at; alpha && other && each < end; each++)
            to->at[each] = is_one(work, from, each) ? one : unleeted(from->at[each]);
    }
    return ones;
}

/* Keep the form that was written into the place after the last one, unless it is there already. */
static void keep(Work *work)
{
    Text *made = &work->form[work->count];
    if (same(made, &work->stage[WRITTEN]))
        return;
    for (int each = 0; each < work->count; each++)
        if (same(made, &work->form[each]))
            return;
    work->count++;
}

static void keep_form(Work *work, const Text *text)
{
    if (text != &work->stage[WRITTEN] && copied(work, text, &work->form[work->count]))
        keep(work);
}

static void keep_parted(Work *work, const Text *text, const Survey *seen)
{
    if (seen->flags & TIE && parted(work, text, &work->form[work->count]))
        keep(work);
}

static void keep_joined(Work *work, const Text *text, const Survey *seen)
{
    if (seen->alone >= SPELLED && joined(work, text, &work->form[work->count], 0))
        keep(work);
}

static void keep_solid(Work *work, const Text *text, const Survey *seen)
{
    if (seen->sign && solid(work, text, &work->form[work->count]))
        keep(work);
}

static void keep_leet(Work *work, const Text *base, const Survey *seen)
{
    static const Py_UCS4 both[] = {'i', 'l'};
    int ones = 1;
    if (!seen->leet || !has_leet(work, base))
        return;
    for (int each = 0; each < 2 && ones; each++) {
        Text *made = &work->joined[1];
        ones = without_leet(work, base, made, both[each]);
        Survey changed = survey(work, made);
        keep_form(work, made);
        keep_parted(work, made, &changed);
        keep_joined(work, made, &changed);
        keep_solid(work, made, &changed);
    }
}

/* As `_forms`, in its order; behind them the plain form itself where two alphabets meet in a word. */
static void forms_of(Work *work)
{
    Survey seen = survey(work, work->alike);
    Text *alike = work->alike, *bare = bared(work, alike, &seen), *whole = &work->joined[0], *apart = &work->joined[2];
    Survey stripped = bare == alike ? seen : survey(work, bare);
    work->count = 0;
    keep_form(work, alike);
    keep_parted(work, alike, &seen);
    int is_joined = stripped.alone >= SPELLED && joined(work, bare, whole, 0);
    if (is_joined)
        joined(work, bare, apart, 1);
    keep_form(work, is_joined ? whole : bare);
    if (is_joined)
        keep_form(work, apart);
    if (bare != alike) {
        keep_form(work, bare);
        keep_parted(work, bare, &stripped);
        keep_joined(work, alike, &seen);
    }
    keep_solid(work, bare, &stripped);
    keep_leet(work, bare, &stripped);
    if (is_joined) {
        keep_leet(work, whole, &stripped);
        keep_leet(work, apart, &stripped);
    }
    for (int kept = 1; stripped.stretched && kept <= 2; kept++)
        if (unstretched(work, bare, &work->form[work->count], kept))
            keep(work);
    if (alike != &work->stage[WRITTEN] ? survey(work, &work->stage[WRITTEN]).mixed : seen.mixed)
        work->count += copied(work, &work->stage[WRITTEN], &work->form[work->count]);
}

static PyObject *as_string(const Text *text)
{
    return PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, text->at, text->length);
}

/* The answers of one call: of each text its written form, None where it is left to Python; its signs and digits, a byte
 * each; and all other forms, with the places of their texts. */
typedef struct {
    PyObject *written, *others, *places, *signs, *digits;
} Answers;

static int add(PyObject *list, PyObject *value)
{
    int failed = value ? PyList_Append(list, value) : -1;
    Py_XDECREF(value);
    return failed;
}

static int answer(Work *work, PyObject *text, Py_ssize_t place, Answers *answers)
{
    int is_left = !normalised(work, text);
    if (!is_left)
        forms_of(work);
    if (work->failed)
        return -1;
    PyObject *written = is_left ? Py_NewRef(Py_None) : as_string(&work->stage[WRITTEN]);
    if (!written)
        return -1;
    PyList_SET_ITEM(answers->written, place, written);
    PyBytes_AS_STRING(answers->signs)[place] = (char)(is_left ? 0 : work->signs < 255 ? work->signs : 255);
    PyBytes_AS_STRING(answers->digits)[place] = (char)(is_left ? 0 : work->digits);
    for (int each = 0; !is_left && each < work->count; each++)
        if (add(answers->others, as_string(&work->form[each])) < 0 || add(answers->places, PyLong_FromSsize_t(place)) < 0)
            return -1;
    return 0;
}

static const char NAME[] = "filters._textforms.table";

static void forget(PyObject *capsule)
{
    Table *table = PyCapsule_GetPointer(capsule, NAME);
    PyMem_RawFree(table->entries);
    PyMem_RawFree(table->flags);
    PyMem_Free(table->pool.at);
    Py_XDECREF(table->describe);
    PyMem_Free(table);
}

PyDoc_STRVAR(table_doc, "table(describe)\n\n"
"Return an empty table of characters; describe(code point) tells what one becomes when it is first seen.");

static PyObject *new_table(PyObject *module, PyObject *describe)
{
    (void)module;
    Table *table = PyMem_Calloc(1, sizeof *table);
    if (!table)
        return PyErr_NoMemory();
    /* Left to the operating system, which gives pages of it as they are touched. */
    table->entries = PyMem_RawCalloc(POINTS, sizeof *table->entries);
    table->flags = PyMem_RawCalloc(POINTS, 1);
    PyObject *capsule = table->entries && table->flags ? PyCapsule_New(table, NAME, forget) : PyErr_NoMemory();
    if (!capsule) {
        PyMem_RawFree(table->entries);
        PyMem_RawFree(table->flags);
        PyMem_Free(table);
        return NULL;
    }
    table->describe = Py_NewRef(describe);
    return capsule;
}

static PyObject *answer_all(Work *work, PyObject *texts)
{
    Py_ssize_t count = PyTuple_GET_SIZE(texts);
    PyObject *all = NULL;
    Answers answers = {PyList_New(count), PyList_New(0), PyList_New(0), PyBytes_FromStringAndSize(NULL, count),
                       PyBytes_FromStringAndSize(NULL, count)};
    int failed = !answers.written || !answers.others || !answers.places || !answers.signs || !answers.digits;
    for (Py_ssize_t each = 0; !failed && each < count; each++) {
        PyObject *text = PyTuple_GET_ITEM(texts, each);
        failed = PyUnicode_Check(text) ? answer(work, text, each, &answers) : -1;
    }
    if (!failed)
        all = PyTuple_Pack(5, answers.written, answers.others, answers.places, answers.signs, answers.digits);
    else if (!PyErr_Occurred())
        PyErr_SetString(PyExc_TypeError, "a text is a str");
    Py_XDECREF(answers.written);
    Py_XDECREF(answers.others);
    Py_XDECREF(answers.places);
    Py_XDECREF(answers.signs);
    Py_XDECREF(answers.digits);
    return all;
}

PyDoc_STRVAR(forms_doc, "forms(table, texts)\n\n"
"Return of each text its written form, or None where it is left to filters.textforms; all other forms, and the places of\n"
"their texts; and of each text how many signs it has, at most 255, and whether it has a digit, a byte each.");

static PyObject *forms(PyObject *module, PyObject *arguments)
{
    PyObject *capsule, *texts, *answers;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "OO!", &capsule, &PyTuple_Type, &texts))
        return NULL;
    Table *table = PyCapsule_GetPointer(capsule, NAME);
    Work *work = table ? PyMem_Calloc(1, sizeof *work) : NULL;
    if (!work)
        return table ? PyErr_NoMemory() : NULL;
    work->table = table;
    answers = answer_all(work, texts);
    for (int each = 0; each < STAGES; each++)
        PyMem_Free(work->stage[each].at);
    for (int each = 0; each < FORMS; each++)
        PyMem_Free(work->form[each].at);
    PyMem_Free(work->joined[0].at);
    PyMem_Free(work->joined[1].at);
    PyMem_Free(work->joined[2].at);
    PyMem_Free(work);
    return answers;
}

static PyMethodDef methods[] = {
    {"table", new_table, METH_O, table_doc},
    {"forms", forms, METH_VARARGS, forms_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_textforms", NULL, 0, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__textforms(void)
{
    return PyModule_Create(&definition);
}
