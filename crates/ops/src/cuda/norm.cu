// Norms of (images, positions, channels). Statistics belong either to a channel and a part of the batch, (splits, channels), where image
// i is of part i mod splits, `groups` being 0; or to an image and a group of neighbouring channels, (images, groups), `splits` being 1.
//
// Sums along the rows of a channel are taken in two steps, in an order that is always the same: `parts` blocks each take every parts-th
// row of a split, 32 channels wide, and one thread a channel adds up in f64 what they found.

#define LANES 32
#define ROWS 8
#define THREADS 256

__device__ __forceinline__ int statistic(int image, int c, int channels, int splits, int groups) {
  return groups > 0 ? image * groups + c / (channels / groups) : image % splits * channels + c;
}

// The images of a split.
__device__ __forceinline__ int images_of(int split, int images, int splits) { return (images - split + splits - 1) / splits; }

// Adds up the threads of a block, LANES by ROWS, along its rows; the sum is row 0's.
__device__ __forceinline__ float2 sum_rows(float2 value) {
  __shared__ float2 shared[ROWS][LANES];
  shared[threadIdx.y][threadIdx.x] = value;
  __syncthreads();
  if (threadIdx.y == 0)
    for (int row = 1; row < ROWS; row++) {
      value.x += shared[row][threadIdx.x].x;
      value.y += shared[row][threadIdx.x].y;
    }
  return value;
}

// Adds up all THREADS threads of a block; every one gets the sum.
__device__ __forceinline__ double2 sum_block(double2 value) {
  __shared__ double2 shared[THREADS];
  __syncthreads();
  shared[threadIdx.x] = value;
  __syncthreads();
  for (int half = THREADS / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) {
      shared[threadIdx.x].x += shared[threadIdx.x + half].x;
      shared[threadIdx.x].y += shared[threadIdx.x + half].y;
    }
    __syncthreads();
  }
  return shared[0];
}

// Σ(x − k) and Σ(x − k)², k being the first value of the split and channel: so near the mean, nothing cancels. Grid: channels, parts, splits.
extern "C" __global__ void channel_sums(const float* x, int images, int positions, int channels, int splits, float2* sums) {
  const int c = blockIdx.x * LANES + threadIdx.x, part = blockIdx.y, parts = gridDim.y, split = blockIdx.z;
  const int rows = images_of(split, images, splits) * positions;
  float2 sum = {0.0f, 0.0f};
  if (c < channels && rows > 0) {
    const float k = x[(long long)split * positions * channels + c];
    for (int row = part * ROWS + threadIdx.y; row < rows; row += parts * ROWS) {
      const long long at = (long long)(split + row / positions * splits) * positions + row % positions;
      const float v = x[at * channels + c] - k;
      sum.x += v;
      sum.y += v * v;
    }
  }
  sum = sum_rows(sum);
  if (threadIdx.y == 0 && c < channels) sums[((long long)split * parts + part) * channels + c] = sum;
}

// Mean, biased variance, and variance divided by one less than there are values, or by `least` if that is more. A split without images has
// zeros. One thread a split and channel.
extern "C" __global__ void channel_statistics(const float* x, const float2* sums, int parts, int images, int positions, int channels,
                                              int splits, int least, float* mean, float* variance, float* unbiased) {
  const int k = blockIdx.x * blockDim.x + threadIdx.x;
  if (k >= splits * channels) return;
  const int split = k / channels, c = k % channels;
  const int rows = images_of(split, images, splits) * positions;
  double m = 0.0, v = 0.0, u = 0.0;
  if (rows > 0) {
    double sum = 0.0, squares = 0.0;
    for (int part = 0; part < parts; part++) {
      const float2 both = sums[((long long)split * parts + part) * channels + c];
      sum += both.x;
      squares += both.y;
    }
    const double shift = sum / rows, values = rows;
    m = x[(long long)split * positions * channels + c] + shift;
    v = squares / values - shift * shift;
    if (v < 0.0) v = 0.0;
    u = v * (values / (rows - 1 > least ? rows - 1 : least));
  }
  mean[k] = (float)m;
  variance[k] = (float)v;
  unbiased[k] = (float)u;
}

// Mean and biased variance of an image's group: one block each, as above. Grid: images, groups.
extern "C" __global__ void group_statistics(const float* x, int positions, int channels, int groups, float* mean, float* variance) {
  const int image = blockIdx.x, group = blockIdx.y, size = channels / groups, values = positions * size;
  const float* first = x + (long long)image * positions * channels + group * size;
  const float k = values > 0 ? first[0] : 0.0f;
  float2 sum = {0.0f, 0.0f};
  for (int i = threadIdx.x; i < values; i += THREADS) {
    const float v = first[(long long)(i / size) * channels + i % size] - k;
    sum.x += v;
    sum.y += v * v;
  }
  const double2 both = sum_block(double2{sum.x, sum.y});
  if (threadIdx.x != 0) return;
  const double shift = both.x / (values > 0 ? values : 1);
  const double v = both.y / (values > 0 ? values : 1) - shift * shift;
  mean[image * groups + group] = (float)(k + shift);
  variance[image * groups + group] = (float)(v > 0.0 || v != v ? v : 0.0);
}

// y = (x − mean)/√(variance + eps)·weight + bias, rectified if `relu`.
extern "C" __global__ void normalise(const float* x, const float* mean, const float* variance, const float* weight,
                                     const float* bias, int positions, int channels, int splits, int groups, float eps,
                                     int relu, int count, float* y) {
  const int k = blockIdx.x * blockDim.x + threadIdx.x;
  if (k >= count) return;
  const int c = k % channels, at = statistic(k / channels / positions, c, channels, splits, groups);
  const float v = (x[k] - mean[at]) / sqrtf(variance[at] + eps) * weight[c] + bias[c];
  y[k] = relu ? rectified(v) : v;
}

// Σg and Σg·x̂, along the rows of a channel; g is the gradient before the activation, x̂ = (x − mean)/√(variance + eps). Without `x` the
// second is 0, without `y` there is no activation. Grid as of `channel_sums`.
extern "C" __global__ void gradient_sums(const float* x, const float* y, const float* dy, const float* mean,
                                         const float* variance, int images, int positions, int channels, int splits,
                                         int groups, float eps, int guided, float2* sums) {
  const int c = blockIdx.x * LANES + threadIdx.x, part = blockIdx.y, parts = gridDim.y, split = blockIdx.z;
  const int rows = images_of(split, images, splits) * positions;
  float2 sum = {0.0f, 0.0f};
  if (c < channels)
    for (int row = part * ROWS + threadIdx.y; row < rows; row += parts * ROWS) {
      const int image = split + row / positions * splits;
      const long long k = ((long long)image * positions + row % positions) * channels + c;
      const float g = y ? rectifier_gradient(y[k], dy[k], guided) : dy[k];
      sum.x += g;
      if (!x) continue;
      const int at = statistic(image, c, channels, splits, groups);
      sum.y += g * ((x[k] - mean[at]) / sqrtf(variance[at] + eps));
    }
  sum = sum_rows(sum);
  if (threadIdx.y == 0 && c < channels) sums[((long long)split * parts + part) * channels + c] = sum;
}

// The gradients of weight (not without `dweight`) and bias, and of each split and channel the means of w·g and w·g·x̂ (not without `means`).
// One thread a channel.
extern "C" __global__ void gradient_totals(const float2* sums, const float* weight, int parts, int images, int positions,
                                           int channels, int splits, float* dweight, float* dbias, float2* means) {
  const int c = blockIdx.x * blockDim.x + threadIdx.x;
  if (c >= channels) return;
  double dw = 0.0, db = 0.0;
  for (int split = 0; split < splits; split++) {
    double g = 0.0, gx = 0.0;
    for (int part = 0; part < parts; part++) {
      const float2 both = sums[((long long)split * parts + part) * channels + c];
      g += both.x;
      gx += both.y;
    }
    dw += gx;
    db += g;
    const int rows = images_of(split, images, splits) * positions;
    if (means && rows > 0)
      means[split * channels + c] = float2{(float)(weight[c] * (g / rows)), (float)(weight[c] * (gx / rows))};
  }
  if (dweight) dweight[c] = (float)dw;
  dbias[c] = (float)db;
}

// The means of w·g and w·g·x̂ of an image's group: one block each. Grid: images, groups.
extern "C" __global__ void group_gradient_means(const float* x, const float* y, const float* dy, const float* mean,
                                                const float* variance, const float* weight, int positions, int channels,
                                                int groups, float eps, int guided, float2* means) {
  const int image = blockIdx.x, group = blockIdx.y, size = channels / groups, values = positions * size;
  const int at = image * groups + group;
  const float m = mean[at], inverse = 1.0f / sqrtf(variance[at] + eps);
  float2 sum = {0.0f, 0.0f};
  for (int i = threadIdx.x; i < values; i += THREADS) {
    const int c = group * size + i % size;
    const long long k = ((long long)image * positions + i / size) * channels + c;
    const float g = weight[c] * (y ? rectifier_gradient(y[k], dy[k], guided) : dy[k]);
    sum.x += g;
    sum.y += g * ((x[k] - m) * inverse);
  }
  const double2 both = sum_block(double2{sum.x, sum.y});
  if (threadIdx.x == 0 && values > 0) means[at] = float2{(float)(both.x / values), (float)(both.y / values)};
}

// dx = (w·g − a − x̂·b)/√(variance + eps), a and b the means above: what flows through the statistics (Ioffe & Szegedy 2015, section 3).
// Without `means` they are constants.
extern "C" __global__ void norm_gradient(const float* x, const float* y, const float* dy, const float* mean,
                                         const float* variance, const float* weight, const float2* means, int positions,
                                         int channels, int splits, int groups, float eps, int guided, int count, float* dx) {
  const int k = blockIdx.x * blockDim.x + threadIdx.x;
  if (k >= count) return;
  const int c = k % channels, at = statistic(k / channels / positions, c, channels, splits, groups);
  const float inverse = 1.0f / sqrtf(variance[at] + eps);
  float g = weight[c] * (y ? rectifier_gradient(y[k], dy[k], guided) : dy[k]);
  if (means) g -= means[at].x + (x[k] - mean[at]) * inverse * means[at].y;
  dx[k] = g * inverse;
}
