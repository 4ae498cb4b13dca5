/* Takes the numbers out of a JSON document, in one pass, into the dtype of a model's input.
 *
 * The document is copied without them: an array of numbers that is as long as those of the input
 * becomes [], and the rest stays as it is. Whether that is JSON, and what it means, is for a JSON
 * parser to say; nothing here looks at keys, braces or nesting. What is unusual, or can't be had
 * in the dtype and the range, is declined as a whole.
 */

#include "decimal.h"

enum dtype { F32, F64, I8, I16, I32, I64, U8, U16, U32, U64 };

/* What an input takes. extract.py has the same. */
struct plan {
    uint64_t dtype;
    double low, high;              /* bounds of floats, as the dtype has them; finite */
    int64_t whole_low, whole_high; /* bounds of integers, which the dtype holds */
    uint64_t width;                /* length of an innermost array */
    uint64_t side;                 /* another length that it may have, or 0 */
    uint64_t row;                  /* a flat array may hold several of so many values; or 0 */
};

/* Where the numbers and the rest go, and what came of it. extract.py has the same. */
struct task {
    void *numbers;
    uint64_t most_numbers;
    char *remainder;
    uint64_t most_remainder;
    uint64_t count; /* of numbers */
    uint64_t width; /* length of every array that was taken */
};

/* An array of numbers, as it was read. */
struct array {
    size_t count;
    bool fits; /* does the input take every number? */
};

/* An array right after a key that is no longer than this may be a shape, and is not taken. */
#define MOST_DIMENSIONS 8

INLINE bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

/* Like all that reads on without asking for the end, it stops at the document's last brace. */
INLINE const char *skip_space(const char *p)
{
    while (is_space(*p))
        p++;
    return p;
}

INLINE void store(void *numbers, size_t at, enum dtype dtype, int64_t whole, double value)
{
    switch (dtype) {
    case F32: ((float *)numbers)[at] = (float)value; break;
    case F64: ((double *)numbers)[at] = value; break;
    case I8: ((int8_t *)numbers)[at] = (int8_t)whole; break;
    case I16: ((int16_t *)numbers)[at] = (int16_t)whole; break;
    case I32: ((int32_t *)numbers)[at] = (int32_t)whole; break;
    case I64: ((int64_t *)numbers)[at] = whole; break;
    case U8: ((uint8_t *)numbers)[at] = (uint8_t)whole; break;
    case U16: ((uint16_t *)numbers)[at] = (uint16_t)whole; break;
    case U32: ((uint32_t *)numbers)[at] = (uint32_t)whole; break;
    case U64: ((uint64_t *)numbers)[at] = (uint64_t)whole; break;
    }
}

INLINE bool is_float(enum dtype dtype) { return dtype == F32 || dtype == F64; }

INLINE bool is_within(const struct plan *plan, enum dtype dtype, int64_t whole, double value)
{
    if (is_float(dtype))
        return plan->low <= value && value <= plan->high;
    return plan->whole_low <= whole && whole <= plan->whole_high;
}

/* Stores a number of whatever form; false where the input does not take it. */
INLINE bool store_decimal(void *numbers, size_t at, enum dtype dtype,
                          const struct decimal *decimal, const struct plan *plan)
{
    int64_t whole = 0;
    double value = 0;
    if (is_float(dtype)) {
        if (!to_double(decimal, &value))
            return false;
        value = dtype == F32 ? (double)(float)value : value;
    } else {
        if (!decimal->whole || decimal->digits > INT64_MAX)
            return false;
        whole = decimal->negative ? -(int64_t)decimal->digits : (int64_t)decimal->digits;
    }
    store(numbers, at, dtype, whole, value);
    return is_within(plan, dtype, whole, value);
}

/* Which small numbers an input takes, in integers also where it takes floats. */
struct bounds {
    int64_t low, high;
};

INLINE struct bounds small_bounds(const struct plan *plan, enum dtype dtype)
{
    if (!is_float(dtype))
        return (struct bounds){plan->whole_low, plan->whole_high};
    if (plan->low > LARGEST_SMALL || plan->high < 0)
        return (struct bounds){1, 0};
    int64_t low = plan->low <= 0 ? 0 : (int64_t)plan->low;
    int64_t high = plan->high > LARGEST_SMALL ? LARGEST_SMALL : (int64_t)plan->high;
    return (struct bounds){(double)low < plan->low ? low + 1 : low, high};
}

#define FOUR_ZEROS 0x2c302c302c302c30 /* "0,0,0,0," */
/* Is there room for more than any of the short ways reads or stores? */
#define HAS_ROOM (end - p >= 16 && most - at >= 4)

#define STORE_ZEROS(count)                                                                         \
    for (int i = 0; i < (count); i++)                                                              \
        store(numbers, at + (size_t)i, dtype, 0, 0)

/* Stores a run of zeros at once, if it stands there, and goes on in the loop that it is used in. */
#define TAKE_ZEROS(text, count)                                                                    \
    if (memcmp(p, text, sizeof text - 1) == 0) {                                                   \
        STORE_ZEROS(count);                                                                        \
        at += count, p += sizeof text - 1;                                                         \
        continue;                                                                                  \
    }

/* Reads an array from its first number on; returns what follows it, or NULL. Inlined with a
 * constant dtype, it has a loop for each. */
INLINE const char *read_array(const char *p, const char *end, void *numbers, size_t most,
                              struct array *array, const struct plan *plan, enum dtype dtype)
{
    const bool zero = is_within(plan, dtype, 0, 0);
    const struct bounds bounds = small_bounds(plan, dtype);
    bool fits = true, whole = true; /* whole: is a number with a point not expected? */
    size_t at = 0;
    for (;;) {
        while (whole && HAS_ROOM) {
            uint64_t text = load_eight(p);
            if (zero && text == FOUR_ZEROS) {
                do {
                    STORE_ZEROS(4);
                    at += 4, p += 8;
                    if (!HAS_ROOM)
                        break;
                    text = load_eight(p);
                } while (text == FOUR_ZEROS);
                if (!HAS_ROOM)
                    break;
                /* No branch on the length of a run: zeros beyond it are stored over. */
                int rest = __builtin_ctzll(text ^ FOUR_ZEROS) / 16;
                STORE_ZEROS(4);
                at += (size_t)rest, p += 2 * rest;
                continue;
            }
            if (zero)
                TAKE_ZEROS("0, 0, 0, 0, ", 4)
            uint64_t bytes = text ^ 0x3030303030303030;
            uint64_t others = mark_others(bytes), after = others & (others - 1);
            if (after == 0)
                break;
            struct small first = read_small(text, bytes, others, 0);
            if (!first.taken)
                break;
            struct small second = read_small(text, bytes, after, first.end + 1);
            fits &= bounds.low <= first.number && first.number <= bounds.high;
            store(numbers, at++, dtype, first.number, (double)first.number);
            if (second.taken) {
                fits &= bounds.low <= second.number && second.number <= bounds.high;
                store(numbers, at++, dtype, second.number, (double)second.number);
            }
            p += (second.taken ? second.end : first.end) + 1;
            p += *p == ' ';
        }
        if (is_float(dtype) && zero && HAS_ROOM) {
            TAKE_ZEROS("0.0,0.0,", 2)
            TAKE_ZEROS("0.0, 0.0, ", 2)
        }
        struct decimal decimal;
        if (at == most)
            return NULL;
        p = skip_space(p);
        const char *next = NULL;
        if (is_float(dtype) && !whole && end - p >= 9)
            next = read_short(p, &decimal);
        p = next ? next : read_decimal(p, end, &decimal);
        if (p == NULL)
            return NULL;
        whole = decimal.whole;
        fits &= store_decimal(numbers, at++, dtype, &decimal, plan);
        p = skip_space(p);
        if (*p == ']') {
            *array = (struct array){at, fits};
            return p + 1;
        }
        if (*p++ != ',')
            return NULL;
    }
}

/* As read_array, behind the numbers that the task has already. */
static const char *read_numbers(const char *p, const char *end, const struct plan *plan,
                                const struct task *task, struct array *array)
{
    const size_t most = task->most_numbers - task->count;
#define READ(dtype, type)                                                                          \
    case dtype:                                                                                    \
        return read_array(p, end, (type *)task->numbers + task->count, most, array, plan, dtype)
    switch ((enum dtype)plan->dtype) {
        READ(F32, float);
        READ(F64, double);
        READ(I8, int8_t);
        READ(I16, int16_t);
        READ(I32, int32_t);
        READ(I64, int64_t);
        READ(U8, uint8_t);
        READ(U16, uint16_t);
        READ(U32, uint32_t);
        READ(U64, uint64_t);
    }
    return NULL;
}

/* Is an array of so many numbers, whose bracket is at ``bracket``, one of the input's? */
static bool is_wanted(const char *body, const char *bracket, size_t count, const struct plan *plan)
{
    while (bracket > body && is_space(bracket[-1]))
        bracket--;
    bool keyed = bracket > body && bracket[-1] == ':';
    if (keyed && count <= MOST_DIMENSIONS)
        return false;
    if (keyed && plan->row && count % plan->row == 0)
        return true;
    return count == plan->width || count == plan->side;
}

/* Copies the text up to ``to`` into the remainder; false where there is no room for it. */
static bool keep(const char *from, const char *to, const struct task *task, size_t *kept)
{
    size_t size = (size_t)(to - from);
    if (size > task->most_remainder - *kept)
        return false;
    memcpy(task->remainder + *kept, from, size);
    *kept += size;
    return true;
}

/* Returns the length of the remainder, or 0 where the document is declined. */
uint64_t extract_numbers(const char *body, uint64_t length, const struct plan *plan,
                         struct task *task)
{
    const char *p = body, *from = body, *end = body + length;
    size_t kept = 0;
    task->count = task->width = 0;
    while (end > body && is_space(end[-1]))
        end--;
    if (end == body || end[-1] != '}')
        return 0;
    while (p < end) {
        if (*p == '"') {
            const char *quote = memchr(p + 1, '"', (size_t)(end - p - 1));
            if (quote == NULL || memchr(p, '\\', (size_t)(quote - p)))
                return 0;
            p = quote + 1;
            continue;
        }
        if (*p++ != '[')
            continue;
        const char *first = skip_space(p);
        if (*first == ']') /* in the remainder it would pass for one that was taken */
            return 0;
        if (!is_digit(*first) && *first != '-')
            continue;
        struct array array;
        const char *next = read_numbers(first, end, plan, task, &array);
        if (next == NULL)
            return 0;
        if (is_wanted(body, p - 1, array.count, plan)) {
            bool even = task->width == 0 || task->width == array.count;
            if (!array.fits || !even || !keep(from, p, task, &kept))
                return 0;
            from = next - 1; /* the closing bracket */
            task->width = array.count;
            task->count += array.count;
        }
        p = next;
    }
    return task->count && keep(from, end, task, &kept) ? kept : 0;
}
