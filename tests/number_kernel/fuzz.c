/* For libFuzzer: any bytes as a document, into buffers that are as small as they may be.
 *
 * Beside what the sanitizers find, each number that is taken is compared with strtod's, and the
 * remainder with the document: they may differ only in the arrays that were taken.
 */

#include <math.h>
#include <stdlib.h>

#include "../../serve/protocols/number_kernel/kernel.c"

static const size_t sizes[] = {4, 8, 1, 2, 4, 8, 1, 2, 4, 8};

static void require(bool condition)
{
    if (!condition)
        abort();
}

static double stored(const void *numbers, size_t at, uint64_t dtype)
{
    switch ((enum dtype)dtype) {
    case F32: return ((const float *)numbers)[at];
    case F64: return ((const double *)numbers)[at];
    case I8: return ((const int8_t *)numbers)[at];
    case I16: return ((const int16_t *)numbers)[at];
    case I32: return ((const int32_t *)numbers)[at];
    case I64: return (double)((const int64_t *)numbers)[at];
    case U8: return ((const uint8_t *)numbers)[at];
    case U16: return ((const uint16_t *)numbers)[at];
    case U32: return ((const uint32_t *)numbers)[at];
    case U64: return (double)((const uint64_t *)numbers)[at];
    }
    return NAN;
}

/* Compares the numbers of one array, from behind its bracket; returns its end. */
static const char *compare_array(const char *p, const struct task *task, size_t *at,
                                 uint64_t dtype)
{
    for (size_t index = 0; index < task->width; index++) {
        char *next;
        double expected = strtod(p, &next);
        if (dtype == F32)
            expected = (double)(float)expected;
        require(next != p && *at < task->count);
        require(stored(task->numbers, (*at)++, dtype) == expected);
        p = skip_space(next);
        require(*p == (index + 1 < task->width ? ',' : ']'));
        p += *p == ',';
    }
    return p;
}

static void compare(const char *body, const struct task *task, uint64_t kept, uint64_t dtype)
{
    const char *p = body;
    size_t at = 0;
    for (uint64_t index = 0; index < kept; index++) {
        char c = task->remainder[index];
        require(*p++ == c);
        if (c == '"') { /* brackets in a string are no arrays */
            while (task->remainder[++index] != '"')
                require(*p++ == task->remainder[index]);
            require(*p++ == '"');
        } else if (c == '[' && task->remainder[index + 1] == ']') {
            p = compare_array(p, task, &at, dtype);
        }
    }
    while (is_space(*p))
        p++;
    require(*p == '\0' && at == task->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4)
        return -1;
    struct plan plan = {
        .dtype = data[0] % 10,
        .low = data[1] & 1 ? 0 : -1e30,
        .high = data[1] & 2 ? 255 : 1e30,
        .width = data[2] % 32 + 1,
        .side = data[2] / 32,
        .row = data[1] & 4 ? plan.width * 2 : 0,
    };
    static const int64_t least[] = {0, 0, INT8_MIN, INT16_MIN, INT32_MIN, INT64_MIN};
    static const int64_t most[] = {0,         0,         INT8_MAX,   INT16_MAX,  INT32_MAX,
                                   INT64_MAX, UINT8_MAX, UINT16_MAX, UINT32_MAX, INT64_MAX};
    plan.whole_low = data[1] & 8 || plan.dtype >= U8 ? 0 : least[plan.dtype];
    plan.whole_high = data[1] & 16 ? 100 : most[plan.dtype];
    struct task task = {
        .most_numbers = data[3] % 128,
        .most_remainder = data[3] & 128 ? size : data[3],
    };
    size -= 4;
    char *body = malloc(size ? size : 1); /* of exactly its length, so that ASan sees its end */
    memcpy(body, data + 4, size);
    task.numbers = malloc(task.most_numbers * sizes[plan.dtype] + 1);
    task.remainder = malloc(task.most_remainder + 1);
    uint64_t kept = extract_numbers(body, size, &plan, &task);
    require(kept <= task.most_remainder && task.count <= task.most_numbers);
    if (kept) {
        char *text = calloc(size + 1, 1); /* strtod needs an end */
        memcpy(text, body, size);
        compare(text, &task, kept, plan.dtype);
        free(text);
    }
    free(body);
    free(task.numbers);
    free(task.remainder);
    return 0;
}
