// The layers behind the maps, all in f32: features, logits, loss.

// The mean over a map's pixels of what pass kernels summed: `sums` is (images, parts, channels).
extern "C" __global__ void features(const float* sums, int parts, int channels, int count, float share, float* to) {
  const int k = blockIdx.x * blockDim.x + threadIdx.x;
  if (k >= count) return;
  const int image = k / channels, c = k % channels;
  float sum = 0.0f;
  for (int part = 0; part < parts; part++) sum += sums[((long long)image * parts + part) * channels + c];
  to[k] = sum * share;
}

// A dropout in evaluation is a scale by 1.
extern "C" __global__ void scale(const float* x, float factor, int count, float* y) {
  const int k = blockIdx.x * blockDim.x + threadIdx.x;
  if (k < count) y[k] = factor * x[k];
}

__device__ __forceinline__ float sum_over_warp(float value) {
  for (int half = 16; half > 0; half /= 2) value += __shfl_xor_sync(0xffffffff, value, half);
  return value;
}

__device__ __forceinline__ float max_over_warp(float value) {
  for (int half = 16; half > 0; half /= 2) value = fmaxf(value, __shfl_xor_sync(0xffffffff, value, half));
  return value;
}

// y (images, outputs) = x (images, inputs) · weightᵀ (outputs, inputs) + bias; a warp each.
extern "C" __global__ void linear(const float* x, const float* weight, const float* bias, int inputs, int outputs, int count,
                                  float* y) {
  const int k = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
  if (k >= count) return;
  const float* row = x + (long long)(k / outputs) * inputs;
  const float* column = weight + (long long)(k % outputs) * inputs;
  float sum = 0.0f;
  for (int i = lane; i < inputs; i += 32) sum += row[i] * column[i];
  sum = sum_over_warp(sum);
  if (lane == 0) y[k] = sum + (bias ? bias[k % outputs] : 0.0f);
}

extern "C" __global__ void linear_input_gradient(const float* dy, const float* weight, int inputs, int outputs, int count,
                                                 float* dx) {
  const int k = blockIdx.x * blockDim.x + threadIdx.x;
  if (k >= count) return;
  const float* row = dy + (long long)(k / inputs) * outputs;
  float sum = 0.0f;
  for (int o = 0; o < outputs; o++) sum += row[o] * weight[(long long)o * inputs + k % inputs];
  dx[k] = sum;
}

// Blocks of 32 inputs by 8 rows of images; `blockIdx.y` is the output.
extern "C" __global__ void linear_weight_gradient(const float* x, const float* dy, int images, int inputs, int outputs,
                                                  float* dweight) {
  __shared__ float shared[8][32];
  const int i = blockIdx.x * 32 + threadIdx.x, o = blockIdx.y;
  float sum = 0.0f;
  if (i < inputs)
    for (int n = threadIdx.y; n < images; n += 8) sum += x[(long long)n * inputs + i] * dy[(long long)n * outputs + o];
  shared[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y == 0 && i < inputs) {
    for (int r = 1; r < 8; r++) sum += shared[r][threadIdx.x];
    dweight[(long long)o * inputs + i] = sum;
  }
}

// A warp an output.
extern "C" __global__ void linear_bias_gradient(const float* dy, int images, int outputs, float* dbias) {
  const int o = blockIdx.x;
  float sum = 0.0f;
  for (int n = threadIdx.x; n < images; n += 32) sum += dy[(long long)n * outputs + o];
  sum = sum_over_warp(sum);
  if (threadIdx.x == 0) dbias[o] = sum;
}

// As Rust's `x.max(0.0)`, of which NaN comes out as 0.
extern "C" __global__ void head_relu(const float* x, int count, float* y) {
  const int k = blockIdx.x * blockDim.x + threadIdx.x;
  if (k < count) y[k] = fmaxf(x[k], 0.0f);
}

extern "C" __global__ void head_relu_gradient(const float* x, const float* dy, int count, float* dx) {
  const int k = blockIdx.x * blockDim.x + threadIdx.x;
  if (k < count) dx[k] = x[k] > 0.0f ? dy[k] : 0.0f;
}

// SplitMix64 (Steele, Lea & Flood 2014).
#define GOLDEN_GAMMA 0x9E3779B97F4A7C15ull
__device__ __forceinline__ unsigned long long splitmix64(unsigned long long x) {
  x += GOLDEN_GAMMA;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

// Dropout (Srivastava et al. 2014) of values or of their gradients: `kept`, 1/(1 - p), times each, or 0. What is dropped depends
// on the step's seed, the layer and the place alone, as on the CPU.
extern "C" __global__ void dropout(const float* x, const unsigned long long* seed, int layer, float p, float kept, int count,
                                   float* y) {
  const int k = blockIdx.x * blockDim.x + threadIdx.x;
  if (k >= count) return;
  const unsigned long long state = splitmix64(splitmix64(*seed) ^ (unsigned long long)layer);
  const unsigned long long drawn = splitmix64(state + (unsigned long long)k * GOLDEN_GAMMA);
  const float uniform = (float)(unsigned)(drawn >> 40) / 16777216.0f; // both exact
  y[k] = uniform < p ? 0.0f : kept * x[k];
}

// y = e^x / Σ e^x of each image's values, a warp each.
extern "C" __global__ void softmax(const float* x, int values, int images, float* y) {
  const int n = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
  if (n >= images) return;
  const float* row = x + (long long)n * values;
  float most = -__int_as_float(0x7f800000);
  for (int k = lane; k < values; k += 32) most = fmaxf(most, row[k]);
  most = max_over_warp(most);
  float sum = 0.0f;
  for (int k = lane; k < values; k += 32) sum += expf(row[k] - most);
  sum = sum_over_warp(sum);
  for (int k = lane; k < values; k += 32) y[(long long)n * values + k] = expf(row[k] - most) / sum;
}

// dx = y · (dy − Σ y·dy), a warp an image.
extern "C" __global__ void softmax_gradient(const float* y, const float* dy, int values, int images, float* dx) {
  const int n = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
  if (n >= images) return;
  const long long row = (long long)n * values;
  float mean = 0.0f;
  for (int k = lane; k < values; k += 32) mean += y[row + k] * dy[row + k];
  mean = sum_over_warp(mean);
  for (int k = lane; k < values; k += 32) dx[row + k] = y[row + k] * (dy[row + k] - mean);
}

// Cross-entropy with label smoothing (Szegedy et al. 2016), a warp an image: its loss, the gradient of the mean loss, the
// class of the largest logit (the first of equals). A null `dlogits` is not written. Where `others` is not null, its labels have
// all of the target but `*weight`, the share of an image's own.
extern "C" __global__ void cross_entropy(const float* logits, const unsigned* labels, const unsigned* others, const float* weight,
                                         int classes, int images, float smoothing, float* losses, float* dlogits,
                                         unsigned char* predicted) {
  const int n = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
  if (n >= images) return;
  const float* row = logits + (long long)n * classes;
  float largest = -__int_as_float(0x7f800000);
  int at = 0x7fffffff;
  for (int k = lane; k < classes; k += 32)
    if (row[k] > largest) {
      largest = row[k];
      at = k;
    }
  const float most = max_over_warp(largest);
  if (largest != most) at = 0x7fffffff;
  for (int half = 16; half > 0; half /= 2) at = min(at, __shfl_xor_sync(0xffffffff, at, half));
  float exponentials = 0.0f, sum = 0.0f;
  for (int k = lane; k < classes; k += 32) {
    exponentials += expf(row[k] - most);
    sum += row[k] - most;
  }
  exponentials = sum_over_warp(exponentials);
  sum = sum_over_warp(sum);
  const int label = (int)labels[n];
  const float logarithm = logf(exponentials);
  const float spread = smoothing / classes;
  if (lane == 0) {
    float own = row[label] - most;
    if (others) own = *weight * own + (1.0f - *weight) * (row[others[n]] - most);
    losses[n] = logarithm - (1.0f - smoothing) * own - spread * sum;
    predicted[n] = (unsigned char)min(at, 255);
  }
  if (dlogits)
    for (int k = lane; k < classes; k += 32) {
      float share = k == label ? 1.0f : 0.0f;
      if (others) share = *weight * share + (k == (int)others[n] ? 1.0f - *weight : 0.0f);
      const float target = share * (1.0f - smoothing) + spread;
      dlogits[(long long)n * classes + k] = (expf(row[k] - most) / exponentials - target) / images;
    }
}

// The mean of the losses; a block of 256 threads.
extern "C" __global__ void mean_loss(const float* losses, int images, float* to) {
  __shared__ double shared[256];
  double sum = 0.0;
  for (int n = threadIdx.x; n < images; n += 256) sum += losses[n];
  shared[threadIdx.x] = sum;
  __syncthreads();
  for (int half = 128; half > 0; half /= 2) {
    if (threadIdx.x < half) shared[threadIdx.x] += shared[threadIdx.x + half];
    __syncthreads();
  }
  if (threadIdx.x == 0) *to = (float)(shared[0] / images);
}

// To bf16, and back.
extern "C" __global__ void round_to_bf16(const float* from, int count, bf16* to) {
  const int k = blockIdx.x * blockDim.x + threadIdx.x;
  if (k < count) to[k] = narrow<bf16>(from[k]);
}

extern "C" __global__ void widen_bf16(const bf16* from, int count, float* to) {
  const int k = blockIdx.x * blockDim.x + threadIdx.x;
  if (k < count) to[k] = widen(from[k]);
}
