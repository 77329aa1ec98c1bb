// What a batch draws besides its images' augmentation: with what they are mixed, and its dropouts' seed. All of it is there for
// each place in the epoch, of which the batch begins at `*first`, and a part of the batch `start` places behind.

// Words of a place: the number of the partner within the batch; the share of the image's own label; the own share, within a
// box, of its pixels (both are f32); the box's first row and the row behind its last, first column and the one behind its last.
enum { PARTNER, WEIGHT, SHARE, TOP, BOTTOM, LEFT, RIGHT, MIXING };

// A thread a pixel of a part's images. `whole` holds the batch's, normalised, (batch, H, W, 3). Rounded as on the CPU.
extern "C" __global__ void mix_images(const float* whole, const int* mixing, const unsigned* first, int start, int images,
                                      int height, int width, int is_bf16, void* to) {
  const int k = blockIdx.x * blockDim.x + threadIdx.x, pixels = height * width;
  if (k >= images * pixels) return;
  const int image = k / pixels, pixel = k % pixels, row = pixel / width, column = pixel % width;
  const int* words = mixing + (long long)(*first + start + image) * MIXING;
  const float* own = whole + ((long long)(start + image) * pixels + pixel) * 3;
  const float* other = whole + ((long long)words[PARTNER] * pixels + pixel) * 3;
  const bool is_inside = words[TOP] <= row && row < words[BOTTOM] && words[LEFT] <= column && column < words[RIGHT];
  const float share = __int_as_float(words[SHARE]), rest = __fsub_rn(1.0f, share);
  for (int c = 0; c < 3; c++) {
    const float value = is_inside ? __fadd_rn(__fmul_rn(share, own[c]), __fmul_rn(rest, other[c])) : own[c];
    const long long at = (long long)k * 3 + c;
    if (is_bf16) ((bf16*)to)[at] = narrow<bf16>(value);
    else ((float*)to)[at] = value;
  }
}

// The labels of the partners of a part's images, and the share of their own.
extern "C" __global__ void gather_partners(const unsigned char* labels, const int* order, const int* mixing, const unsigned* first,
                                           int start, int images, unsigned* to, float* weight) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= images) return;
  const int* words = mixing + (long long)(*first + start + i) * MIXING;
  to[i] = labels[order[*first + words[PARTNER]]];
  if (i == 0) *weight = __int_as_float(words[WEIGHT]);
}

extern "C" __global__ void take_seed(const unsigned long long* seeds, const unsigned* first, int start, unsigned long long* to) {
  *to = seeds[*first + start];
}
