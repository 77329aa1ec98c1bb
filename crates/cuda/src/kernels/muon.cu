// Muon on filters. A filter is a matrix of C_out rows and KH·KW·C_in columns; here it lies with its shorter side down and with
// margins of zeros, `m` by `n`, both multiples of 64, so that no product needs bounds. A `Tile` is 64 by 64 of one of them. All sums
// are in an order that is always the same. Filters whose group is 255 are not updated.

constexpr int SIDE = 64, AREA = SIDE * SIDE, DEPTH = 16;
// Values of a row in shared memory: whole packs of four, and neighbouring rows in different banks.
constexpr int PITCH = SIDE + 4;
// Columns that one block of `muon_gram` sums over.
constexpr int PART = 256;

// Where a matrix begins among the parameters, and its sides there; where it begins in `x`, and its sides; where its Gram matrix
// begins, and that one's parts; its first tile and their number.
struct Matrix { int values, rows, columns, x, m, n, gram, parts, tiles, count; };
struct Tile { int matrix, i, j, part; };

// Where a value lies among the parameters; -1 in the margins.
__device__ __forceinline__ int place(const Matrix& of, int i, int j) {
  const bool turned = of.rows > of.columns;
  const int row = turned ? j : i, column = turned ? i : j;
  return row < of.rows && column < of.columns ? of.values + row * of.columns + column : -1;
}

__device__ __forceinline__ bool is_left_alone(const Matrix& matrix, const unsigned char* group_of) {
  return group_of[matrix.values / 64] == 255;
}

// Of pairs i <= j of tiles.
__device__ __forceinline__ int pairs_before(int j) { return j * (j + 1) / 2; }

// What is orthogonalised: the gradient, the buffer or Nesterov's sum of both (momentum 0, 1, 2), with the sum of squares of each
// tile of it and of the values. By 256 threads a tile. `rates` has two numbers a step: learning rate and momentum.
extern "C" __global__ void muon_direction(const Matrix* matrices, const Tile* tiles, const unsigned char* group_of, int momentum,
                                          const float* values, const float* gradients, const bf16* narrow_gradients,
                                          const unsigned char* narrow_of, float* buffer, const float* rates, const unsigned* step,
                                          const double* totals, float l1, float limit, float most, float* x, double* sums) {
  __shared__ double shared[256];
  const Tile tile = tiles[blockIdx.x];
  const Matrix matrix = matrices[tile.matrix];
  if (is_left_alone(matrix, group_of)) return;
  const float kept = rates[2 * *step + 1], scale = clip_scale(most, totals);
  double of_direction = 0.0, of_values = 0.0;
  for (int k = threadIdx.x; k < AREA; k += 256) {
    const int i = tile.i * SIDE + k / SIDE, j = tile.j * SIDE + k % SIDE;
    const int at = place(matrix, i, j);
    float u = 0.0f;
    if (at >= 0) {
      const float p = values[at];
      const float gradient = narrow_of[at / 64] ? widen(narrow_gradients[at]) : gradients[at];
      const float g = treated(gradient, p, scale, l1, limit);
      const float b = kept * buffer[at] + g;
      buffer[at] = b;
      u = momentum == 0 ? g : momentum == 1 ? b : g + kept * b;
      of_direction += (double)u * u;
      of_values += (double)p * p;
    }
    x[matrix.x + i * matrix.n + j] = u;
  }
  of_direction = sum_of_block(of_direction, shared);
  of_values = sum_of_block(of_values, shared);
  if (threadIdx.x == 0) {
    sums[2 * blockIdx.x] = of_direction;
    sums[2 * blockIdx.x + 1] = of_values;
  }
}

// By 256 threads a matrix: what makes the direction's norm 1, and the values' √C_out.
extern "C" __global__ void muon_norms(const Matrix* matrices, const unsigned char* group_of, const double* sums, float* scales) {
  __shared__ double shared[256];
  const Matrix matrix = matrices[blockIdx.x];
  if (is_left_alone(matrix, group_of)) return;
  double of_direction = 0.0, of_values = 0.0;
  for (int t = matrix.tiles + threadIdx.x; t < matrix.tiles + matrix.count; t += 256) {
    of_direction += sums[2 * t];
    of_values += sums[2 * t + 1];
  }
  of_direction = sum_of_block(of_direction, shared);
  of_values = sum_of_block(of_values, shared);
  if (threadIdx.x == 0) {
    scales[2 * blockIdx.x] = (float)(1.0 / (sqrt(of_direction) + 1e-7));
    scales[2 * blockIdx.x + 1] = of_values == 0.0 ? 1.0f : (float)(sqrt((double)matrix.rows) / sqrt(of_values));
  }
}

// A factor of a product: 64 of its rows, or of its columns, come to shared memory in pieces of DEPTH, as `to[depth][row]`.
// `pack` numbers a piece's 256 packs of four values.
struct Rows {
  const float* from;
  int pitch;
  float scale;
  __device__ __forceinline__ float4 load(int pack, int depth) const {
    float4 v = *reinterpret_cast<const float4*>(from + pack / 4 * pitch + depth + pack % 4 * 4);
    v.x *= scale, v.y *= scale, v.z *= scale, v.w *= scale;
    return v;
  }
  __device__ __forceinline__ void store(float (*to)[PITCH], int pack, float4 v) const {
    const int row = pack / 4, depth = pack % 4 * 4;
    to[depth][row] = v.x, to[depth + 1][row] = v.y, to[depth + 2][row] = v.z, to[depth + 3][row] = v.w;
  }
};
struct Columns {
  const float* from;
  int pitch;
  __device__ __forceinline__ float4 load(int pack, int depth) const {
    return *reinterpret_cast<const float4*>(from + (depth + pack / 16) * pitch + pack % 16 * 4);
  }
  __device__ __forceinline__ void store(float (*to)[PITCH], int pack, float4 v) const {
    *reinterpret_cast<float4*>(&to[pack / 16][pack % 16 * 4]) = v;
  }
};

// Rows and columns of a tile of which a thread, one of 128, has the sums: 8 rows, 4 columns.
__device__ __forceinline__ int own_row() { return threadIdx.x / 16 * 8; }
__device__ __forceinline__ int own_column() { return threadIdx.x % 16 * 4; }

// A tile of a product, summed from `begin` to `end`. The next piece is on its way while one is multiplied.
template <class A, class B>
__device__ __forceinline__ void multiply(const A& a, const B& b, int begin, int end, float (&sums)[8][4]) {
  __shared__ alignas(16) float left[2][DEPTH][PITCH], right[2][DEPTH][PITCH];
  const int mine = threadIdx.x, other = threadIdx.x + 128, row = own_row(), column = own_column();
#pragma unroll
  for (int r = 0; r < 8; r++)
#pragma unroll
    for (int c = 0; c < 4; c++) sums[r][c] = 0.0f;
  a.store(left[0], mine, a.load(mine, begin)), a.store(left[0], other, a.load(other, begin));
  b.store(right[0], mine, b.load(mine, begin)), b.store(right[0], other, b.load(other, begin));
  __syncthreads();
  int now = 0;
  for (int depth = begin; depth < end; depth += DEPTH) {
    const bool more = depth + DEPTH < end;
    float4 next[4];
    if (more) {
      next[0] = a.load(mine, depth + DEPTH), next[1] = a.load(other, depth + DEPTH);
      next[2] = b.load(mine, depth + DEPTH), next[3] = b.load(other, depth + DEPTH);
    }
#pragma unroll
    for (int k = 0; k < DEPTH; k++) {
      const float4 a0 = *reinterpret_cast<const float4*>(&left[now][k][row]);
      const float4 a1 = *reinterpret_cast<const float4*>(&left[now][k][row + 4]);
      const float4 b0 = *reinterpret_cast<const float4*>(&right[now][k][column]);
      const float as[8] = {a0.x, a0.y, a0.z, a0.w, a1.x, a1.y, a1.z, a1.w}, bs[4] = {b0.x, b0.y, b0.z, b0.w};
#pragma unroll
      for (int r = 0; r < 8; r++)
#pragma unroll
        for (int c = 0; c < 4; c++) sums[r][c] = fmaf(as[r], bs[c], sums[r][c]);
    }
    now = 1 - now;
    if (more) {
      a.store(left[now], mine, next[0]), a.store(left[now], other, next[1]);
      b.store(right[now], mine, next[2]), b.store(right[now], other, next[3]);
    }
    __syncthreads();
  }
}

// A part of xxᵀ: of tiles i <= j, over PART columns. The first time x is scaled on its way.
extern "C" __global__ void __launch_bounds__(128) muon_gram(const Matrix* matrices, const Tile* tiles, const unsigned char* group_of,
                                                            const float* scales, int first, const float* x, float* parts) {
  const Tile tile = tiles[blockIdx.x];
  const Matrix matrix = matrices[tile.matrix];
  if (is_left_alone(matrix, group_of)) return;
  const int begin = tile.part * PART, end = begin + PART < matrix.n ? begin + PART : matrix.n;
  const float scale = first ? scales[2 * tile.matrix] : 1.0f;
  const Rows a{x + matrix.x + tile.i * SIDE * matrix.n, matrix.n, scale}, b{x + matrix.x + tile.j * SIDE * matrix.n, matrix.n, scale};
  float sums[8][4];
  multiply(a, b, begin, end, sums);
  const int pair = pairs_before(tile.j) + tile.i, pairs = pairs_before(matrix.m / SIDE);
  float* to = parts + matrix.parts + (tile.part * pairs + pair) * AREA + own_row() * SIDE + own_column();
#pragma unroll
  for (int r = 0; r < 8; r++)
    *reinterpret_cast<float4*>(to + r * SIDE) = make_float4(sums[r][0], sums[r][1], sums[r][2], sums[r][3]);
}

// The sum of all parts of a tile i <= j, which is also the transpose of tile j, i. By 256 threads.
extern "C" __global__ void muon_gather(const Matrix* matrices, const Tile* tiles, const unsigned char* group_of, const float* parts,
                                       float* gram) {
  __shared__ float turned[SIDE][SIDE + 1];
  const Tile tile = tiles[blockIdx.x];
  const Matrix matrix = matrices[tile.matrix];
  if (is_left_alone(matrix, group_of)) return;
  const int pair = pairs_before(tile.j) + tile.i, pairs = pairs_before(matrix.m / SIDE), count = (matrix.n + PART - 1) / PART;
  const float* from = parts + matrix.parts + pair * AREA;
  float* to = gram + matrix.gram;
  for (int k = threadIdx.x; k < AREA; k += 256) {
    float sum = 0.0f;
    for (int part = 0; part < count; part++) sum += from[part * pairs * AREA + k];
    to[(tile.i * SIDE + k / SIDE) * matrix.m + tile.j * SIDE + k % SIDE] = sum;
    turned[k % SIDE][k / SIDE] = sum;
  }
  if (tile.i == tile.j) return;
  __syncthreads();
  for (int k = threadIdx.x; k < AREA; k += 256)
    to[(tile.j * SIDE + k / SIDE) * matrix.m + tile.i * SIDE + k % SIDE] = turned[k / SIDE][k % SIDE];
}

// b·A + c·AA of the symmetric A, whose columns are read for its rows.
extern "C" __global__ void __launch_bounds__(128) muon_factor(const Matrix* matrices, const Tile* tiles, const unsigned char* group_of,
                                                              float b, float c, const float* gram, float* factor) {
  const Tile tile = tiles[blockIdx.x];
  const Matrix matrix = matrices[tile.matrix];
  if (is_left_alone(matrix, group_of)) return;
  const float* from = gram + matrix.gram;
  float sums[8][4];
  multiply(Columns{from + tile.i * SIDE, matrix.m}, Columns{from + tile.j * SIDE, matrix.m}, 0, matrix.m, sums);
#pragma unroll
  for (int r = 0; r < 8; r++) {
    const int at = (tile.i * SIDE + own_row() + r) * matrix.m + tile.j * SIDE + own_column();
    const float4 own = *reinterpret_cast<const float4*>(from + at);
    *reinterpret_cast<float4*>(factor + matrix.gram + at) =
        make_float4(b * own.x + c * sums[r][0], b * own.y + c * sums[r][1], b * own.z + c * sums[r][2], b * own.w + c * sums[r][3]);
  }
}

// a·x + Fx of the symmetric F. The first time x is scaled.
extern "C" __global__ void __launch_bounds__(128) muon_bend(const Matrix* matrices, const Tile* tiles, const unsigned char* group_of,
                                                            const float* scales, int first, float a, const float* factor,
                                                            const float* x, float* bent) {
  const Tile tile = tiles[blockIdx.x];
  const Matrix matrix = matrices[tile.matrix];
  if (is_left_alone(matrix, group_of)) return;
  const float scale = first ? scales[2 * tile.matrix] : 1.0f;
  const float* from = x + matrix.x;
  float sums[8][4];
  multiply(Columns{factor + matrix.gram + tile.i * SIDE, matrix.m}, Columns{from + tile.j * SIDE, matrix.n}, 0, matrix.m, sums);
#pragma unroll
  for (int r = 0; r < 8; r++) {
    const int at = (tile.i * SIDE + own_row() + r) * matrix.n + tile.j * SIDE + own_column();
    const float4 own = *reinterpret_cast<const float4*>(from + at);
    *reinterpret_cast<float4*>(bent + matrix.x + at) =
        make_float4(scale * (a * own.x + sums[r][0]), scale * (a * own.y + sums[r][1]), scale * (a * own.z + sums[r][2]),
                    scale * (a * own.w + sums[r][3]));
  }
}

// The step along what came of it. By 256 threads a tile.
extern "C" __global__ void muon_step(const Matrix* matrices, const Tile* tiles, const unsigned char* group_of, const float* groups,
                                     const float* rates, const unsigned* step, const float* scales, int rescaled, float decay,
                                     const float* x, float* values, bf16* rounded) {
  const Tile tile = tiles[blockIdx.x];
  const Matrix matrix = matrices[tile.matrix];
  if (is_left_alone(matrix, group_of)) return;
  const int group = group_of[matrix.values / 64];
  const float lr = rates[2 * *step] * groups[2 * group], wd = decay * groups[2 * group + 1];
  const float kept = rescaled ? scales[2 * tile.matrix + 1] : 1.0f - lr * wd;
  for (int k = threadIdx.x; k < AREA; k += 256) {
    const int i = tile.i * SIDE + k / SIDE, j = tile.j * SIDE + k % SIDE;
    const int at = place(matrix, i, j);
    if (at < 0) continue;
    const float p = kept * values[at] - lr * x[matrix.x + i * matrix.n + j];
    values[at] = p;
    if (rounded) rounded[at] = narrow<bf16>(p);
  }
}
