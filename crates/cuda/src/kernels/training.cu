// What a step does besides the network's passes: batches, updates, averages, a log. Values, gradients and buffers are flat
// and laid out alike; 64 neighbouring ones belong to one parameter, whose group is told by `group_of` (255: not updated).
// Where `narrow_of` is 1, the gradient is in `narrow_gradients`.
// `groups` has two factors a group: of the learning rate and of the weight decay. `rates` has four numbers a step.

extern "C" __global__ void gather_labels(const unsigned char* labels, const int* order, const unsigned* first, int batch,
                                         unsigned* to) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < batch) to[i] = labels[order[*first + i]];
}

__device__ __forceinline__ float sign(float p) { return p > 0.0f ? 1.0f : p < 0.0f ? -1.0f : 0.0f; }

// What a gradient is scaled by so that the norm of all is `most` at most (0: any).
__device__ __forceinline__ float clip_scale(float most, const double* totals) {
  if (!(most > 0.0f)) return 1.0f;
  const double factor = most / (sqrt(totals[0]) + 1e-6);
  return factor < 1.0 ? (float)factor : factor == factor ? 1.0f : (float)factor;
}

// A gradient with the penalty's share, clipped.
__device__ __forceinline__ float treated(float gradient, float p, float scale, float l1, float limit) {
  const float x = scale * (gradient + l1 * sign(p));
  if (!(limit > 0.0f)) return x;
  return x > limit ? limit : x < -limit ? -limit : x;
}

__device__ __forceinline__ double sum_of_block(double value, double* shared) {
  __syncthreads();
  shared[threadIdx.x] = value;
  __syncthreads();
  for (int half = 128; half > 0; half /= 2) {
    if (threadIdx.x < half) shared[threadIdx.x] += shared[threadIdx.x + half];
    __syncthreads();
  }
  return shared[0];
}

// Two sums of each block of 256 threads: the squares of gradients with the penalty's share, and |p|.
extern "C" __global__ void gradient_sums(const float* values, const float* gradients, const bf16* narrow_gradients,
                                         const unsigned char* narrow_of, const unsigned char* group_of, float l1, int count,
                                         double* sums) {
  __shared__ double shared[256];
  double squares = 0.0, magnitudes = 0.0;
  for (int k = blockIdx.x * 256 + threadIdx.x; k < count; k += gridDim.x * 256) {
    if (group_of[k / 64] == 255) continue;
    const float gradient = narrow_of[k / 64] ? widen(narrow_gradients[k]) : gradients[k];
    const float p = values[k], g = gradient + l1 * sign(p);
    squares += (double)g * g;
    magnitudes += fabsf(p);
  }
  squares = sum_of_block(squares, shared);
  magnitudes = sum_of_block(magnitudes, shared);
  if (threadIdx.x == 0) {
    sums[2 * blockIdx.x] = squares;
    sums[2 * blockIdx.x + 1] = magnitudes;
  }
}

// The sums of all blocks, by one of 256 threads.
extern "C" __global__ void gradient_totals(const double* sums, int blocks, double* totals) {
  __shared__ double shared[256];
  for (int which = 0; which < 2; which++) {
    double sum = 0.0;
    for (int b = threadIdx.x; b < blocks; b += 256) sum += sums[2 * b + which];
    sum = sum_of_block(sum, shared);
    if (threadIdx.x == 0) totals[which] = sum;
  }
}

// Rules, as PyTorch has them: 0 SGD, 1 with momentum, 2 with Nesterov's (rates: lr, momentum, keep, take); 3 Adam, 4 AdamW
// (lr, 1 − beta1, 1 − beta1^t, √(1 − beta2^t)); 5 RMSprop (lr, momentum).
extern "C" __global__ void update(int rule, float* values, const float* gradients, const bf16* narrow_gradients,
                                  const unsigned char* narrow_of, float* first, float* second, bf16* rounded,
                                  const unsigned char* group_of, const float* groups, const float* rates,
                                  const unsigned* step, const double* totals, float l1, float limit, float most, float decay,
                                  float keep, float fresh, float epsilon, int count) {
  const int at = (blockIdx.x * blockDim.x + threadIdx.x) * 4;
  if (at >= count) return;
  const int group = group_of[at / 64];
  if (group == 255) return;
  const float* rate = rates + 4 * *step;
  const float lr = rate[0] * groups[2 * group], wd = decay * groups[2 * group + 1];
  const float scale = clip_scale(most, totals);
  float p[4], g[4], a[4], b[4];
  load(p, values + at);
  if (narrow_of[at / 64]) load(g, narrow_gradients + at);
  else load(g, gradients + at);
  if (rule > 0) load(a, first + at);
  if (rule > 2) load(b, second + at);
#pragma unroll
  for (int i = 0; i < 4; i++) {
    float x = treated(g[i], p[i], scale, l1, limit);
    if (rule == 0) {
      p[i] -= lr * (x + wd * p[i]);
    } else if (rule <= 2) {
      x += wd * p[i];
      a[i] = rate[2] * a[i] + rate[3] * x;
      p[i] -= lr * (rule == 1 ? a[i] : x + rate[1] * a[i]);
    } else if (rule <= 4) {
      if (rule == 4) p[i] *= 1.0f - lr * wd;
      else x += wd * p[i];
      a[i] += rate[1] * (x - a[i]);
      b[i] = keep * b[i] + fresh * x * x;
      p[i] -= lr / rate[2] * a[i] / (sqrtf(b[i]) / rate[3] + epsilon);
    } else {
      x += wd * p[i];
      a[i] = keep * a[i] + fresh * x * x;
      b[i] = rate[1] * b[i] + x / (sqrtf(a[i]) + epsilon);
      p[i] -= lr * b[i];
    }
  }
  store(values + at, p);
  if (rule > 0) store(first + at, a);
  if (rule > 2) store(second + at, b);
  if (rounded) store(rounded + at, p);
}

// What is told of a step: its loss, and the sums of gradients and parameters. Of a batch in parts it is told part by part, the
// one of `images` images that begins at `start`, each with its share of the loss; sums are those that are there for the last.
extern "C" __global__ void log_step(const unsigned* step, const float* loss, const double* totals, const unsigned char* predicted,
                                    int start, int images, int batch, double* log, unsigned char* all_predicted) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < images) all_predicted[*step * batch + start + i] = predicted[i];
  double* told = log + 3 * *step;
  if (i == 0) {
    const double part = (double)images / batch * *loss;
    told[0] = start == 0 ? part : told[0] + part;
  } else if (i < 3) {
    told[i] = totals[i - 1];
  }
}

extern "C" __global__ void advance(unsigned* step, unsigned* first, int batch) {
  *step += 1;
  *first += batch;
}

// slow ← slow + weight·(values − slow), and values ← slow where they are given back.
extern "C" __global__ void mix(float* values, float* slow, bf16* rounded, float weight, int gives, int count) {
  const int at = (blockIdx.x * blockDim.x + threadIdx.x) * 4;
  if (at >= count) return;
  float p[4], s[4];
  load(p, values + at);
  load(s, slow + at);
#pragma unroll
  for (int i = 0; i < 4; i++) s[i] = weight == 1.0f ? p[i] : s[i] + weight * (p[i] - s[i]);
  store(slow + at, s);
  if (gives) {
    store(values + at, s);
    if (rounded) store(rounded + at, s);
  }
}

extern "C" __global__ void exchange(float* values, float* slow, bf16* rounded, int count) {
  const int at = (blockIdx.x * blockDim.x + threadIdx.x) * 4;
  if (at >= count) return;
  float p[4], s[4];
  load(p, values + at);
  load(s, slow + at);
  store(values + at, s);
  store(slow + at, p);
  if (rounded) store(rounded + at, s);
}
