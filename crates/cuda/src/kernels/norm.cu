// From sums over pixels to the factors that normalise, and back to gradients. `sums` is (rows, slots, channels), `parts` rows
// an image. Sums of sums are f64, two at a time. Blocks that sum over rows are 8 channels by 128 rows: many short sums, whose
// loads are all under way at once.

#define CHANNELS 8
#define ROWS 128

__device__ __forceinline__ double2 sum_over_rows(double2 value) {
  __shared__ double2 shared[ROWS][CHANNELS];
  __syncthreads();
  shared[threadIdx.y][threadIdx.x] = value;
  __syncthreads();
  for (int half = ROWS / 2; half > 0; half /= 2) {
    if (threadIdx.y < half) {
      const double2 other = shared[threadIdx.y + half][threadIdx.x];
      shared[threadIdx.y][threadIdx.x].x += other.x;
      shared[threadIdx.y][threadIdx.x].y += other.y;
    }
    __syncthreads();
  }
  return shared[0][threadIdx.x];
}

// Of slot 0 and of another one, over the images of a split.
__device__ __forceinline__ double2 totals(const float* sums, int slots, int slot, int channels, int c, int images, int parts,
                                          int split, int splits) {
  double2 sum = {0.0, 0.0};
  if (c < channels) {
    const int of_split = (images - split + splits - 1) / splits;
#pragma unroll 4
    for (int k = threadIdx.y; k < of_split * parts; k += ROWS) {
      const long long row = (long long)(split + k / parts * splits) * parts + k % parts;
      const float* at = sums + row * slots * channels + c;
      sum.x += at[0];
      sum.y += at[(long long)slot * channels];
    }
  }
  return sum_over_rows(sum);
}

// A bias, or a batch norm with running statistics, of which it takes the mean over the splits; in as many rows as are read. The input's
// gradient is the factor times the output's (null: not wanted).
extern "C" __global__ void norm_known(const float* weight, const float* bias, const float* mean, const float* variance,
                                      int splits, float eps, int channels, int rows, float* scale, float* shift,
                                      float* fa, float* fb, float* fc) {
  const int c = blockIdx.x * blockDim.x + threadIdx.x;
  if (c >= channels) return;
  double m = 0.0, v = 0.0;
  for (int s = 0; s < splits; s++) {
    m += mean[s * channels + c];
    v += variance[s * channels + c];
  }
  const double inverse = splits > 0 ? 1.0 / sqrt(v / splits + (double)eps) : 1.0;
  const double factor = (weight ? (double)weight[c] : 1.0) * inverse;
  const float b = (float)(bias[c] - (splits > 0 ? m / splits : 0.0) * factor);
  for (int row = 0; row < rows; row++) {
    scale[(long long)row * channels + c] = (float)factor;
    shift[(long long)row * channels + c] = b;
    if (fa) {
      fa[(long long)row * channels + c] = (float)factor;
      fb[(long long)row * channels + c] = 0.0f;
      fc[(long long)row * channels + c] = 0.0f;
    }
  }
}

// Batch norm, ghost or not: the mean and variance of each split, its scale and shift (of several splits one row an image),
// and what running statistics learn. Ioffe & Szegedy 2015; Hoffer, Hubara & Soudry 2017.
extern "C" __global__ void __launch_bounds__(1024) batch_norm_measure(const float* sums, int images, int parts, int pixels, int channels, int splits,
                                              float eps, float update, const float* weight, const float* bias,
                                              float* running_mean, float* running_variance, double* means,
                                              double* inverses, float* scale, float* shift) {
  const int c = blockIdx.x * CHANNELS + threadIdx.x;
  for (int split = 0; split < splits && split < images; split++) {
    const double2 both = totals(sums, 2, 1, channels, c, images, parts, split, splits);
    const double sum = both.x, squares = both.y;
    const double values = (double)pixels * ((images - split + splits - 1) / splits);
    const double mean = sum / values;
    double variance = squares / values - mean * mean;
    if (variance < 0.0) variance = 0.0;
    const double inverse = 1.0 / sqrt(variance + (double)eps);
    if (c >= channels) continue;
    const double factor = weight[c] * inverse;
    const float a = (float)factor, b = (float)(bias[c] - mean * factor);
    if (threadIdx.y == 0) {
      const int at = split * channels + c;
      means[at] = mean;
      inverses[at] = inverse;
      if (values >= 2.0) {
        const float keep = 1.0f - update;
        running_mean[at] = keep * running_mean[at] + update * (float)mean;
        running_variance[at] = keep * running_variance[at] + update * (float)(variance * (values / (values - 1.0)));
      }
    }
    if (splits == 1) {
      if (threadIdx.y == 0) {
        scale[c] = a;
        shift[c] = b;
      }
    } else {
      for (int i = split + splits * threadIdx.y; i < images; i += splits * blockDim.y) {
        scale[(long long)i * channels + c] = a;
        shift[(long long)i * channels + c] = b;
      }
    }
  }
}

// The factors of the input's gradient a·g + b·y + c and the gradients of weight and bias (null: not wanted).
extern "C" __global__ void __launch_bounds__(1024) batch_norm_gradient(const float* sums, int slots, int slot, int images, int parts, int pixels,
                                               int channels, int splits, const float* weight, const double* means,
                                               const double* inverses, float* fa, float* fb, float* fc, float* dweight,
                                               float* dbias) {
  const int c = blockIdx.x * CHANNELS + threadIdx.x;
  double dw = 0.0, db = 0.0;
  for (int split = 0; split < splits && split < images; split++) {
    const double2 both = totals(sums, slots, slot, channels, c, images, parts, split, splits);
    const double g = both.x, gy = both.y;
    if (c >= channels) continue;
    const double values = (double)pixels * ((images - split + splits - 1) / splits);
    const double mean = means[split * channels + c], inverse = inverses[split * channels + c];
    const double normalised = inverse * (gy - mean * g);
    dw += normalised;
    db += g;
    const double a = weight[c] * inverse;
    const double b = -a * inverse * normalised / values;
    const double k = -a * g / values - b * mean;
    if (splits == 1) {
      if (threadIdx.y == 0) {
        fa[c] = (float)a;
        fb[c] = (float)b;
        fc[c] = (float)k;
      }
    } else {
      for (int i = split + splits * threadIdx.y; i < images; i += splits * blockDim.y) {
        fa[(long long)i * channels + c] = (float)a;
        fb[(long long)i * channels + c] = (float)b;
        fc[(long long)i * channels + c] = (float)k;
      }
    }
  }
  if (threadIdx.y == 0 && c < channels) {
    if (dweight) dweight[c] = (float)dw;
    if (dbias) dbias[c] = (float)db;
  }
}

// The gradient of a bias: Σg.
extern "C" __global__ void __launch_bounds__(1024) bias_gradient(const float* sums, int slots, int images, int parts, int channels, float* dbias) {
  const int c = blockIdx.x * CHANNELS + threadIdx.x;
  const double2 both = totals(sums, slots, 0, channels, c, images, parts, 0, 1);
  if (threadIdx.y == 0 && c < channels) dbias[c] = (float)both.x;
}

__device__ __forceinline__ double sum_over_block(double value) {
  __shared__ double shared[128];
  __syncthreads();
  shared[threadIdx.x] = value;
  __syncthreads();
  for (int half = 64; half > 0; half /= 2) {
    if (threadIdx.x < half) shared[threadIdx.x] += shared[threadIdx.x + half];
    __syncthreads();
  }
  return shared[0];
}

// Group norm (Wu & He 2018): a block of 128 threads an image and group.
extern "C" __global__ void group_norm_measure(const float* sums, int parts, int pixels, int channels, int groups, float eps,
                                              const float* weight, const float* bias, double* means, double* inverses,
                                              float* scale, float* shift) {
  const int image = blockIdx.x, group = blockIdx.y, size = channels / groups;
  double sum = 0.0, squares = 0.0;
  for (int k = threadIdx.x; k < size * parts; k += blockDim.x) {
    const float* row = sums + (((long long)image * parts + k / size) * 2) * channels + group * size + k % size;
    sum += row[0];
    squares += row[channels];
  }
  const double values = (double)pixels * size;
  const double mean = sum_over_block(sum) / values;
  double variance = sum_over_block(squares) / values - mean * mean;
  if (variance < 0.0) variance = 0.0;
  const double inverse = 1.0 / sqrt(variance + (double)eps);
  if (threadIdx.x == 0) {
    means[image * groups + group] = mean;
    inverses[image * groups + group] = inverse;
  }
  for (int k = threadIdx.x; k < size; k += blockDim.x) {
    const int c = group * size + k;
    const double factor = weight[c] * inverse;
    scale[(long long)image * channels + c] = (float)factor;
    shift[(long long)image * channels + c] = (float)(bias[c] - mean * factor);
  }
}

extern "C" __global__ void group_norm_factors(const float* sums, int slots, int slot, int parts, int pixels, int channels,
                                              int groups, const float* weight, const double* means, const double* inverses,
                                              float* fa, float* fb, float* fc) {
  const int image = blockIdx.x, group = blockIdx.y, size = channels / groups;
  const double mean = means[image * groups + group], inverse = inverses[image * groups + group];
  double plain = 0.0, normalised = 0.0;
  for (int k = threadIdx.x; k < size * parts; k += blockDim.x) {
    const int c = group * size + k % size;
    const float* row = sums + (((long long)image * parts + k / size) * slots) * channels + c;
    const double g = row[0], gy = row[(long long)slot * channels];
    plain += weight[c] * g;
    normalised += weight[c] * inverse * (gy - mean * g);
  }
  const double values = (double)pixels * size;
  plain = sum_over_block(plain) / values;
  normalised = sum_over_block(normalised) / values;
  const double b = -inverse * inverse * normalised;
  for (int k = threadIdx.x; k < size; k += blockDim.x) {
    const int c = group * size + k;
    fa[(long long)image * channels + c] = (float)(weight[c] * inverse);
    fb[(long long)image * channels + c] = (float)b;
    fc[(long long)image * channels + c] = (float)(-inverse * plain - b * mean);
  }
}

extern "C" __global__ void __launch_bounds__(1024) group_norm_gradient(const float* sums, int slots, int slot, int images, int parts, int channels,
                                               int groups, const double* means, const double* inverses, float* dweight,
                                               float* dbias) {
  const int c = blockIdx.x * CHANNELS + threadIdx.x;
  double dw = 0.0, db = 0.0;
  if (c < channels)
    for (int i = threadIdx.y; i < images; i += blockDim.y) {
      double g = 0.0, gy = 0.0;
      for (int part = 0; part < parts; part++) {
        const float* row = sums + (((long long)i * parts + part) * slots) * channels + c;
        g += row[0];
        gy += row[(long long)slot * channels];
      }
      const int at = i * groups + c / (channels / groups);
      dw += inverses[at] * (gy - means[at] * g);
      db += g;
    }
  const double2 both = sum_over_rows(double2{dw, db});
  if (threadIdx.y == 0 && c < channels) {
    if (dweight) dweight[c] = (float)both.x;
    if (dbias) dbias[c] = (float)both.y;
  }
}
