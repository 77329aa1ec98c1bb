// Numbers, vectors of them, and activations. `T` is how maps are stored: float or bf16.

typedef unsigned short bf16;

__device__ __forceinline__ float widen(float x) { return x; }
__device__ __forceinline__ float widen(bf16 x) { return __uint_as_float((unsigned)x << 16); }

template <class T> __device__ __forceinline__ T narrow(float x);
template <> __device__ __forceinline__ float narrow<float>(float x) { return x; }
template <> __device__ __forceinline__ bf16 narrow<bf16>(float x) {
  bf16 y;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(y) : "f"(x));
  return y;
}

template <class T, int N> struct alignas(sizeof(T) * N > 16 ? 16 : sizeof(T) * N) Pack { T v[N]; };

template <int N, class T> __device__ __forceinline__ void load(float (&to)[N], const T* from) {
  const Pack<T, N> pack = *reinterpret_cast<const Pack<T, N>*>(from);
#pragma unroll
  for (int i = 0; i < N; i++) to[i] = widen(pack.v[i]);
}

// What is stored is also left in `from`.
template <int N, class T> __device__ __forceinline__ void store(T* to, float (&from)[N]) {
  Pack<T, N> pack;
#pragma unroll
  for (int i = 0; i < N; i++) {
    pack.v[i] = narrow<T>(from[i]);
    from[i] = widen(pack.v[i]);
  }
  *reinterpret_cast<Pack<T, N>*>(to) = pack;
}

// NaN stays NaN.
__device__ __forceinline__ float relu(float x) { return x < 0.0f ? 0.0f : x; }
__device__ __forceinline__ float relu_derivative(float x) { return x > 0.0f ? 1.0f : 0.0f; }
// x·Φ(x) (Hendrycks & Gimpel 2016), Φ(x) = erfc(−x/√2)/2.
__device__ __forceinline__ float gelu(float x) { return 0.5f * x * erfcf(-0.70710678f * x); }
// Φ(x) + x·φ(x).
__device__ __forceinline__ float gelu_derivative(float x) {
  return 0.5f * erfcf(-0.70710678f * x) + x * 0.39894228f * expf(-0.5f * x * x);
}

// Sums over a block's rows of lanes, in an order that is always the same: `of` is one slot of every thread's sums.
template <int LANES, int ROWS, int N>
__device__ __forceinline__ void sum_rows(float* shared, const float (&of)[N], float* to, int first, int channels) {
  const int lane = threadIdx.x % LANES, row = threadIdx.x / LANES;
  __syncthreads();
  if (row < ROWS)
    for (int i = 0; i < N; i++) shared[row * LANES * N + lane * N + i] = of[i];
  __syncthreads();
  for (int k = threadIdx.x; k < LANES * N; k += blockDim.x) {
    float sum = 0.0f;
    for (int r = 0; r < ROWS; r++) sum += shared[r * LANES * N + k];
    if (first + k < channels) to[first + k] = sum;
  }
}
