// Kernels by hand with the ABI of compiled ones, for tests of the runtime: as a shared object (an artefact's
// kernels.so) and linked into the test program.
#include <cstdint>
#include <cstdlib>

// A compiled kernel loads and stores whole vectors, which end the program at an address like that.
template <int Count>
static void expectAligned(void *const *buffers) {
  for (int i = 0; i < Count; ++i)
    if (reinterpret_cast<uintptr_t>(buffers[i]) % 64)
      std::abort();
}

extern "C" {

/// y[i] = a[i] + b[i] over d0 rows of 4; one task a row.
__attribute__((visibility("default"))) void test_add(void *const *buffers, const int64_t *dims, int64_t first,
                                                     int64_t last, void *scratch) {
  expectAligned<3>(buffers);
  auto *a = static_cast<const float *>(buffers[0]), *b = static_cast<const float *>(buffers[1]);
  auto *y = static_cast<float *>(buffers[2]);
  auto *row = static_cast<float *>(scratch); // through the scratch, so that sharing it would show
  for (int64_t i = first; i < last && i < dims[0]; ++i) {
    for (int64_t j = 0; j < 4; ++j)
      row[j] = a[4 * i + j] + b[4 * i + j];
    for (int64_t j = 0; j < 4; ++j)
      y[4 * i + j] = row[j];
  }
}

/// y[i] = x[i] * w[i % 4] over d0 rows of 4.
__attribute__((visibility("default"))) void test_scale(void *const *buffers, const int64_t *, int64_t first,
                                                       int64_t last, void *) {
  expectAligned<3>(buffers);
  auto *x = static_cast<const float *>(buffers[0]), *w = static_cast<const float *>(buffers[1]);
  auto *y = static_cast<float *>(buffers[2]);
  for (int64_t i = 4 * first; i < 4 * last; ++i)
    y[i] = x[i] * w[i % 4];
}

/// y[j] = 2 * w[j], 4 elements: packing at load.
__attribute__((visibility("default"))) void test_pack(void *const *buffers, const int64_t *, int64_t, int64_t, void *) {
  auto *w = static_cast<const float *>(buffers[0]);
  auto *y = static_cast<float *>(buffers[1]);
  for (int j = 0; j < 4; ++j)
    y[j] = 2 * w[j];
}
}
