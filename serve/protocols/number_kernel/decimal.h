/* Decimal numbers, by JSON's grammar, to the double nearest to them.
 *
 * Nothing is read behind ``end``, and the last byte before it must be one that no number has.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "digits are read eight at a time, which takes a little-endian machine"
#endif

/* For what is fast only as part of the loop that calls it. */
#define INLINE static inline __attribute__((always_inline))

/* A number as it is written: digits * 10^exponent. */
struct decimal {
    uint64_t digits;
    int64_t exponent;
    bool negative, whole; /* whole: with neither a point nor an exponent */
};

#define MOST_DIGITS 19 /* that always fit into 64 bits */
#define LARGEST_TEN 22
#define LARGEST_FIVE 27

/* All powers of ten that a double holds exactly. */
static const double tens[LARGEST_TEN + 1] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};

/* All powers of five that 64 bits hold. */
static const uint64_t fives[LARGEST_FIVE + 1] = {
    1u, 5u, 25u, 125u, 625u, 3125u, 15625u, 78125u, 390625u, 1953125u, 9765625u, 48828125u,
    244140625u, 1220703125u, 6103515625u, 30517578125u, 152587890625u, 762939453125u,
    3814697265625u, 19073486328125u, 95367431640625u, 476837158203125u, 2384185791015625u,
    11920928955078125u, 59604644775390625u, 298023223876953125u, 1490116119384765625u,
    7450580596923828125u,
};

INLINE uint64_t load_eight(const char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

INLINE bool is_digit(char c) { return (unsigned char)(c - '0') < 10; }

/* The number that eight bytes from 0 to 9 spell, by three multiplications. */
INLINE uint64_t spelled(uint64_t bytes)
{
    bytes = bytes * 10 + (bytes >> 8);
    return ((bytes & 0x000000ff000000ff) * 0x000f424000000064 +
            (bytes >> 16 & 0x000000ff000000ff) * 0x0000271000000001) >> 32;
}

/* Marks what is no digit, of bytes from which '0' was taken: its high bit is set. Only the first is
 * sure to be right, and the second where the first is ASCII. */
INLINE uint64_t mark_others(uint64_t bytes)
{
    return ((bytes + 0x7676767676767676) | bytes) & 0x8080808080808080;
}

/* Appends all digits at ``p`` to a number, which may overflow; returns what follows them. */
INLINE const char *read_digits(const char *p, const char *end, uint64_t *number)
{
    while (end - p >= 8) {
        uint64_t bytes = load_eight(p) ^ 0x3030303030303030;
        uint64_t others = mark_others(bytes);
        if (others) {
            int count = __builtin_ctzll(others) / 8;
            if (count)
                *number = *number * (fives[count] << count) + spelled(bytes << (64 - 8 * count));
            return p + count;
        }
        *number = *number * 100000000 + spelled(bytes);
        p += 8;
    }
    for (; is_digit(*p); p++)
        *number = *number * 10 + (uint64_t)(*p - '0');
    return p;
}

/* Reads a number with a point from nine bytes, without a branch on where that is; NULL where it is
 * longer, or no such number. */
INLINE const char *read_short(const char *p, struct decimal *decimal)
{
    decimal->negative = *p == '-';
    decimal->whole = false;
    p += decimal->negative;
    uint64_t bytes = load_eight(p) ^ 0x3030303030303030;
    uint64_t others = mark_others(bytes);
    uint64_t after = others & (others - 1);
    if (after == 0)
        return NULL;
    int point = __builtin_ctzll(others) / 8, end = __builtin_ctzll(after) / 8;
    bool leading_zero = (bytes & 0xff) == 0 && point > 1;
    if (point == 0 || p[point] != '.' || end == point + 1 || leading_zero || (p[end] | 32) == 'e')
        return NULL;
    uint64_t whole = bytes & (((uint64_t)1 << 8 * point) - 1);
    uint64_t fraction = bytes >> 8 * (point + 1) << 8 * point;
    decimal->digits = spelled((whole | fraction) << (72 - 8 * end));
    decimal->exponent = point + 1 - end;
    return p + end;
}

/* A whole number of one to three digits, among the eight bytes that it was read from. */
struct small {
    int64_t number;
    int end;    /* the place of the byte behind it */
    bool taken; /* false where it is another number, or no comma follows */
};

#define LARGEST_SMALL 999

/* Reads what stands from ``start`` to the first of the marks, without a branch on its length. */
INLINE struct small read_small(uint64_t text, uint64_t bytes, uint64_t others, int start)
{
    int end = __builtin_ctzll(others) / 8, count = end - start;
    uint64_t digits = bytes >> 8 * start;
    uint64_t last = digits << 8 << (56 - 8 * (count & 3)) >> 40; /* a byte for each digit */
    bool leading_zero = (digits & 0xff) == 0 && count > 1;
    bool comma = (text >> 8 * end & 0xff) == ',';
    return (struct small){
        .number = (int64_t)((last & 0xff) * 100 + (last >> 8 & 0xff) * 10 + (last >> 16)),
        .end = end,
        .taken = count >= 1 && count <= 3 && !leading_zero && comma,
    };
}

/* Reads one number; returns what follows it, or NULL where there is none, or a longer one. */
INLINE const char *read_decimal(const char *p, const char *end, struct decimal *decimal)
{
    uint64_t digits = 0;
    int64_t exponent = 0;
    decimal->negative = *p == '-';
    decimal->whole = true;
    p += decimal->negative;
    const char *first = p;
    for (; is_digit(*p); p++) /* most have few before the point */
        digits = digits * 10 + (uint64_t)(*p - '0');
    ptrdiff_t count = p - first;
    if (count == 0 || (*first == '0' && count > 1))
        return NULL;
    if (*p == '.') {
        const char *point = ++p;
        p = read_digits(p, end, &digits);
        if (p == point)
            return NULL;
        decimal->whole = false;
        exponent = point - p;
        count += p - point;
    }
    if (count > MOST_DIGITS) {
        for (; *first == '0' || *first == '.'; first++) /* which do not count */
            count -= *first == '0';
        if (count > MOST_DIGITS)
            return NULL;
    }
    if (*p == 'e' || *p == 'E') {
        p++;
        bool down = *p == '-';
        p += down || *p == '+';
        if (!is_digit(*p))
            return NULL;
        int64_t power = 0;
        for (; is_digit(*p); p++)
            if ((power = power * 10 + (*p - '0')) > 999)
                return NULL;
        decimal->whole = false;
        exponent += down ? -power : power;
    }
    decimal->digits = digits;
    decimal->exponent = exponent;
    return p;
}

/* The double nearest to digits * 10^exponent, in integers of 128 bits, which are rounded once.
 * ``digits`` is not 0, and no exponent is beyond LARGEST_FIVE. */
static double nearest(uint64_t digits, int exponent)
{
    uint64_t five = fives[exponent < 0 ? -exponent : exponent], top;
    int shift = __builtin_clzll(digits), five_shift = __builtin_clzll(five), scale;
    digits <<= shift;
    five <<= five_shift;
    if (exponent < 0) {
        unsigned __int128 dividend = (unsigned __int128)digits << 63;
        top = (uint64_t)(dividend / five);
        top |= (unsigned __int128)top * five != dividend; /* a remainder: no tie */
        scale = exponent + five_shift - shift - 63;
    } else {
        unsigned __int128 product = (unsigned __int128)digits * five;
        top = (uint64_t)(product >> 64);
        top |= (uint64_t)product != 0;
        scale = exponent - five_shift - shift + 64;
    }
    uint64_t bits = (uint64_t)(1023 + scale) << 52; /* of 2^scale, which is far from both ends */
    double power;
    memcpy(&power, &bits, sizeof power);
    return (double)top * power; /* top has 62 bits or more: this rounds it, and nothing else */
}

/* Gives the double nearest to a decimal; false where that takes more than is here. */
INLINE bool to_double(const struct decimal *decimal, double *value)
{
    const uint64_t digits = decimal->digits;
    const int64_t exponent = decimal->exponent;
    double found;
    if (digits > INT64_MAX)
        return false;
    if (decimal->whole) { /* an integer, so that -0 is 0 */
        *value = (double)(decimal->negative ? -(int64_t)digits : (int64_t)digits);
        return true;
    }
    if (digits == 0)
        found = 0;
    else if (exponent < -LARGEST_FIVE || exponent > LARGEST_FIVE)
        return false;
    else if (digits > (uint64_t)1 << 53 || exponent < -LARGEST_TEN || exponent > LARGEST_TEN)
        found = nearest(digits, (int)exponent);
    else if (exponent < 0) /* of two exact doubles (Clinger 1990) */
        found = (double)(int64_t)digits / tens[-exponent];
    else
        found = (double)(int64_t)digits * tens[exponent];
    uint64_t bits;
    memcpy(&bits, &found, sizeof bits);
    bits |= (uint64_t)decimal->negative << 63; /* for a branch on signs is mispredicted */
    memcpy(value, &bits, sizeof bits);
    return true;
}
