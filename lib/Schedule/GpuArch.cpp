#include "lib/Schedule/GpuArch.h"

namespace tenon {

// Limits per SM, block and thread: CUDA C++ Programming Guide 13.0, "Technical Specifications per Compute Capability".
// f32 and MUFU rates: the same, "Throughput of Native Arithmetic Instructions".
// Features and the PTX version each needs: PTX ISA 9.0, "PTX ISA Notes" of each instruction. CUDA release of a PTX
// version: the same, "Release Notes".
static const std::array<GpuArch, 4> archs = {{
    // Counts, clock, L2, Tensor Core rates: NVIDIA A100 Tensor Core GPU Architecture whitepaper, table 1 and appendix A
    // (312 TFLOP/s in bf16, 156 in tf32, 624 TOP/s in i8). Memory: A100 80GB SXM datasheet.
    {/*name=*/"sm_80",
     /*capability=*/80,
     /*reference=*/"A100 SXM 80GB",
     /*numSms=*/108,
     /*sharedBytesPerSm=*/164 * 1024,
     /*sharedBytesPerBlock=*/163 * 1024,
     /*sharedBytesReserved=*/1024,
     /*registersPerSm=*/65536,
     /*registersPerThread=*/255,
     /*maxWarpsPerSm=*/64,
     /*maxBlocksPerSm=*/32,
     /*maxClusterBlocks=*/0,
     /*l2Bytes=*/int64_t(40) << 20,
     /*memoryBytesPerSecond=*/2039e9,
     /*clockHz=*/1410e6,
     {/*tensor16=*/1024, /*tensorTf32=*/512, /*tensor8=*/2048, /*tensorF8=*/0, /*f32=*/64, /*special=*/16},
     /*hasAsyncCopy=*/true,
     /*hasLdmatrix=*/true,
     /*hasStmatrix=*/false,
     /*hasTma=*/false,
     /*hasWgmma=*/false,
     /*ptxVersion=*/80,
     /*minToolkitVersion=*/120},
    // NVIDIA Ampere GA102 GPU Architecture whitepaper, appendix on the RTX A6000 (154.8 TFLOP/s in bf16 with f32
    // accumulation, 77.4 in tf32, 309.7 TOP/s in i8). GeForce parts of this capability have half the first two.
    {/*name=*/"sm_86",
     /*capability=*/86,
     /*reference=*/"RTX A6000",
     /*numSms=*/84,
     /*sharedBytesPerSm=*/100 * 1024,
     /*sharedBytesPerBlock=*/99 * 1024,
     /*sharedBytesReserved=*/1024,
     /*registersPerSm=*/65536,
     /*registersPerThread=*/255,
     /*maxWarpsPerSm=*/48,
     /*maxBlocksPerSm=*/16,
     /*maxClusterBlocks=*/0,
     /*l2Bytes=*/int64_t(6) << 20,
     /*memoryBytesPerSecond=*/768e9,
     /*clockHz=*/1800e6,
     {/*tensor16=*/512, /*tensorTf32=*/256, /*tensor8=*/1024, /*tensorF8=*/0, /*f32=*/128, /*special=*/16},
     /*hasAsyncCopy=*/true,
     /*hasLdmatrix=*/true,
     /*hasStmatrix=*/false,
     /*hasTma=*/false,
     /*hasWgmma=*/false,
     /*ptxVersion=*/80,
     /*minToolkitVersion=*/120},
    // NVIDIA Ada GPU Architecture whitepaper, appendix on the RTX 6000 Ada (364.2 TFLOP/s in bf16, 182.1 in tf32, 728.5
    // in fp8, 728.5 TOP/s in i8). PTX 8.4: mma of fp8.
    {/*name=*/"sm_89",
     /*capability=*/89,
     /*reference=*/"RTX 6000 Ada",
     /*numSms=*/142,
     /*sharedBytesPerSm=*/100 * 1024,
     /*sharedBytesPerBlock=*/99 * 1024,
     /*sharedBytesReserved=*/1024,
     /*registersPerSm=*/65536,
     /*registersPerThread=*/255,
     /*maxWarpsPerSm=*/48,
     /*maxBlocksPerSm=*/24,
     /*maxClusterBlocks=*/0,
     /*l2Bytes=*/int64_t(96) << 20,
     /*memoryBytesPerSecond=*/960e9,
     /*clockHz=*/2505e6,
     {/*tensor16=*/512, /*tensorTf32=*/256, /*tensor8=*/1024, /*tensorF8=*/1024, /*f32=*/128, /*special=*/16},
     /*hasAsyncCopy=*/true,
     /*hasLdmatrix=*/true,
     /*hasStmatrix=*/false,
     /*hasTma=*/false,
     /*hasWgmma=*/false,
     /*ptxVersion=*/84,
     /*minToolkitVersion=*/124},
    // Tensor Core rates: NVIDIA H100 Tensor Core GPU Architecture whitepaper, table 2 (989.4 TFLOP/s in bf16, 494.7 in
    // tf32, 1978.9 in fp8 and TOP/s in i8, at 1830 MHz). SMs, shared memory and L2: as the driver of an H200 reports
    // them (cuDeviceGetAttribute); its memory: 3201 MHz, 6016 bits, two transfers a clock, 4.8 TB/s in the datasheet.
    {/*name=*/"sm_90a",
     /*capability=*/90,
     /*reference=*/"H200 SXM",
     /*numSms=*/132,
     /*sharedBytesPerSm=*/228 * 1024,
     /*sharedBytesPerBlock=*/227 * 1024,
     /*sharedBytesReserved=*/1024,
     /*registersPerSm=*/65536,
     /*registersPerThread=*/255,
     /*maxWarpsPerSm=*/64,
     /*maxBlocksPerSm=*/32,
     /*maxClusterBlocks=*/8,
     /*l2Bytes=*/int64_t(60) << 20,
     /*memoryBytesPerSecond=*/4814e9,
     /*clockHz=*/1830e6,
     {/*tensor16=*/2048, /*tensorTf32=*/1024, /*tensor8=*/4096, /*tensorF8=*/4096, /*f32=*/128, /*special=*/16},
     /*hasAsyncCopy=*/true,
     /*hasLdmatrix=*/true,
     /*hasStmatrix=*/true,
     /*hasTma=*/true,
     /*hasWgmma=*/true,
     /*ptxVersion=*/84,
     /*minToolkitVersion=*/124},
}};

const std::array<GpuArch, 4> &gpuArchs() { return archs; }

Result<const GpuArch *> findGpuArch(std::string_view name) {
  std::string known;
  for (const GpuArch &arch : archs) {
    if (name == arch.name)
      return &arch;
    known += (known.empty() ? "" : ", ") + std::string(arch.name);
  }
  std::string message = "GPU architecture '" + std::string(name) + "' is unknown; it is one of " + known;
  if (name == "sm_90")
    message += "; wgmma and setmaxnreg exist in sm_90a only, and an sm_90 device runs its code";
  return invalidArgument(message);
}

} // namespace tenon
