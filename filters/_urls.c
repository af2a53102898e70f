/* The usual case of filters/urlsearch.py: an address that needs no parser, and is on no list.
 *
 * Optional: without this extension every address goes the way of filters/addresses.py, many times slower. An address
 * is "plain" here when its canonical form can be told without judgement: ASCII, http or https, an ordinary host name
 * that is no number and no IDNA, no userinfo, no dot segment, nothing that could hold another address. Of such a one
 * the names (filters/urlnames.py) and their keyed hashes are made here and looked up. Everything else, and whatever is
 * on a list, is left to Python, so a fault here can cost time, and is tested not to cost a match.
 *
 * No state is kept. A table that does not fit its rows is a ValueError, never a read outside of it.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "hashes are little-endian words; Python does the work on this machine"
#endif

#define LONGEST 4096              /* characters of a plain address */
#define MAX_HOST 253              /* addresses.MAX_HOST */
#define MAX_NAMES 1024            /* urlnames.MAX_NAMES */
#define MAX_LABELS 128
#define MAX_TABLES 256
#define DIGEST_BYTES 8            /* urlnames.LEAST_DIGEST_BYTES */
#define KEY_BYTES 32
#define BLOCK 128                 /* bytes that BLAKE2b takes in at once */
#define INLINE static inline __attribute__((always_inline))
#define PREFETCH(place) __builtin_prefetch((place), 0, 1)

/* A plain address: text[0] is the mark of an exact name, then host, path, and "?query". */
typedef struct {
    uint8_t text[3 * LONGEST + MAX_HOST + 8];
    size_t hosts[MAX_LABELS], host_count; /* where the host, and every domain above it, begins */
    size_t ends[MAX_NAMES], end_count;    /* where the root, the directories, the path and the whole end */
    size_t length;
} Plain;

/* What filters/urltables.py lays out. */
typedef struct {
    const uint64_t *rows, *hosts;
    const uint32_t *starts;
    size_t row_count, block_mask;
    unsigned shift;
} Table;

/* Tables whose hashes were made with one key; `digests` says whether one has entries that came hashed. */
typedef struct {
    uint64_t state[8];
    size_t first_table, table_count;
    int digests;
} Group;

/* BLAKE2b, RFC 7693: 8 bytes of digest, 32 of key. */

static const uint64_t BLAKE_IV[8] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

static const uint8_t SIGMA[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

INLINE uint64_t turned(uint64_t word, unsigned bits)
{
    return word >> bits | word << (64 - bits);
}

#define MIX(a, b, c, d, x, y)             \
    do {                                  \
        a += b + (x);                     \
        d = turned(d ^ a, 32);            \
        c += d;                           \
        b = turned(b ^ c, 24);            \
        a += b + (y);                     \
        d = turned(d ^ a, 16);            \
        c += d;                           \
        b = turned(b ^ c, 63);            \
    } while (0)

INLINE void mix_round(uint64_t *v, const uint64_t *m, const uint8_t *order)
{
    MIX(v[0], v[4], v[8], v[12], m[order[0]], m[order[1]]);
    MIX(v[1], v[5], v[9], v[13], m[order[2]], m[order[3]]);
    MIX(v[2], v[6], v[10], v[14], m[order[4]], m[order[5]]);
    MIX(v[3], v[7], v[11], v[15], m[order[6]], m[order[7]]);
    MIX(v[0], v[5], v[10], v[15], m[order[8]], m[order[9]]);
    MIX(v[1], v[6], v[11], v[12], m[order[10]], m[order[11]]);
    MIX(v[2], v[7], v[8], v[13], m[order[12]], m[order[13]]);
    MIX(v[3], v[4], v[9], v[14], m[order[14]], m[order[15]]);
}

static void compress(uint64_t *state, const uint8_t *block, uint64_t taken, uint64_t last)
{
    uint64_t v[16], m[16];
    memcpy(m, block, BLOCK);
    memcpy(v, state, 64);
    memcpy(v + 8, BLAKE_IV, 64);
    v[12] ^= taken;
    v[14] ^= last;
    mix_round(v, m, SIGMA[0]);
    mix_round(v, m, SIGMA[1]);
    mix_round(v, m, SIGMA[2]);
    mix_round(v, m, SIGMA[3]);
    mix_round(v, m, SIGMA[4]);
    mix_round(v, m, SIGMA[5]);
    mix_round(v, m, SIGMA[6]);
    mix_round(v, m, SIGMA[7]);
    mix_round(v, m, SIGMA[8]);
    mix_round(v, m, SIGMA[9]);
    mix_round(v, m, SIGMA[0]);
    mix_round(v, m, SIGMA[1]);
    for (int word = 0; word < 8; word++)
        state[word] ^= v[word] ^ v[word + 8];
}

/* The state after the block of the key, from which every hash with this key begins. */
static void take_key(uint64_t *state, const uint8_t *key)
{
    uint8_t block[BLOCK] = {0};
    memcpy(block, key, KEY_BYTES);
    memcpy(state, BLAKE_IV, 64);
    state[0] ^= 0x01010000 ^ KEY_BYTES << 8 ^ sizeof(uint64_t);
    compress(state, block, BLOCK, 0);
}

static uint64_t hash_of(const uint64_t *keyed, const uint8_t *name, size_t length)
{
    uint64_t state[8];
    uint8_t block[BLOCK];
    size_t done = 0;
    memcpy(state, keyed, sizeof state);
    for (; length - done > BLOCK; done += BLOCK)
        compress(state, name + done, BLOCK + done + BLOCK, 0);
    memset(block, 0, sizeof block);
    memcpy(block, name + done, length - done);
    compress(state, block, BLOCK + length, ~(uint64_t)0);
    return state[0];
}

/* SHA-256, FIPS 180-4, for lists that came hashed. */

static const uint32_t SHA_K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
    0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
    0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
    0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

INLINE uint32_t rolled(uint32_t word, unsigned bits)
{
    return word >> bits | word << (32 - bits);
}

#define SHA_ROUND(a, b, c, d, e, f, g, h, added)                                                     \
    do {                                                                                             \
        h += (rolled(e, 6) ^ rolled(e, 11) ^ rolled(e, 25)) + (g ^ (e & (f ^ g))) + (added);         \
        d += h;                                                                                      \
        h += (rolled(a, 2) ^ rolled(a, 13) ^ rolled(a, 22)) + ((a & b) | (c & (a | b)));             \
    } while (0)

static void sha_block(uint32_t *state, const uint8_t *block)
{
    uint32_t w[64], v[8];
    for (int each = 0; each < 16; each++) {
        memcpy(&w[each], block + 4 * each, 4);
        w[each] = __builtin_bswap32(w[each]);
    }
    for (int each = 16; each < 64; each++) {
        uint32_t near = rolled(w[each - 15], 7) ^ rolled(w[each - 15], 18) ^ w[each - 15] >> 3;
        uint32_t far = rolled(w[each - 2], 17) ^ rolled(w[each - 2], 19) ^ w[each - 2] >> 10;
        w[each] = w[each - 16] + near + w[each - 7] + far;
    }
    memcpy(v, state, sizeof v);
    for (int each = 0; each < 64; each += 8) {
        SHA_ROUND(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], SHA_K[each] + w[each]);
        SHA_ROUND(v[7], v[0], v[1], v[2], v[3], v[4], v[5], v[6], SHA_K[each + 1] + w[each + 1]);
        SHA_ROUND(v[6], v[7], v[0], v[1], v[2], v[3], v[4], v[5], SHA_K[each + 2] + w[each + 2]);
        SHA_ROUND(v[5], v[6], v[7], v[0], v[1], v[2], v[3], v[4], SHA_K[each + 3] + w[each + 3]);
        SHA_ROUND(v[4], v[5], v[6], v[7], v[0], v[1], v[2], v[3], SHA_K[each + 4] + w[each + 4]);
        SHA_ROUND(v[3], v[4], v[5], v[6], v[7], v[0], v[1], v[2], SHA_K[each + 5] + w[each + 5]);
        SHA_ROUND(v[2], v[3], v[4], v[5], v[6], v[7], v[0], v[1], SHA_K[each + 6] + w[each + 6]);
        SHA_ROUND(v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[0], SHA_K[each + 7] + w[each + 7]);
    }
    for (int each = 0; each < 8; each++)
        state[each] += v[each];
}

static void sha256(const uint8_t *name, size_t length, uint8_t *digest)
{
    uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    uint8_t rest[128] = {0};
    size_t done = 0, left;
    for (; length - done >= 64; done += 64)
        sha_block(state, name + done);
    left = length - done;
    memcpy(rest, name + done, left);
    rest[left] = 0x80;
    size_t size = left < 56 ? 64 : 128;
    for (int byte = 0; byte < 8; byte++)
        rest[size - 1 - byte] = (uint8_t)((uint64_t)length * 8 >> 8 * byte);
    for (done = 0; done < size; done += 64)
        sha_block(state, rest + done);
    for (int word = 0; word < 8; word++) {
        uint32_t turned_word = __builtin_bswap32(state[word]);
        memcpy(digest + 4 * word, &turned_word, 4);
    }
}

/* Addresses. */

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Read "http://host" or "https://host", with a port or without; return what follows, or NULL where it is not plain. */
static const uint8_t *take_host(const uint8_t *at, const uint8_t *end, Plain *plain)
{
    size_t label = 1, length = 1;
    if (end - at < 8 || strncasecmp((const char *)at, "http", 4) != 0)
        return NULL;
    at += 4;
    at += (*at | 0x20) == 's';
    if (end - at < 4 || memcmp(at, "://", 3) != 0)
        return NULL;
    plain->host_count = 0;
    plain->hosts[plain->host_count++] = 1;
    for (at += 3; at < end && *at != '/' && *at != '?' && *at != '#' && *at != ':'; at++) {
        uint8_t c = *at;
        if (c >= 'A' && c <= 'Z')
            c |= 0x20;
        if (length > MAX_HOST)
            return NULL;
        if (c == '.') {
            if (length == label || plain->host_count == MAX_LABELS)
                return NULL;
            label = length + 1;
            plain->hosts[plain->host_count++] = label;
        } else if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_')) {
            return NULL;
        }
        plain->text[length++] = c;
        if (length - label == 4 && memcmp(plain->text + label, "xn--", 4) == 0)
            return NULL;
    }
    if (length == label || plain->text[label] < 'a' || plain->text[label] > 'z')
        return NULL; /* no host, a dot at its end, or perhaps a number */
    if (plain->host_count > 1)
        plain->host_count--; /* no top-level domain */
    plain->length = length;
    if (at < end && *at == ':') {
        unsigned port = 0, digits = 0;
        for (at++; at < end && *at >= '0' && *at <= '9' && digits < 6; at++, digits++)
            port = port * 10 + (unsigned)(*at - '0');
        if (!digits || digits > 5 || port > 65535 || (at < end && *at != '/' && *at != '?' && *at != '#'))
            return NULL;
    }
    return at;
}

/* Decode percent-escapes until none is left, as addresses.unescaped does; return the length, or -1 where not plain. */
static Py_ssize_t unescape(const uint8_t *at, const uint8_t *end, uint8_t *out)
{
    Py_ssize_t length = 0;
    for (; at < end; at++) {
        if (*at < 0x21 || *at > 0x7e || *at == '\\')
            return -1;
        out[length++] = *at;
        while (length > 2 && out[length - 3] == '%') {
            int high = hex_value(out[length - 2]), low = hex_value(out[length - 1]);
            if (high < 0 || low < 0)
                break;
            length -= 2;
            out[length - 1] = (uint8_t)(high << 4 | low);
        }
    }
    return length;
}

/* Append the decoded bytes, escaped once; return 0 where they hold a backslash. */
static int escape(const uint8_t *from, Py_ssize_t count, Plain *plain)
{
    static const char DIGITS[] = "0123456789ABCDEF";
    for (Py_ssize_t each = 0; each < count; each++) {
        uint8_t c = from[each];
        if (c == '\\')
            return 0;
        if (c < 0x21 || c > 0x7e || c == '#' || c == '%') {
            plain->text[plain->length++] = '%';
            plain->text[plain->length++] = (uint8_t)DIGITS[c >> 4];
            plain->text[plain->length++] = (uint8_t)DIGITS[c & 15];
        } else {
            plain->text[plain->length++] = c;
        }
    }
    return 1;
}

static int is_dots(const uint8_t *from, size_t count)
{
    return count == 0 || (count == 1 && from[0] == '.') || (count == 2 && from[0] == '.' && from[1] == '.');
}

/* Note where the directories of the path end; return 0 where it has empty or dot segments, or too many. */
static int split_path(const uint8_t *path, Py_ssize_t count, Plain *plain)
{
    size_t first = plain->length, begin = first + 1;
    plain->end_count = 0;
    if (count == 0)
        plain->text[plain->length++] = '/';
    else if (!escape(path, count, plain))
        return 0;
    for (size_t each = first; each < plain->length; each++) {
        if (plain->text[each] != '/')
            continue;
        if (each > first && is_dots(plain->text + begin, each - begin))
            return 0;
        begin = each + 1;
        if (plain->end_count == MAX_NAMES - 2)
            return 0;
        plain->ends[plain->end_count++] = begin;
    }
    if (begin == plain->length)
        return 1;
    plain->ends[plain->end_count++] = plain->length;
    return !is_dots(plain->text + begin, plain->length - begin);
}

/* Whether it could hold another address, by the loosest reading of addresses.nested and of filters/carriers.py. */
static int may_hold_another(const Plain *plain, size_t path, size_t query)
{
    const uint8_t *text = plain->text;
    int first_of_value = 0;
    if ((path >= 7 && memcmp(text + path - 6, "wp.com", 6) == 0) ||
        (path >= 15 && memcmp(text + path - 14, "ampproject.org", 14) == 0))
        return 1;
    for (size_t each = path + 1; each < plain->length; each++) {
        if (text[each] == '/' && (text[each - 1] == ':' || (each > query && text[each - 1] == '/')))
            return 1;
        if (each > query && text[each] == '=')
            first_of_value = 1;
        else if (text[each] == '/' || text[each] == '&' || text[each] == ';')
            first_of_value = 0;
        else if (text[each] == '.' && first_of_value)
            return 1;
    }
    return 0;
}

static int read_plain(const uint8_t *at, size_t length, Plain *plain)
{
    const uint8_t *end = at + length, *stop;
    uint8_t decoded[LONGEST];
    Py_ssize_t count;
    if (length > LONGEST)
        return 0;
    at = take_host(at, end, plain);
    if (!at)
        return 0;
    size_t path = plain->length, query;
    stop = memchr(at, '#', (size_t)(end - at));
    end = stop ? stop : end;
    stop = memchr(at, '?', (size_t)(end - at));
    stop = stop ? stop : end;
    count = unescape(at, stop, decoded);
    if (count < 0 || !split_path(decoded, count, plain))
        return 0;
    query = plain->length;
    if (stop < end && stop + 1 < end) {
        plain->text[plain->length++] = '?';
        count = unescape(stop + 1, end, decoded);
        if (count < 0 || !escape(decoded, count, plain))
            return 0;
        plain->ends[plain->end_count++] = plain->length;
    }
    plain->text[0] = '|';
    return plain->host_count * plain->end_count <= MAX_NAMES && !may_hold_another(plain, path, query);
}

/* The hashes of the names of a plain address; return how many. */
static size_t hashes_of(const Plain *plain, const Group *group, uint64_t *hashes)
{
    size_t count = 0;
    hashes[count++] = hash_of(group->state, plain->text, plain->length);
    for (size_t host = 0; host < plain->host_count; host++)
        for (size_t end = 0; end < plain->end_count; end++) {
            size_t begin = plain->hosts[host];
            hashes[count++] = hash_of(group->state, plain->text + begin, plain->ends[end] - begin);
        }
    return count;
}

/* The hashes of their names in lists that came hashed; return how many. */
static size_t digests_of(const Plain *plain, const Group *group, uint64_t *hashes)
{
    size_t count = 0;
    uint8_t message[3 + 32] = {'|', '|', '|'};
    for (size_t host = 0; host < plain->host_count; host++)
        for (size_t end = 0; end < plain->end_count; end++) {
            size_t begin = plain->hosts[host];
            sha256(plain->text + begin, plain->ends[end] - begin, message + 3);
            hashes[count++] = hash_of(group->state, message, 3 + DIGEST_BYTES);
        }
    return count;
}

/* Whether one of the hashes is in the table; -1 where the table does not fit its rows. */
static int holds(const Table *table, const uint64_t *hashes, size_t count)
{
    for (size_t each = 0; each < count; each++)
        PREFETCH(&table->starts[hashes[each] >> table->shift]);
    for (size_t each = 0; each < count; each++) {
        uint32_t start = table->starts[hashes[each] >> table->shift];
        if (start < table->row_count)
            PREFETCH(&table->rows[start]);
    }
    for (size_t each = 0; each < count; each++) {
        size_t bucket = hashes[each] >> table->shift;
        size_t row = table->starts[bucket], last = table->starts[bucket + 1];
        if (row > last || last > table->row_count)
            return -1;
        for (; row < last && table->rows[row] <= hashes[each]; row++)
            if (table->rows[row] == hashes[each])
                return 1;
    }
    return 0;
}

/* Whether a table may have an entry on the host, or a domain above it, of a plain address: urltables.may_have. */
static int may_have(const Plain *plain, const Group *group, const Table *tables)
{
    uint64_t hashes[MAX_LABELS];
    for (size_t host = 0; host < plain->host_count; host++) {
        size_t begin = plain->hosts[host];
        uint64_t hash = hash_of(group->state, plain->text + begin, plain->ends[0] - begin);
        for (size_t each = 0; each < group->table_count; each++)
            PREFETCH(tables[each].hosts + 8 * (hash >> 32 & tables[each].block_mask));
        hashes[host] = hash;
    }
    for (size_t each = 0; each < group->table_count; each++)
        for (size_t host = 0; host < plain->host_count; host++) {
            const uint64_t *block = tables[each].hosts + 8 * (hashes[host] >> 32 & tables[each].block_mask);
            uint64_t one = hashes[host] & 511, other = hashes[host] >> 9 & 511;
            if (block[one >> 6] >> (one & 63) & block[other >> 6] >> (other & 63) & 1)
                return 1;
        }
    return 0;
}

/* 1: plain and in no table; 0: to be looked at by Python; -1: a table does not fit. */
static int clear(PyObject *text, const Group *groups, size_t group_count, const Table *tables, uint64_t *hashes)
{
    Plain plain;
    if (!PyUnicode_Check(text) || !PyUnicode_IS_ASCII(text) ||
        !read_plain((const uint8_t *)PyUnicode_1BYTE_DATA(text), (size_t)PyUnicode_GET_LENGTH(text), &plain))
        return 0;
    for (size_t each = 0; each < group_count; each++) {
        const Group *group = &groups[each];
        size_t count = 0;
        if (may_have(&plain, group, tables + group->first_table))
            count = hashes_of(&plain, group, hashes);
        if (group->digests)
            count += digests_of(&plain, group, hashes + count);
        for (size_t table = 0; table < group->table_count; table++) {
            int found = holds(&tables[group->first_table + table], hashes, count);
            if (found)
                return found < 0 ? -1 : 0;
        }
    }
    return 1;
}

/* A search: what it borrows from Python objects, to be given back. */
typedef struct {
    Group groups[MAX_TABLES];
    Table tables[MAX_TABLES];
    Py_buffer buffers[3 * MAX_TABLES];
    size_t group_count, table_count, buffer_count;
    uint64_t hashes[2 * MAX_NAMES + 1];
} Search;

static int take_table(Search *search, PyObject *given)
{
    Py_buffer *buffers = &search->buffers[search->buffer_count];
    Table *table = &search->tables[search->table_count];
    size_t starts, blocks;
    if (search->table_count == MAX_TABLES) {
        PyErr_SetString(PyExc_ValueError, "there are too many tables");
        return 0;
    }
    if (!PyTuple_Check(given)) {
        PyErr_SetString(PyExc_TypeError, "a table is a tuple");
        return 0;
    }
    if (!PyArg_ParseTuple(given, "y*y*y*", &buffers[0], &buffers[1], &buffers[2]))
        return 0;
    search->buffer_count += 3;
    search->table_count++;
    starts = (size_t)buffers[1].len / sizeof(uint32_t);
    table->rows = buffers[0].buf;
    table->row_count = (size_t)buffers[0].len / sizeof(uint64_t);
    table->starts = buffers[1].buf;
    table->hosts = buffers[2].buf;
    blocks = (size_t)buffers[2].len / 64;
    table->block_mask = blocks - 1;
    table->shift = 64;
    while (starts > 2 && table->shift > 32 && ((size_t)1 << (64 - table->shift)) < starts - 1)
        table->shift--;
    if (!blocks || (blocks & (blocks - 1)) || starts < 3 || ((size_t)1 << (64 - table->shift)) != starts - 1) {
        PyErr_SetString(PyExc_ValueError, "the tables do not fit their rows");
        return 0;
    }
    return 1;
}

/* Check a key and take it; 0 and an exception where it is none. */
static int take_key_of(Group *group, const char *key, Py_ssize_t length)
{
    if (length != KEY_BYTES) {
        PyErr_SetString(PyExc_ValueError, "a key has 32 bytes");
        return 0;
    }
    take_key(group->state, (const uint8_t *)key);
    return 1;
}

static int take_group(Search *search, PyObject *given)
{
    const char *key;
    Py_ssize_t key_length;
    PyObject *tables;
    Group *group = &search->groups[search->group_count];
    if (search->group_count == MAX_TABLES) {
        PyErr_SetString(PyExc_ValueError, "there are too many keys");
        return 0;
    }
    if (!PyTuple_Check(given)) {
        PyErr_SetString(PyExc_TypeError, "a group is a tuple");
        return 0;
    }
    if (!PyArg_ParseTuple(given, "y#pO!", &key, &key_length, &group->digests, &PyTuple_Type, &tables) ||
        !take_key_of(group, key, key_length))
        return 0;
    group->first_table = search->table_count;
    group->table_count = (size_t)PyTuple_GET_SIZE(tables);
    search->group_count++;
    for (Py_ssize_t each = 0; each < PyTuple_GET_SIZE(tables); each++)
        if (!take_table(search, PyTuple_GET_ITEM(tables, each)))
            return 0;
    return 1;
}

static PyObject *look_up(Search *search, PyObject *texts)
{
    Py_ssize_t count = PyTuple_GET_SIZE(texts);
    PyObject *answer = PyBytes_FromStringAndSize(NULL, count);
    if (!answer)
        return NULL;
    for (Py_ssize_t each = 0; each < count; each++) {
        int told = clear(PyTuple_GET_ITEM(texts, each), search->groups, search->group_count, search->tables, search->hashes);
        if (told < 0) {
            Py_DECREF(answer);
            PyErr_SetString(PyExc_ValueError, "the tables do not fit their rows");
            return NULL;
        }
        PyBytes_AS_STRING(answer)[each] = (char)told;
    }
    return answer;
}

PyDoc_STRVAR(unlisted_doc, "unlisted(texts, groups)\n\n"
"Return a byte for each text: 1 where it is plain and none of its names is in a table, 0 where Python has to look.\n"
"A group is (key, digests, tables): a key of 32 bytes, whether a table has entries that came hashed, and (rows, starts,\n"
"hosts) of each table, see filters/urltables.py.");

static PyObject *unlisted(PyObject *module, PyObject *arguments)
{
    PyObject *texts, *groups, *answer = NULL;
    int taken = 1;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "O!O!", &PyTuple_Type, &texts, &PyTuple_Type, &groups))
        return NULL;
    Search *search = PyMem_Calloc(1, sizeof *search);
    if (!search)
        return PyErr_NoMemory();
    for (Py_ssize_t each = 0; taken && each < PyTuple_GET_SIZE(groups); each++)
        taken = take_group(search, PyTuple_GET_ITEM(groups, each));
    if (taken)
        answer = look_up(search, texts);
    for (size_t each = 0; each < search->buffer_count; each++)
        PyBuffer_Release(&search->buffers[each]);
    PyMem_Free(search);
    return answer;
}

PyDoc_STRVAR(hashes_doc, "hashes(text, key, digests)\n\n"
"Return the hashes of a plain address as uint64, that of its exact name first; None where it is not plain.");

static PyObject *hashes(PyObject *module, PyObject *arguments)
{
    PyObject *text, *answer;
    Plain plain;
    const char *key;
    Py_ssize_t key_length;
    Group group = {{0}};
    (void)module;
    if (!PyArg_ParseTuple(arguments, "Uy#p", &text, &key, &key_length, &group.digests) ||
        !take_key_of(&group, key, key_length))
        return NULL;
    if (!PyUnicode_IS_ASCII(text) ||
        !read_plain((const uint8_t *)PyUnicode_1BYTE_DATA(text), (size_t)PyUnicode_GET_LENGTH(text), &plain))
        Py_RETURN_NONE;
    uint64_t *found = PyMem_Malloc((2 * MAX_NAMES + 1) * sizeof *found);
    if (!found)
        return PyErr_NoMemory();
    size_t count = hashes_of(&plain, &group, found);
    if (group.digests)
        count += digests_of(&plain, &group, found + count);
    answer = PyBytes_FromStringAndSize((const char *)found, (Py_ssize_t)(count * sizeof *found));
    PyMem_Free(found);
    return answer;
}

static PyMethodDef METHODS[] = {
    {"unlisted", unlisted, METH_VARARGS, unlisted_doc},
    {"hashes", hashes, METH_VARARGS, hashes_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT, "_urls", "Plain addresses that are on no list.", -1, METHODS, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__urls(void)
{
    return PyModule_Create(&MODULE);
}
