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
// Φ(x) = erfc(−x/√2)/2. Where bf16 is stored, by Abramowitz & Stegun's 7.1.26, off by 1e-7 at most, which takes a fifth of
// erfcf's instructions: passes with it are bound by arithmetic otherwise. `density` becomes exp(−x²/2).
__device__ __forceinline__ float normal_distribution(float x, float& density) {
#ifdef NARROW
  density = __expf(-0.5f * x * x);
  const float t = __fdividef(1.0f, 1.0f + 0.3275911f * 0.70710678f * fabsf(x));
  const float tail = 0.5f * density * t *
                     (0.254829592f + t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f))));
  return x < 0.0f ? tail : 1.0f - tail;
#else
  density = expf(-0.5f * x * x);
  return 0.5f * erfcf(-0.70710678f * x);
#endif
}
// x·Φ(x) (Hendrycks & Gimpel 2016).
__device__ __forceinline__ float gelu(float x) {
  float density;
  return x * normal_distribution(x, density);
}
// Φ(x) + x·φ(x).
__device__ __forceinline__ float gelu_derivative(float x) {
  float density;
  const float distribution = normal_distribution(x, density);
  return distribution + x * 0.39894228f * density;
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
