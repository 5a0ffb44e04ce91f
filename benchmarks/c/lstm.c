/* The LSTM of ADBench over STEPS characters: forward with everything kept, then backward. */
#include <math.h>
#include <string.h>

#define L 2
#define W 14

struct kept { double x[W], forget[W], enter[W], leave[W], change[W], cell[W], squashed[W]; };
static struct kept kept[STEPS][L];
static double hidden[STEPS + 1][L][W], cells[STEPS + 1][L][W], share[STEPS][W];

static inline double sigmoid(double x) { return 1 / (1 + exp(-x)); }

void gradient(const double **in, double **out) {
    const double *main_ = in[0], *ends = in[1], *start = in[2], *text = in[3];
    double dmain[2 * L * 4 * W] = {0}, dends[3 * W] = {0}, total = 0;
    for (int l = 0; l < L; l++) {
        memcpy(hidden[0][l], start + 2 * l * W, W * sizeof(double));
        memcpy(cells[0][l], start + (2 * l + 1) * W, W * sizeof(double));
    }
    for (int t = 0; t < STEPS; t++) {
        const double *gold = text + (t + 1) * W;
        double x[W], scores[W], sum = 2, said = 0;
        for (int j = 0; j < W; j++) x[j] = text[t * W + j] * ends[j];
        for (int l = 0; l < L; l++) {
            struct kept *k = &kept[t][l];
            const double *w = main_ + 8 * l * W, *b = w + 4 * W, *h = hidden[t][l];
            memcpy(k->x, x, sizeof x);
            for (int j = 0; j < W; j++) k->forget[j] = sigmoid(x[j] * w[j] + b[j]);
            for (int j = 0; j < W; j++) k->enter[j] = sigmoid(h[j] * w[W + j] + b[W + j]);
            for (int j = 0; j < W; j++) k->leave[j] = sigmoid(x[j] * w[2 * W + j] + b[2 * W + j]);
            for (int j = 0; j < W; j++) k->change[j] = tanh(h[j] * w[3 * W + j] + b[3 * W + j]);
            for (int j = 0; j < W; j++)
                cells[t + 1][l][j] = cells[t][l][j] * k->forget[j] + k->enter[j] * k->change[j];
            for (int j = 0; j < W; j++) k->squashed[j] = tanh(cells[t + 1][l][j]);
            for (int j = 0; j < W; j++) x[j] = hidden[t + 1][l][j] = k->leave[j] * k->squashed[j];
        }
        for (int j = 0; j < W; j++) scores[j] = x[j] * ends[W + j] + ends[2 * W + j];
        for (int j = 0; j < W; j++) share[t][j] = exp(scores[j]);
        for (int j = 0; j < W; j++) sum += share[t][j];
        for (int j = 0; j < W; j++) share[t][j] /= sum;
        for (int j = 0; j < W; j++) said += gold[j] * scores[j];
        double all = 0;
        for (int j = 0; j < W; j++) all += gold[j];
        total += said - all * log(sum);
    }
    const double scale = -1.0 / (STEPS * W);
    double dh[L][W] = {{0}}, dc[L][W] = {{0}};
    for (int t = STEPS - 1; t >= 0; t--) {
        const double *gold = text + (t + 1) * W;
        double dx[W], all = 0;
        for (int j = 0; j < W; j++) all += gold[j];
        for (int j = 0; j < W; j++) {
            double d = scale * (gold[j] - all * share[t][j]);
            dends[W + j] += d * hidden[t + 1][L - 1][j];
            dends[2 * W + j] += d;
            dx[j] = d * ends[W + j];
        }
        for (int l = L - 1; l >= 0; l--) {
            struct kept *k = &kept[t][l];
            const double *w = main_ + 8 * l * W, *h = hidden[t][l], *cell = cells[t][l];
            double *dw = dmain + 8 * l * W, *db = dw + 4 * W;
            for (int j = 0; j < W; j++) {
                double g = dx[j] + dh[l][j], s = k->squashed[j];
                double back = dc[l][j] + g * k->leave[j] * (1 - s * s);
                double f = back * cell[j] * k->forget[j] * (1 - k->forget[j]);
                double e = back * k->change[j] * k->enter[j] * (1 - k->enter[j]);
                double o = g * s * k->leave[j] * (1 - k->leave[j]);
                double c = back * k->enter[j] * (1 - k->change[j] * k->change[j]);
                dc[l][j] = back * k->forget[j];
                dw[j] += f * k->x[j];
                dw[W + j] += e * h[j];
                dw[2 * W + j] += o * k->x[j];
                dw[3 * W + j] += c * h[j];
                db[j] += f;
                db[W + j] += e;
                db[2 * W + j] += o;
                db[3 * W + j] += c;
                dx[j] = f * w[j] + o * w[2 * W + j];
                dh[l][j] = e * w[W + j] + c * w[3 * W + j];
            }
        }
        for (int j = 0; j < W; j++) dends[j] += dx[j] * text[t * W + j];
    }
    *out[0] = total * scale;
    memcpy(out[1], dmain, sizeof dmain);
    memcpy(out[2], dends, sizeof dends);
}
