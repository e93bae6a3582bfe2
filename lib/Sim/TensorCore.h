// The arithmetic of Tensor Cores, as they are known to form sums (Fasi, Higham, Mikaitis, Pranesh 2021, "Numerical
// behavior of NVIDIA tensor cores"): products are exact; products and accumulator are aligned to the largest exponent
// among them and cut off there, some bits below the accumulator's last; the sum of these is exact and cut off to f32,
// or to 14 bits where products are of fp8 and their short sums are asked for. So all is exact, in any order, as long as
// the sums are integers below 2^24 of one scale (2^14 for fp8). How many bits and products there are was found by what
// an H200 gives (test/sim/device).
#pragma once

#include "lib/Sim/DeviceFunctions.h"

namespace tenon::sim {

uint32_t bitsOf(MmaType type);
/// The element of a 32-bit register.
double decode(MmaType type, uint32_t word, uint32_t index);
float sumOfProducts(const double *a, const double *b, MmaType typeA, MmaType typeB, uint32_t count, float c,
                    bool isShort = false);
uint32_t sumOfIntegers(const double *a, const double *b, uint32_t count, uint32_t c, bool saturates);

} // namespace tenon::sim
