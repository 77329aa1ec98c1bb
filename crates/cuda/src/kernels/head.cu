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

// Cross-entropy with label smoothing (Szegedy et al. 2016), a warp an image: its loss, the gradient of the mean loss, the
// class of the largest logit (the first of equals). A null `dlogits` is not written.
extern "C" __global__ void cross_entropy(const float* logits, const unsigned* labels, int classes, int images, float smoothing,
                                         float* losses, float* dlogits, unsigned char* predicted) {
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
    losses[n] = logarithm - (1.0f - smoothing) * (row[label] - most) - spread * sum;
    predicted[n] = (unsigned char)min(at, 255);
  }
  if (dlogits)
    for (int k = lane; k < classes; k += 32) {
      const float target = (k == label ? 1.0f - smoothing : 0.0f) + spread;
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
