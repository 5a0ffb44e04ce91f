/* The sum of squared residuals of bundle adjustment and its gradient, one observation at a time,
   each forward and backward while its numbers are at hand. */
#include <math.h>
#include <stdint.h>
#include <string.h>

void gradient(const void **in, double **out) {
    const double *cameras = in[0], *points = in[1], *weights = in[2], *seen = in[5];
    const int64_t *by = in[3], *what = in[4];
    double *dcameras = out[1], *dpoints = out[2], *dweights = out[3], total = 0;
    memset(dcameras, 0, CAMERAS * 11 * sizeof(double));
    memset(dpoints, 0, POINTS * 3 * sizeof(double));
    for (int n = 0; n < SEEN; n++) {
        const double *c = cameras + 11 * by[n], *at = points + 3 * what[n];
        double w = weights[n], a[3], p[3], m[3];
        double angle = sqrt(c[0] * c[0] + c[1] * c[1] + c[2] * c[2]);
        double cosine = cos(angle), sine = sin(angle);
        for (int i = 0; i < 3; i++) a[i] = c[i] / angle;
        for (int i = 0; i < 3; i++) p[i] = at[i] - c[3 + i];
        double dot = a[0] * p[0] + a[1] * p[1] + a[2] * p[2];
        double x[3] = {a[1] * p[2] - a[2] * p[1], a[2] * p[0] - a[0] * p[2],
                       a[0] * p[1] - a[1] * p[0]};
        for (int i = 0; i < 3; i++)
            m[i] = p[i] * cosine + x[i] * sine + a[i] * dot * (1 - cosine);
        double u = m[0] / m[2], v = m[1] / m[2], r2 = u * u + v * v;
        double bend = 1 + c[9] * r2 + c[10] * r2 * r2;
        double e0 = c[6] * u * bend + c[7] - seen[2 * n];
        double e1 = c[6] * v * bend + c[8] - seen[2 * n + 1];
        double slack = 1 - w * w;
        total += w * w * (e0 * e0 + e1 * e1) + slack * slack;

        dweights[n] = 2 * w * (e0 * e0 + e1 * e1) - 4 * w * slack;
        double g0 = 2 * w * w * e0, g1 = 2 * w * w * e1;
        double *dc = dcameras + 11 * by[n], *dat = dpoints + 3 * what[n];
        double through = c[6] * (g0 * u + g1 * v);
        dc[6] += (g0 * u + g1 * v) * bend;
        dc[7] += g0;
        dc[8] += g1;
        dc[9] += through * r2;
        dc[10] += through * r2 * r2;
        double dr2 = through * (c[9] + 2 * c[10] * r2);
        double du = g0 * c[6] * bend + 2 * u * dr2, dv = g1 * c[6] * bend + 2 * v * dr2;
        double g[3] = {du / m[2], dv / m[2], -(du * u + dv * v) / m[2]};

        double ga = g[0] * a[0] + g[1] * a[1] + g[2] * a[2];
        double gp = g[0] * p[0] + g[1] * p[1] + g[2] * p[2];
        double gx = g[0] * x[0] + g[1] * x[1] + g[2] * x[2];
        double dangle = -sine * gp + cosine * gx + sine * dot * ga;
        double da[3], side = 1 - cosine, along = 0;
        double pg[3] = {p[1] * g[2] - p[2] * g[1], p[2] * g[0] - p[0] * g[2],
                        p[0] * g[1] - p[1] * g[0]};
        double gxa[3] = {g[1] * a[2] - g[2] * a[1], g[2] * a[0] - g[0] * a[2],
                         g[0] * a[1] - g[1] * a[0]};
        for (int i = 0; i < 3; i++) {
            double dp = g[i] * cosine + gxa[i] * sine + ga * side * a[i];
            dat[i] += dp;
            dc[3 + i] -= dp;
            da[i] = pg[i] * sine + side * (dot * g[i] + ga * p[i]);
            along += da[i] * a[i];
        }
        for (int i = 0; i < 3; i++) dc[i] += (da[i] - along * a[i]) / angle + dangle * a[i];
    }
    *out[0] = total;
}
