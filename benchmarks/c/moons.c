/* The 2-16-16-1 tanh network on BATCH points: mean square error and its gradient, in one pass
   over the points; nothing is kept from one point to the next but the sums. */
#include <math.h>
#include <string.h>

#define H 16

void gradient(const double **in, double **out) {
    const double *W1 = in[0], *b1 = in[1], *W2 = in[2], *b2 = in[3], *W3 = in[4], *b3 = in[5];
    const double *X = in[6], *y = in[7];
    double dW1[2 * H] = {0}, db1[H] = {0}, dW2[H * H] = {0}, db2[H] = {0}, dW3[H] = {0}, db3 = 0;
    double total = 0;
    for (int n = 0; n < BATCH; n++) {
        double x0 = X[2 * n], x1 = X[2 * n + 1], h1[H], h2[H], d1[H], d2[H];
        for (int j = 0; j < H; j++) h1[j] = tanh(x0 * W1[j] + x1 * W1[H + j] + b1[j]);
        for (int j = 0; j < H; j++) h2[j] = b2[j];
        for (int i = 0; i < H; i++)
            for (int j = 0; j < H; j++) h2[j] += h1[i] * W2[i * H + j];
        for (int j = 0; j < H; j++) h2[j] = tanh(h2[j]);
        double error = b3[0] - y[n];
        for (int j = 0; j < H; j++) error += h2[j] * W3[j];
        total += error * error;

        double d = 2 * error / BATCH;
        db3 += d;
        for (int j = 0; j < H; j++) dW3[j] += d * h2[j];
        for (int j = 0; j < H; j++) d2[j] = d * W3[j] * (1 - h2[j] * h2[j]);
        for (int j = 0; j < H; j++) db2[j] += d2[j];
        for (int i = 0; i < H; i++) {
            double sum[4] = {0};
            for (int j = 0; j < H; j++) {
                dW2[i * H + j] += h1[i] * d2[j];
                sum[j % 4] += W2[i * H + j] * d2[j];
            }
            d1[i] = (sum[0] + sum[1] + sum[2] + sum[3]) * (1 - h1[i] * h1[i]);
        }
        for (int j = 0; j < H; j++) {
            db1[j] += d1[j];
            dW1[j] += x0 * d1[j];
            dW1[H + j] += x1 * d1[j];
        }
    }
    *out[0] = total / BATCH;
    memcpy(out[1], dW1, sizeof dW1);
    memcpy(out[2], db1, sizeof db1);
    memcpy(out[3], dW2, sizeof dW2);
    memcpy(out[4], db2, sizeof db2);
    memcpy(out[5], dW3, sizeof dW3);
    *out[6] = db3;
}
