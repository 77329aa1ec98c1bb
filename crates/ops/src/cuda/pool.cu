// Pooling of (images, height, width, channels) by square windows; one thread a value of what is written.

// The largest value of each window, and its place in the image's rows: the first of equals, the last NaN.
extern "C" __global__ void max_pool(const float* x, int height, int width, int channels, int window, int stride, int out_height,
                                    int out_width, int count, float* y, unsigned* places) {
  const int k = blockIdx.x * blockDim.x + threadIdx.x;
  if (k >= count) return;
  const int c = k % channels, ox = k / channels % out_width, oy = k / channels / out_width % out_height;
  const float* image = x + (long long)(k / channels / out_width / out_height) * height * width * channels + c;
  int place = oy * stride * width + ox * stride;
  float best = image[(long long)place * channels];
  for (int i = 0; i < window; i++)
    for (int j = 0; j < window; j++) {
      const int p = (oy * stride + i) * width + ox * stride + j;
      const float v = image[(long long)p * channels];
      if (v > best || v != v) {
        best = v;
        place = p;
      }
    }
  y[k] = best;
  places[k] = place;
}

// Windows that hold row or column `at`, of `outputs`.
__device__ __forceinline__ int first_window(int at, int window, int stride) { return at < window ? 0 : (at - window) / stride + 1; }
__device__ __forceinline__ int last_window(int at, int stride, int outputs) { return min(at / stride, outputs - 1); }

// Each value of the image collects from the windows that hold it: of a max pooling, where it was the largest; of an average pooling, for
// which there are no `places`, `share` of each.
extern "C" __global__ void pool_gradient(const float* dy, const unsigned* places, float share, int height, int width,
                                         int channels, int window, int stride, int out_height, int out_width, int count,
                                         float* dx) {
  const int k = blockIdx.x * blockDim.x + threadIdx.x;
  if (k >= count) return;
  const int c = k % channels, column = k / channels % width, row = k / channels / width % height;
  const long long image = (long long)(k / channels / width / height) * out_height * out_width;
  float sum = 0.0f;
  for (int oy = first_window(row, window, stride); oy <= last_window(row, stride, out_height); oy++)
    for (int ox = first_window(column, window, stride); ox <= last_window(column, stride, out_width); ox++) {
      const long long at = (image + oy * out_width + ox) * channels + c;
      if (!places || places[at] == (unsigned)(row * width + column)) sum += dy[at];
    }
  dx[k] = sum * share;
}

extern "C" __global__ void avg_pool(const float* x, int height, int width, int channels, int window, int stride, int out_height,
                                    int out_width, int count, float* y) {
  const int k = blockIdx.x * blockDim.x + threadIdx.x;
  if (k >= count) return;
  const int c = k % channels, ox = k / channels % out_width, oy = k / channels / out_width % out_height;
  const float* image = x + (long long)(k / channels / out_width / out_height) * height * width * channels + c;
  float sum = 0.0f;
  for (int i = 0; i < window; i++)
    for (int j = 0; j < window; j++)
      sum += image[((long long)(oy * stride + i) * width + ox * stride + j) * channels];
  y[k] = sum / (float)(window * window);
}

// The mean over an image's positions. Blocks of 32 channels by 8 rows; grid: images, channels.
extern "C" __global__ void global_avg_pool(const float* x, int positions, int channels, float* y) {
  __shared__ float shared[8][32];
  const int image = blockIdx.x, c = blockIdx.y * 32 + threadIdx.x;
  float sum = 0.0f;
  if (c < channels)
    for (int p = threadIdx.y; p < positions; p += 8) sum += x[((long long)image * positions + p) * channels + c];
  shared[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y != 0 || c >= channels) return;
  for (int row = 1; row < 8; row++) sum += shared[row][threadIdx.x];
  y[(long long)image * channels + c] = sum / (float)positions;
}

extern "C" __global__ void global_avg_pool_gradient(const float* dy, int positions, int channels, int count, float* dx) {
  const int k = blockIdx.x * blockDim.x + threadIdx.x;
  if (k < count) dx[k] = dy[(long long)(k / channels / positions) * channels + k % channels] / (float)positions;
}
