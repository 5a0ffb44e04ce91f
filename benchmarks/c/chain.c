/* The sum of exp(tanh(x sigmoid(x))) over LENGTH floats and its gradient, on THREADS threads.
   The exponentials are polynomials inlined in the loop, unless LIBM asks for the library's. */
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#ifndef THREADS
#define THREADS 1
#endif
#define BLOCK 16

#ifdef LIBM
static inline float exponential(float x) { return expf(x); }
static inline float tangent(float x) { return tanhf(x); }
#else
/* x = n log 2 + r, |r| <= log(2) / 2: returns 2^n, and exp(r) - 1 by its series to degree 7 */
static inline float split(float x, float *rest) {
    x = x < -87.0f ? -87.0f : x > 88.0f ? 88.0f : x;
    /* adding 3 * 2^22 leaves the nearest integer in the low bits: no call, and no rounding mode */
    union { float f; int32_t i; } turn = {.f = fmaf(x, 1.44269504f, 12582912.0f)};
    int32_t n = turn.i - 0x4b400000;
    float r = fmaf((float)n, -1.42860677e-6f, fmaf((float)n, -0.693145752f, x));
    float p = 1.98412698e-4f;
    p = fmaf(p, r, 1.38888889e-3f);
    p = fmaf(p, r, 8.33333333e-3f);
    p = fmaf(p, r, 4.16666667e-2f);
    p = fmaf(p, r, 1.66666667e-1f);
    p = fmaf(p, r, 0.5f);
    *rest = fmaf(p * r, r, r);
    union { int32_t i; float f; } power = {.i = (n + 127) << 23};
    return power.f;
}
static inline float exponential(float x) {
    float rest, power = split(x, &rest);
    return fmaf(power, rest, power);
}
static inline float tangent(float x) {
    float rest, clipped = x > 10.0f ? 10.0f : x;
    float power = split(2.0f * clipped, &rest);
    float less = fmaf(power, rest, power - 1.0f);
    return less / (less + 2.0f);
}
#endif

struct part { const float *x; float *slope; int from, to; double total; };

/* always inlined, so that the size is a constant but for the last block */
static inline __attribute__((always_inline)) double block(
    const float *restrict x, float *restrict slope, int size) {
    float values[BLOCK] = {0};
    for (int j = 0; j < size; j++) {
        float now = x[j], gate = 1.0f / (1.0f + exponential(-now));
        float t = tangent(now * gate), value = exponential(t);
        values[j] = value;
        slope[j] = value * (1.0f - t * t) * gate * (1.0f + now * (1.0f - gate));
    }
    for (int step = BLOCK / 2; step; step /= 2)
        for (int j = 0; j < step; j++) values[j] += values[j + step];
    return values[0];
}

static void work(struct part *part) {
    int k = part->from;
    part->total = 0;
    for (; k + BLOCK <= part->to; k += BLOCK)
        part->total += block(part->x + k, part->slope + k, BLOCK);
    if (k < part->to) part->total += block(part->x + k, part->slope + k, part->to - k);
}

/* The workers wait between calls: a thread that is created for a millisecond often spends it on
   the core of its creator, where a waiting one wakes on an idle core. */
static struct part parts[THREADS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t posted = PTHREAD_COND_INITIALIZER, finished = PTHREAD_COND_INITIALIZER;
static int round_number, unfinished;

static void *serve(void *given) {
    struct part *part = given;
    for (int seen = 0;;) {
        pthread_mutex_lock(&lock);
        while (round_number == seen) pthread_cond_wait(&posted, &lock);
        seen = round_number;
        pthread_mutex_unlock(&lock);
        work(part);
        pthread_mutex_lock(&lock);
        if (--unfinished == 0) pthread_cond_signal(&finished);
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

static void start(void) {
    pthread_t thread;
    for (int k = 1; k < THREADS; k++) pthread_create(&thread, NULL, serve, &parts[k]);
}

void gradient(const float **in, float **out) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int size = (LENGTH / THREADS + BLOCK - 1) / BLOCK * BLOCK;
    for (int k = 0; k < THREADS; k++) {
        int to = k == THREADS - 1 ? LENGTH : (k + 1) * size;
        parts[k] = (struct part){in[0], out[1], k * size, to, 0};
    }
    pthread_once(&once, start);
    pthread_mutex_lock(&lock);
    unfinished = THREADS - 1;
    round_number++;
    pthread_cond_broadcast(&posted);
    pthread_mutex_unlock(&lock);
    work(&parts[0]);
    pthread_mutex_lock(&lock);
    while (unfinished) pthread_cond_wait(&finished, &lock);
    pthread_mutex_unlock(&lock);
    double total = 0;
    for (int k = 0; k < THREADS; k++) total += parts[k].total;
    *out[0] = (float)total;
}
