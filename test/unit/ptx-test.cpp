// From the LLVM dialect to gated cubins: a vector addition, an mma.sync tile and a TMA + wgmma kernel, for every
// architecture that has what they use.
#include "lib/Target/CubinGates.h"
#include "lib/Target/PtxCodeGeneration.h"
#include "test/unit/GpuToolkit.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/GPU/GPUToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"

#include <gtest/gtest.h>

using namespace mlir;

namespace tenon::test {
namespace {

const char *const vectorAdd = R"(
  gpu.module @kernels {
    llvm.func @vector_add(%x: !llvm.ptr<1>, %y: !llvm.ptr<1>, %z: !llvm.ptr<1>, %n: i32)
        attributes {nvvm.kernel, nvvm.maxntid = array<i32: 128>} {
      %thread = nvvm.read.ptx.sreg.tid.x : i32
      %block = nvvm.read.ptx.sreg.ctaid.x : i32
      %threads = nvvm.read.ptx.sreg.ntid.x : i32
      %first = llvm.mul %block, %threads : i32
      %i = llvm.add %first, %thread : i32
      %inside = llvm.icmp "slt" %i, %n : i32
      llvm.cond_br %inside, ^add, ^end
    ^add:
      %xp = llvm.getelementptr %x[%i] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
      %yp = llvm.getelementptr %y[%i] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
      %zp = llvm.getelementptr %z[%i] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
      %xv = llvm.load %xp : !llvm.ptr<1> -> f32
      %yv = llvm.load %yp : !llvm.ptr<1> -> f32
      %sum = llvm.fadd %xv, %yv : f32 loc("model.mlir":12:3)
      llvm.store %sum, %zp : f32, !llvm.ptr<1>
      llvm.br ^end
    ^end:
      llvm.return
    }
  }
)";

/// D = A B with A of 16 x 16 by ldmatrix from shared memory that cp.async filled.
const char *const mmaTile = R"(
  module {
    llvm.mlir.global external @smem() {addr_space = 3 : i32, alignment = 128 : i64} : !llvm.array<0 x i8>
    llvm.func @mma_tile(%a: !llvm.ptr<1>, %b: !llvm.ptr<1>, %d: !llvm.ptr<1>) attributes {nvvm.kernel, nvvm.reqntid = array<i32: 32>} {
      %lane = nvvm.read.ptx.sreg.tid.x : i32
      %bytes = llvm.mlir.constant(16 : i32) : i32
      %at = llvm.mul %lane, %bytes : i32
      %smem = llvm.mlir.addressof @smem : !llvm.ptr<3>
      %to = llvm.getelementptr %smem[%at] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
      %from = llvm.getelementptr %a[%at] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i8
      nvvm.cp.async.shared.global %to, %from, 16, cache = cg : !llvm.ptr<3>, !llvm.ptr<1>
      nvvm.cp.async.commit.group
      nvvm.cp.async.wait.group 0
      nvvm.barrier0
      %parts = nvvm.ldmatrix %to {num = 4 : i32, layout = #nvvm.mma_layout<row>, shape = #nvvm.ld_st_matrix_shape<m = 8, n = 8>, eltType = #nvvm.ld_st_matrix_elt_type<b16>} : (!llvm.ptr<3>) -> !llvm.struct<(i32, i32, i32, i32)>
      %a0 = llvm.extractvalue %parts[0] : !llvm.struct<(i32, i32, i32, i32)>
      %a1 = llvm.extractvalue %parts[1] : !llvm.struct<(i32, i32, i32, i32)>
      %a2 = llvm.extractvalue %parts[2] : !llvm.struct<(i32, i32, i32, i32)>
      %a3 = llvm.extractvalue %parts[3] : !llvm.struct<(i32, i32, i32, i32)>
      %bp = llvm.getelementptr %b[%at] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i8
      %b0 = llvm.load %bp : !llvm.ptr<1> -> i32
      %zero = llvm.mlir.constant(0.0 : f32) : f32
      %r = nvvm.mma.sync A[%a0, %a1, %a2, %a3] B[%b0, %b0] C[%zero, %zero, %zero, %zero]
        {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, shape = #nvvm.shape<m = 16, n = 8, k = 16>,
         multiplicandAPtxType = #nvvm.mma_type<bf16>, multiplicandBPtxType = #nvvm.mma_type<bf16>}
        : (i32, i32, f32) -> !llvm.struct<(f32, f32, f32, f32)>
      %dp = llvm.getelementptr %d[%at] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i8
      llvm.store %r, %dp : !llvm.struct<(f32, f32, f32, f32)>, !llvm.ptr<1>
      llvm.return
    }
  }
)";

const char *const wgmmaTile = R"(
  module {
    llvm.mlir.global external @smem() {addr_space = 3 : i32, alignment = 1024 : i64} : !llvm.array<0 x i8>
    llvm.func @wgmma_tile(%map: !llvm.ptr {llvm.byval = !llvm.struct<(array<16 x i64>)>, llvm.align = 64 : i64, nvvm.grid_constant}, %d: !llvm.ptr<1>)
        attributes {nvvm.kernel, nvvm.reqntid = array<i32: 128>, nvvm.minctasm = 1 : i32} {
      %thread = nvvm.read.ptx.sreg.tid.x : i32
      %zero = llvm.mlir.constant(0 : i32) : i32
      %one = llvm.mlir.constant(1 : i32) : i32
      %size = llvm.mlir.constant(9216 : i32) : i32
      %smem = llvm.mlir.addressof @smem : !llvm.ptr<3>
      %barrier = llvm.getelementptr %smem[9216] : (!llvm.ptr<3>) -> !llvm.ptr<3>, i8
      %leads = llvm.icmp "eq" %thread, %zero : i32
      llvm.cond_br %leads, ^load, ^wait
    ^load:
      nvvm.mbarrier.init %barrier, %one : !llvm.ptr<3>, i32
      nvvm.fence.mbarrier.init
      nvvm.mbarrier.arrive.expect_tx %barrier, %size : !llvm.ptr<3>, i32
      %to = llvm.addrspacecast %smem : !llvm.ptr<3> to !llvm.ptr<7>
      nvvm.cp.async.bulk.tensor.shared.cluster.global %to, %map, %barrier, box[%zero, %zero] : !llvm.ptr<7>, !llvm.ptr
      llvm.br ^wait
    ^wait:
      nvvm.barrier0
      llvm.inline_asm has_side_effects asm_dialect = att "{\0A.reg .pred p;\0AW${:uid}:\0Ambarrier.try_wait.parity.shared::cta.b64 p, [$0], $1;\0A@!p bra W${:uid};\0A}", "r,r,~{memory}" %barrier, %zero : (!llvm.ptr<3>, i32) -> ()
      %base = llvm.ptrtoint %smem : !llvm.ptr<3> to i64
      %four = llvm.mlir.constant(4 : i64) : i64
      %form = llvm.mlir.constant(4611686293305360384 : i64) : i64
      %units = llvm.lshr %base, %four : i64
      %desc = llvm.or %units, %form : i64
      %acc = llvm.inline_asm has_side_effects asm_dialect = att "{\0Awgmma.fence.sync.aligned;\0A.reg .pred p;\0Asetp.ne.b32 p, $5, 0;\0Awgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 {$0, $1, $2, $3}, $4, $4, p, 1, 1, 0, 0;\0Awgmma.commit_group.sync.aligned;\0Awgmma.wait_group.sync.aligned 0;\0A}", "=f,=f,=f,=f,l,r,~{memory}" %desc, %zero : (i64, i32) -> !llvm.struct<(f32, f32, f32, f32)>
      %bytes = llvm.mlir.constant(16 : i32) : i32
      %at = llvm.mul %thread, %bytes : i32
      %dp = llvm.getelementptr %d[%at] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i8
      llvm.store %acc, %dp : !llvm.struct<(f32, f32, f32, f32)>, !llvm.ptr<1>
      llvm.return
    }
  }
)";

/// A kernel around `body`, in which %x is a float.
std::string kernelOf(const std::string &body, const std::string &outside = "") {
  return "module {\n" + outside +
         "\nllvm.func @k(%p: !llvm.ptr<1>) attributes {nvvm.kernel} {\n  %x = llvm.load %p : !llvm.ptr<1> -> f32\n" +
         body + "\n  llvm.return\n}\n}";
}

class Ptx : public testing::Test {
protected:
  Ptx() {
    DialectRegistry registry;
    registry.insert<gpu::GPUDialect, LLVM::LLVMDialect, NVVM::NVVMDialect>();
    registerBuiltinDialectTranslation(registry);
    registerGPUDialectTranslation(registry);
    registerLLVMDialectTranslation(registry);
    registerNVVMDialectTranslation(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    options.places = testToolkit();
  }

  Result<GeneratedPtx> generate(const std::string &text, const char *arch) {
    source = parseSourceString<ModuleOp>(text, &context);
    if (!source)
      return invalidArgument("the test's IR does not parse");
    auto inner = source->getOps<gpu::GPUModuleOp>();
    Operation *module = inner.empty() ? source->getOperation() : (*inner.begin()).getOperation();
    return generatePtx(module, **findGpuArch(arch), options);
  }

  /// All the way; the facts of the one kernel.
  KernelFacts compile(const std::string &text, const char *arch, int64_t sharedBytes, bool needsTensorCore) {
    auto ptx = generate(text, arch);
    if (!ptx.ok()) {
      ADD_FAILURE() << ptx.status().message();
      return {};
    }
    Assembly assembly = assembleReal(ptx->ptx, arch);
    auto facts = checkCubin(assembly.cubin, assembly.log, **findGpuArch(arch),
                            {{ptx->kernels.at(0), sharedBytes, needsTensorCore}});
    if (!facts.ok()) {
      ADD_FAILURE() << facts.status().message();
      return {};
    }
    return facts->at(0);
  }

  void expectError(const Result<GeneratedPtx> &ptx, ErrorKind kind, std::initializer_list<const char *> parts) {
    ASSERT_FALSE(ptx.ok());
    EXPECT_EQ(ptx.status().kind(), kind) << ptx.status().message();
    for (const char *part : parts)
      EXPECT_NE(ptx.status().message().find(part), std::string::npos) << part << ": " << ptx.status().message();
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> source;
  PtxOptions options;
};

TEST_F(Ptx, KernelsForEveryArchitecture) {
  for (const GpuArch &arch : gpuArchs()) {
    KernelFacts add = compile(vectorAdd, arch.name, 0, false);
    EXPECT_EQ(add.code.count("LDG"), 2) << arch.name;
    EXPECT_EQ(add.code.count("STG"), 1) << arch.name;
    EXPECT_EQ(add.info.stackBytes, 0);
    KernelFacts tile = compile(mmaTile, arch.name, 512, true);
    EXPECT_EQ(tile.code.count("HMMA"), 1) << arch.name;
    EXPECT_EQ(tile.code.count("LDGSTS"), 1) << arch.name;
    EXPECT_EQ(tile.code.count("LDSM"), 1) << arch.name;
    if (!arch.hasWgmma)
      continue;
    KernelFacts hopper = compile(wgmmaTile, arch.name, 9224, true);
    EXPECT_EQ(hopper.code.count("HGMMA"), 1);
    EXPECT_EQ(hopper.code.count("UTMALDG"), 1);
    EXPECT_EQ(hopper.info.stackBytes, 0) << "the tensor map must stay a parameter";
  }
}

TEST_F(Ptx, TextSaysWhatItIsForAndIsRepeatable) {
  for (const GpuArch &arch : gpuArchs()) {
    auto first = generate(vectorAdd, arch.name), second = generate(vectorAdd, arch.name);
    ASSERT_TRUE(first.ok() && second.ok()) << first.status().message();
    EXPECT_EQ(first->ptx, second->ptx);
    EXPECT_EQ(first->kernels, std::vector<std::string>{"vector_add"});
    std::string version = std::to_string(arch.ptxVersion / 10) + "." + std::to_string(arch.ptxVersion % 10);
    EXPECT_NE(first->ptx.find(".version " + version), std::string::npos) << arch.name;
    EXPECT_NE(first->ptx.find(std::string(".target ") + arch.name), std::string::npos) << first->ptx;
    EXPECT_NE(first->ptx.find(".visible .entry vector_add("), std::string::npos);
    EXPECT_EQ(first->ptx.find(".loc"), std::string::npos);
    EXPECT_TRUE(first->ir.empty());
  }
}

TEST_F(Ptx, LocationsOnRequest) {
  auto plain = generate(vectorAdd, "sm_80");
  options.wantLocations = options.wantIr = true;
  auto ptx = generate(vectorAdd, "sm_80");
  ASSERT_TRUE(ptx.ok()) << ptx.status().message();
  EXPECT_NE(ptx->ptx.find("model.mlir:12:3"), std::string::npos) << ptx->ptx;
  EXPECT_NE(ptx->ptx.find(".loc"), std::string::npos) << ptx->ptx;
  EXPECT_EQ(ptx->ptx.find(".debug_info"), std::string::npos) << "no DWARF:" << ptx->ptx;
  EXPECT_NE(ptx->ir.find("define"), std::string::npos);
  EXPECT_FALSE((*source->getOps<gpu::GPUModuleOp>().begin()).getBody()->empty()) << "the module is left as it is";
  // A refusal of ptxas names the place in the model.
  size_t at = ptx->ptx.find("add.rn.f32");
  ASSERT_NE(at, std::string::npos) << ptx->ptx;
  Assembly wrong = realPtxas().assemble("vector_add", ptx->ptx.replace(at, 3, "sum"), **findGpuArch("sm_80"));
  EXPECT_NE(wrong.status.message().find("model.mlir:12:3"), std::string::npos) << wrong.status.message();
  // And the code is the same.
  EXPECT_EQ(compile(vectorAdd, "sm_80", 0, false).code.numInstructions,
            readCubin(assembleReal(plain->ptx, "sm_80").cubin)->functions[0].numInstructions);
}

TEST_F(Ptx, LibdeviceIsLinkedWhereItIsCalled) {
  std::string text = kernelOf("  %y = llvm.call @__nv_erff(%x) : (f32) -> f32\n  llvm.store %y, %p : f32, !llvm.ptr<1>",
                              "llvm.func @__nv_erff(f32) -> f32");
  for (const GpuArch &arch : gpuArchs()) {
    auto ptx = generate(text, arch.name);
    ASSERT_TRUE(ptx.ok()) << ptx.status().message();
    EXPECT_EQ(ptx->ptx.find("__nv_"), std::string::npos) << "inlined, and nothing else linked: " << ptx->ptx;
    EXPECT_GT(compile(text, arch.name, 0, false).code.count("FFMA"), 5);
  }
  options.places = ToolkitPlaces();
  options.places.usualRoot = "/nonexistent";
  expectError(generate(text, "sm_80"), ErrorKind::NotFound, {"__nv_erff", "/nonexistent/nvvm", "nvidia-nvvm"});
  TemporaryFolder folder = TemporaryFolder::create("tenon-libdevice-").take();
  ASSERT_EQ(std::system(("mkdir -p " + folder.file("nvvm/libdevice")).c_str()), 0);
  ASSERT_TRUE(folder.write("nvvm/libdevice/libdevice.10.bc", "no bitcode").ok());
  options.places.usualRoot = folder.path();
  expectError(generate(text, "sm_80"), ErrorKind::Corrupt, {"no LLVM bitcode"});
  // Not asked for, not looked for.
  EXPECT_TRUE(generate(vectorAdd, "sm_80").ok());
}

TEST_F(Ptx, ExtremaHaveAtLeast32Bits) {
  // LLVM would compute with 8 or 16 bits what stays below 256.
  std::string text = R"(
  module {
    llvm.func @k(%y: !llvm.ptr<1>) attributes {nvvm.kernel} {
      %three = llvm.mlir.constant(3 : i32) : i32
      %c64 = llvm.mlir.constant(64 : i32) : i32
      %c58 = llvm.mlir.constant(58 : i32) : i32
      %c12 = llvm.mlir.constant(12 : i32) : i32
      %block = nvvm.read.ptx.sreg.ctaid.x : i32
      %isSmall = llvm.icmp "ult" %block, %c12 : i32
      llvm.cond_br %isSmall, ^small, ^end
    ^small:
      %part = llvm.urem %block, %three : i32
      %row = llvm.mul %part, %c64 : i32
      %last = llvm.intr.umax(%row, %c58) : (i32, i32) -> i32
      %isNone = llvm.icmp "eq" %last, %c58 : i32
      llvm.cond_br %isNone, ^end, ^store
    ^store:
      llvm.store %block, %y : i32, !llvm.ptr<1>
      llvm.br ^end
    ^end:
      llvm.return
    }
  })";
  GeneratedPtx made = generate(text, "sm_90a").take();
  EXPECT_NE(made.ptx.find("max.u32"), std::string::npos) << made.ptx;
  EXPECT_EQ(made.ptx.find("max.u16"), std::string::npos) << made.ptx;
}

TEST_F(Ptx, WhatCannotBeCompiledIsAnError) {
  expectError(generate("module {}", "sm_80"), ErrorKind::InvalidArgument, {"no kernel", "nvvm.kernel"});
  expectError(generate(kernelOf("  llvm.call @elsewhere() : () -> ()", "llvm.func @elsewhere()"), "sm_80"),
              ErrorKind::InvalidArgument, {"'elsewhere'", "nobody defines"});
  expectError(generate(kernelOf("  %y = llvm.call @__nv_nonsense(%x) : (f32) -> f32\n"
                                "  llvm.store %y, %p : f32, !llvm.ptr<1>",
                                "llvm.func @__nv_nonsense(f32) -> f32"),
                       "sm_80"),
              ErrorKind::InvalidArgument, {"__nv_nonsense", "is not in"});
  for (const char *arch : {"sm_80", "sm_86", "sm_89"})
    expectError(generate(wgmmaTile, arch), ErrorKind::Unsupported, {"'wgmma_tile'", "llvm.nvvm.", arch, "sm_90a"});
  std::string fp8 = kernelOf("  %y = llvm.call_intrinsic \"llvm.nvvm.ff.to.e4m3x2.rn\"(%x, %x) : (f32, f32) -> i16\n"
                             "  llvm.store %y, %p : i16, !llvm.ptr<1>");
  expectError(generate(fp8, "sm_80"), ErrorKind::Unsupported, {"e4m3x2", "sm_80 lacks", "compile for sm_89"});
  for (const char *arch : {"sm_89", "sm_90a"})
    EXPECT_TRUE(generate(fp8, arch).ok());
  expectError(generate(kernelOf("  %m = llvm.mlir.constant(-1 : i32) : i32\n"
                                "  %y = llvm.call_intrinsic \"llvm.nvvm.redux.sync.fmin\"(%x, %m) : (f32, i32) -> f32\n"
                                "  llvm.store %y, %p : f32, !llvm.ptr<1>"),
                       "sm_90a"),
              ErrorKind::Unsupported, {"redux.sync.fmin", "sm_100a"});
  std::string scoped = kernelOf("  llvm.fence syncscope(\"cluster\") acquire");
  expectError(generate(scoped, "sm_89"), ErrorKind::Unsupported, {"cluster scope"});
  EXPECT_TRUE(generate(scoped, "sm_90a").ok());
  expectError(generate(kernelOf("  %y = llvm.inline_asm \"mov $0, $1;\", \"=f,Y\" %x : (f32) -> f32\n"
                                "  llvm.store %y, %p : f32, !llvm.ptr<1>"),
                       "sm_80"),
              ErrorKind::Internal, {"LLVM refuses"});
}

} // namespace
} // namespace tenon::test
