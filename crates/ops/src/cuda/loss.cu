// Cross-entropy with label smoothing (Szegedy et al. 2016, section 7): a block of 128 threads an image.

#define THREADS_OF_IMAGE 128

__device__ __forceinline__ float sum_image(float value) {
  __shared__ float shared[THREADS_OF_IMAGE];
  __syncthreads();
  shared[threadIdx.x] = value;
  __syncthreads();
  for (int half = THREADS_OF_IMAGE / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) shared[threadIdx.x] += shared[threadIdx.x + half];
    __syncthreads();
  }
  return shared[0];
}

__device__ __forceinline__ float max_image(float value) {
  __shared__ float shared[THREADS_OF_IMAGE];
  __syncthreads();
  shared[threadIdx.x] = value;
  __syncthreads();
  for (int half = THREADS_OF_IMAGE / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) shared[threadIdx.x] = fmaxf(shared[threadIdx.x], shared[threadIdx.x + half]);
    __syncthreads();
  }
  return shared[0];
}

// The largest logit, and log Σ exp(z − largest).
__device__ __forceinline__ float2 logarithm(const float* row, int classes) {
  float largest = -__int_as_float(0x7f800000);
  for (int k = threadIdx.x; k < classes; k += THREADS_OF_IMAGE) largest = fmaxf(largest, row[k]);
  largest = max_image(largest);
  float sum = 0.0f;
  for (int k = threadIdx.x; k < classes; k += THREADS_OF_IMAGE) sum += expf(row[k] - largest);
  return float2{largest, logf(sum_image(sum))};
}

// The loss of each image; NaN where the target is no class.
extern "C" __global__ void cross_entropy(const float* logits, const unsigned* targets, int classes, float smoothing, float* losses) {
  const float* row = logits + (long long)blockIdx.x * classes;
  const float2 log = logarithm(row, classes);
  float sum = 0.0f;
  for (int k = threadIdx.x; k < classes; k += THREADS_OF_IMAGE) sum += row[k] - log.x;
  sum = sum_image(sum);
  if (threadIdx.x != 0) return;
  const unsigned target = targets[blockIdx.x];
  const float own = target < (unsigned)classes ? row[target] - log.x : __int_as_float(0x7fffffff);
  // A share of nothing is nothing, even where a logit is −∞.
  losses[blockIdx.x] = log.y - (1.0f - smoothing) * own - (smoothing > 0.0f ? smoothing / classes * sum : 0.0f);
}

// (softmax − target)/images, times the gradient that reaches the loss.
extern "C" __global__ void cross_entropy_gradient(const float* logits, const unsigned* targets, const float* dloss, int classes,
                                                  float smoothing, int images, float* dlogits) {
  const float* row = logits + (long long)blockIdx.x * classes;
  const float2 log = logarithm(row, classes);
  const unsigned target = targets[blockIdx.x];
  const float share = target < (unsigned)classes ? *dloss / images : __int_as_float(0x7fffffff);
  for (int k = threadIdx.x; k < classes; k += THREADS_OF_IMAGE) {
    const float wanted = (k == (int)target ? 1.0f - smoothing : 0.0f) + smoothing / classes;
    dlogits[(long long)blockIdx.x * classes + k] = (expf(row[k] - log.x - log.y) - wanted) * share;
  }
}

// The mean of the losses, 0 of none; one block.
extern "C" __global__ void mean_loss(const float* losses, int images, float* to) {
  __shared__ double shared[THREADS_OF_IMAGE];
  double sum = 0.0;
  for (int n = threadIdx.x; n < images; n += THREADS_OF_IMAGE) sum += losses[n];
  shared[threadIdx.x] = sum;
  __syncthreads();
  for (int half = THREADS_OF_IMAGE / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) shared[threadIdx.x] += shared[threadIdx.x + half];
    __syncthreads();
  }
  if (threadIdx.x == 0) *to = (float)(shared[0] / (images > 0 ? images : 1));
}
