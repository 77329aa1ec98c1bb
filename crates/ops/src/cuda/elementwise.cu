// One value a thread.

// NaN stays NaN.
__device__ __forceinline__ float rectified(float x) { return x < 0.0f ? 0.0f : x; }

// What a rectifier with the output `y` makes of the gradient `dy` that reaches it. A guided one lets none below 0 through.
__device__ __forceinline__ float rectifier_gradient(float y, float dy, int guided) {
  return y > 0.0f && !(guided && dy < 0.0f) ? dy : 0.0f;
}

extern "C" __global__ void relu(const float* x, int count, float* y) {
  const int k = blockIdx.x * blockDim.x + threadIdx.x;
  if (k < count) y[k] = rectified(x[k]);
}

extern "C" __global__ void add_relu(const float* a, const float* b, int count, float* y) {
  const int k = blockIdx.x * blockDim.x + threadIdx.x;
  if (k < count) y[k] = rectified(a[k] + b[k]);
}

extern "C" __global__ void relu_gradient(const float* y, const float* dy, int guided, int count, float* dx) {
  const int k = blockIdx.x * blockDim.x + threadIdx.x;
  if (k < count) dx[k] = rectifier_gradient(y[k], dy[k], guided);
}

// x·Φ(x), Φ(x) = erfc(−x/√2)/2 (Hendrycks & Gimpel 2016).
extern "C" __global__ void gelu(const float* x, int count, float* y) {
  const int k = blockIdx.x * blockDim.x + threadIdx.x;
  if (k < count) y[k] = x[k] * 0.5f * erfcf(-0.70710678f * x[k]);
}

// (Φ(x) + x·φ(x))·dy, φ(x) = exp(−x²/2)/√(2π).
extern "C" __global__ void gelu_gradient(const float* x, const float* dy, int count, float* dx) {
  const int k = blockIdx.x * blockDim.x + threadIdx.x;
  if (k >= count) return;
  const float v = x[k];
  const float distribution = 0.5f * erfcf(-0.70710678f * v), density = 0.39894228f * expf(-0.5f * v * v);
  dx[k] = (distribution + v * density) * dy[k];
}

extern "C" __global__ void add_bias(const float* x, const float* bias, int channels, int count, float* y) {
  const int k = blockIdx.x * blockDim.x + threadIdx.x;
  if (k < count) y[k] = x[k] + bias[k % channels];
}

// y (columns, rows) from x (rows, columns). Blocks of 32 by 8 threads, each for 32 by 32 values.
extern "C" __global__ void transpose(const float* x, int rows, int columns, float* y) {
  __shared__ float tile[32][33]; // one more, so that a column's values lie in different banks
  const int c = blockIdx.x * 32, r = blockIdx.y * 32;
  for (int i = threadIdx.y; i < 32; i += 8)
    if (r + i < rows && c + (int)threadIdx.x < columns)
      tile[i][threadIdx.x] = x[(long long)(r + i) * columns + c + threadIdx.x];
  __syncthreads();
  for (int i = threadIdx.y; i < 32; i += 8)
    if (c + i < columns && r + (int)threadIdx.x < rows)
      y[(long long)(c + i) * rows + r + threadIdx.x] = tile[threadIdx.x][i];
}
