/* The Gaussian mixture of ADBench, D dimensions, K components: value and gradient, one pass over
   the points. Points go in blocks of B, innermost, so that every loop is over whole vectors, and
   a sum over a block keeps V partial sums. */
#include <math.h>
#include <string.h>

#define PACKED (D * (D + 1) / 2)
#define B (D * K < 1600 ? 64 : 32)
#define V 8

static double centred[K][D][B], whitened[K][D][B], main_term[K][B];
static double Q[K][D][D], dQ[K][D][D];

static double log_sum_exp(const double *values, double *weights) {
    double top = values[0], total = 0;
    for (int k = 1; k < K; k++) top = values[k] > top ? values[k] : top;
    for (int k = 0; k < K; k++) total += weights[k] = exp(values[k] - top);
    for (int k = 0; k < K; k++) weights[k] /= total;
    return top + log(total);
}

static inline double dot(const double *restrict a, const double *restrict b) {
    double sum[V] = {0};
    for (int q = 0; q < B; q += V)
        for (int p = 0; p < V; p++) sum[p] += a[q + p] * b[q + p];
    return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
}

static void forward(int k, double points[D][B], const double *means, double base) {
    double squares[B] = {0};
    for (int i = 0; i < D; i++)
        for (int p = 0; p < B; p++) centred[k][i][p] = points[i][p] - means[i];
    for (int j = 0; j < D; j++) {
        double sum[B] = {0};
        for (int i = 0; i <= j; i++)
            for (int p = 0; p < B; p++) sum[p] += Q[k][j][i] * centred[k][i][p];
        for (int p = 0; p < B; p++) squares[p] += sum[p] * sum[p];
        memcpy(whitened[k][j], sum, sizeof sum);
    }
    for (int p = 0; p < B; p++) main_term[k][p] = base - 0.5 * squares[p];
}

static void backward(int k, const double *restrict w, double *restrict dmeans) {
    static double back[D][B];
    memset(back, 0, sizeof back);
    for (int j = 0; j < D; j++) {
        double g[B];
        for (int p = 0; p < B; p++) g[p] = -w[p] * whitened[k][j][p];
        for (int i = 0; i <= j; i++) {
            for (int p = 0; p < B; p++) back[i][p] += Q[k][j][i] * g[p];
            dQ[k][j][i] += dot(g, centred[k][i]);
        }
    }
    for (int i = 0; i < D; i++)
        for (int p = 0; p < B; p++) dmeans[i] -= back[i][p];
}

void gradient(const double **in, double **out) {
    const double *alphas = in[0], *means = in[1], *icf = in[2], *x = in[3];
    double *dalphas = out[1], *dmeans = out[2], *dicf = out[3];
    double value = *in[4], base[K], share[K], weights[K];
    memset(dalphas, 0, K * sizeof(double));
    memset(dmeans, 0, K * D * sizeof(double));
    memset(dQ, 0, sizeof dQ);
    for (int k = 0; k < K; k++) {
        const double *packed = icf + k * PACKED, *below = packed + D;
        base[k] = alphas[k];
        for (int i = 0; i < D; i++) {
            base[k] += packed[i];
            Q[k][i][i] = exp(packed[i]);
            value += 0.5 * Q[k][i][i] * Q[k][i][i];
            for (int j = i + 1; j < D; j++) Q[k][j][i] = *below++;
        }
        for (int i = D; i < PACKED; i++) value += 0.5 * packed[i] * packed[i];
    }
    for (int n = 0; n < POINTS; n += B) {
        int size = POINTS - n < B ? POINTS - n : B;
        static double points[D][B], w[K][B];
        memset(points, 0, sizeof points);
        for (int p = 0; p < size; p++)
            for (int i = 0; i < D; i++) points[i][p] = x[(n + p) * D + i];
        for (int k = 0; k < K; k++) forward(k, points, means + k * D, base[k]);
        double top[B], total[B] = {0};
        memcpy(top, main_term[0], sizeof top);
        for (int k = 1; k < K; k++)
            for (int p = 0; p < B; p++)
                top[p] = main_term[k][p] > top[p] ? main_term[k][p] : top[p];
        for (int k = 0; k < K; k++)
            for (int p = 0; p < B; p++) total[p] += w[k][p] = exp(main_term[k][p] - top[p]);
        for (int p = 0; p < size; p++) value += top[p] + log(total[p]);
        for (int k = 0; k < K; k++) {
            for (int p = 0; p < B; p++) w[k][p] = p < size ? w[k][p] / total[p] : 0;
            for (int p = 0; p < B; p++) dalphas[k] += w[k][p];
            backward(k, w[k], dmeans + k * D);
        }
    }
    value -= POINTS * log_sum_exp(alphas, share);
    for (int k = 0; k < K; k++) {
        const double *packed = icf + k * PACKED;
        double *slope = dicf + k * PACKED, *below = slope + D;
        weights[k] = dalphas[k];
        dalphas[k] -= POINTS * share[k];
        for (int i = 0; i < D; i++) {
            slope[i] = weights[k] + Q[k][i][i] * (dQ[k][i][i] + Q[k][i][i]);
            for (int j = i + 1; j < D; j++) *below++ = dQ[k][j][i];
        }
        for (int i = D; i < PACKED; i++) slope[i] += packed[i];
    }
    *out[0] = value;
}
