// Augments a batch: one thread a pixel of the output, all of it integer arithmetic but for a rotation's coordinates.
// What `words`, `integers` and `values` hold is documented in `wick_augment::packed`; `PackedList::apply` is this in Rust.

namespace wick_augment {

// Places in `integers`.
enum {
    INPUT_HEIGHT, INPUT_WIDTH, OUTPUT_HEIGHT, OUTPUT_WIDTH, HOLES, STRIDE, ROTATED_HEIGHT, ROTATED_WIDTH, BORDER, COLORS
};
// Words of an image: two flags, then the index lists, the holes, and the rotation.
enum { NORMALIZED, ROTATED, ROWS };
// Words of a hole, of an f64, and of a rotation; values of a table.
enum { HOLE = 4, WIDE = 4, MATRIX = 6 * WIDE, TABLE = 3 * 256 };

// One image: its bytes, and what is the same for all images.
struct Image {
    const unsigned char* bytes;
    const int* integers;
};

// Colours are red + 256 green + 65536 blue.
static __device__ int channel(int color, int k) { return (color >> (8 * k)) & 255; }

// The image's pixel, or a constant colour if one of the two is a code.
static __device__ int gather(Image image, int row, int column) {
    const int code = row < column ? row : column;
    if (code < 0) return image.integers[COLORS + ~code];
    const unsigned char* pixel = image.bytes + 3 * (row * image.integers[INPUT_WIDTH] + column);
    return pixel[0] | pixel[1] << 8 | pixel[2] << 16;
}

// The index within an image's side on which `at` falls when the image is mirrored about its edge pixels again and again.
static __device__ int reflect101(int at, int side) {
    if (side == 1) return 0;
    const int period = 2 * (side - 1);
    at %= period;
    if (at < 0) at += period;
    return at < period - at ? at : period - at;
}

// The pixel of what is rotated, which may lie outside. `rows` is followed by the columns.
static __device__ int corner(Image image, const short* rows, int row, int column) {
    const int height = image.integers[ROTATED_HEIGHT], width = image.integers[ROTATED_WIDTH];
    const int border = image.integers[BORDER];
    const bool is_inside = 0 <= row && row < height && 0 <= column && column < width;
    if (border < 0 && !is_inside) return image.integers[COLORS + ~border];
    const int from_row = rows[reflect101(row, height)], from_column = rows[height + reflect101(column, width)];
    return gather(image, from_row, from_column);
}

// The f64 at a place of the rotation's matrix, lowest word first.
static __device__ double wide(const short* matrix, int place) {
    unsigned long long bits = 0;
    for (int i = WIDE - 1; i >= 0; i--) bits = bits << 16 | (unsigned short)matrix[WIDE * place + i];
    return __longlong_as_double((long long)bits);
}

// To 1/1024 pixel, ties to even.
static __device__ int fixed(double x) { return __double2int_rn(__dmul_rn(x, 1024.0)); }

// A coordinate of the source in 1/32 pixel, by the matrix's row that begins at `place`. Each product and sum is rounded by itself.
static __device__ int coordinate(const short* matrix, int place, int x, int y) {
    const int column = fixed(__dmul_rn(wide(matrix, place), (double)x));
    const int row = fixed(__dadd_rn(__dmul_rn(wide(matrix, place + 1), (double)y), wide(matrix, place + 2)));
    return (row + 16 + column) >> 5;
}

// The rotated image's pixel. `matrix` is followed by the rows and columns of what is rotated.
static __device__ int rotated(Image image, const short* matrix, int row, int column) {
    const int at_x = coordinate(matrix, 0, column, row), at_y = coordinate(matrix, 3, column, row);
    const int x = at_x >> 5, y = at_y >> 5, fx = at_x & 31, fy = at_y & 31;
    const short* rows = matrix + MATRIX;
    const int a = corner(image, rows, y, x), b = corner(image, rows, y, x + 1);
    const int c = corner(image, rows, y + 1, x), d = corner(image, rows, y + 1, x + 1);
    int color = 0;
    for (int k = 0; k < 3; k++) {
        const int top = channel(a, k) * (32 - fx) + channel(b, k) * fx;
        const int bottom = channel(c, k) * (32 - fx) + channel(d, k) * fx;
        color |= ((top * (32 - fy) + bottom * fy + 512) >> 10) << (8 * k);
    }
    return color;
}

// The last hole in which a pixel lies, or -1.
static __device__ int last_hole(const short* holes, int count, int row, int column) {
    for (int i = count - 1; i >= 0; i--) {
        const short* hole = holes + HOLE * i;
        if (hole[0] <= row && row < hole[2] && hole[1] <= column && column < hole[3]) return i;
    }
    return -1;
}

// A finite value as bf16, to nearest, ties to even.
static __device__ unsigned int to_bf16(float value) {
    const unsigned int bits = __float_as_uint(value);
    return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
}

// Writes pixel `i` of an output of `channels` channels; of 4 and 8 in bf16 at once.
static __device__ void store_bf16(void* out, unsigned long long i, int channels, float red, float green, float blue) {
    const unsigned int low = to_bf16(red) | to_bf16(green) << 16, high = to_bf16(blue);
    if (channels == 8) {
        ((uint4*)out)[i] = make_uint4(low, high, 0, 0);
    } else if (channels == 4) {
        ((uint2*)out)[i] = make_uint2(low, high);
    } else {
        unsigned short* pixel = (unsigned short*)out + i * channels;
        pixel[0] = (unsigned short)low;
        pixel[1] = (unsigned short)(low >> 16);
        pixel[2] = (unsigned short)high;
        for (int k = 3; k < channels; k++) pixel[k] = 0;
    }
}

static __device__ void store_f32(void* out, unsigned long long i, int channels, float red, float green, float blue) {
    float* pixel = (float*)out + i * channels;
    pixel[0] = red;
    pixel[1] = green;
    pixel[2] = blue;
    for (int k = 3; k < channels; k++) pixel[k] = 0.0f;
}

// Images first to first + batch - 1 of an epoch, `first` being what lies there when the kernel runs.
//
//   images        all images, (N, H, W, 3) bytes
//   order         for each position in the epoch: which of the images
//   words         for each position in the epoch: the image's words
//   integers, values   the list's
//   out           (batch, H', W', out_channels), bf16 if `bf16` is not 0, else f32, aligned to 16 bytes; 3 channels or
//                 more, of which those beyond the third become 0
//
// Any one-dimensional grid of at least batch * H' * W' threads.
extern "C" __global__ void augment(
    const unsigned char* __restrict__ images, const int* __restrict__ order, const short* __restrict__ words,
    const int* __restrict__ integers, const float* __restrict__ values, void* __restrict__ out, int bf16,
    int out_channels, const unsigned int* __restrict__ first, int batch
) {
    const int height = integers[OUTPUT_HEIGHT], width = integers[OUTPUT_WIDTH], holes = integers[HOLES];
    const unsigned long long thread = (unsigned long long)blockIdx.x * blockDim.x + threadIdx.x;
    const unsigned long long pixels = (unsigned long long)height * width;
    if (thread >= batch * pixels) return;
    const unsigned long long position = *first + thread / pixels;
    const int pixel = (int)(thread % pixels);
    const int row = pixel / width, column = pixel % width;

    words += position * integers[STRIDE];
    const unsigned long long bytes = 3ull * integers[INPUT_HEIGHT] * integers[INPUT_WIDTH];
    const Image image = {images + order[position] * bytes, integers};
    const int normalized = words[NORMALIZED];
    const short* rows = words + ROWS;
    const short* first_hole = rows + height + width;

    float red, green, blue;
    const int hole = last_hole(first_hole, holes, row, column);
    if (hole >= 0) {
        const float* fill = values + 2 * TABLE + (normalized * holes + hole) * 3;
        red = fill[0];
        green = fill[1];
        blue = fill[2];
    } else {
        const int from_row = rows[row], from_column = rows[height + column];
        const bool is_rotated = words[ROTATED] && from_row >= 0 && from_column >= 0;
        const int color = is_rotated ? rotated(image, first_hole + HOLE * holes, from_row, from_column)
                                     : gather(image, from_row, from_column);
        const float* table = values + normalized * TABLE;
        red = table[channel(color, 0)];
        green = table[256 + channel(color, 1)];
        blue = table[512 + channel(color, 2)];
    }

    if (bf16) store_bf16(out, thread, out_channels, red, green, blue);
    else store_f32(out, thread, out_channels, red, green, blue);
}

}  // namespace wick_augment
