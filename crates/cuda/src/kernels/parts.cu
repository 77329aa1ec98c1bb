// A batch in parts: the gradients of all, each times its share of the images, are added up in `sums`, and with the last part
// left in `gradients`. A part's are in `narrow_gradients` where `narrow_of` is 1. Rounded as on the CPU: each product, each sum.
extern "C" __global__ void add_part(float* gradients, const bf16* narrow_gradients, const unsigned char* narrow_of, float share,
                                    int is_first, int is_last, float* sums, int count) {
  const int at = (blockIdx.x * blockDim.x + threadIdx.x) * 4;
  if (at >= count) return;
  float g[4], s[4];
  if (narrow_of[at / 64]) load(g, narrow_gradients + at);
  else load(g, gradients + at);
#pragma unroll
  for (int i = 0; i < 4; i++) g[i] = __fmul_rn(share, g[i]);
  if (!is_first) {
    load(s, sums + at);
#pragma unroll
    for (int i = 0; i < 4; i++) g[i] = __fadd_rn(s[i], g[i]);
  }
  store((is_last ? gradients : sums) + at, g);
}
