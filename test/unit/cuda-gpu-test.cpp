// On a real GPU, where there is one: kernels written by hand as PTX, which the driver compiles, through the same plan,
// executable, context and graph as a compiled model's.
#include "lib/Runtime/Context.h"
#include "lib/Runtime/CudaContext.h"

#include <gtest/gtest.h>

#include <cstdlib>

using namespace tenon;

// y[i] = a[i] + b[i], i < d0.
static const char *const addPtx = R"(
.version 7.0
.target sm_70
.address_size 64
.visible .entry add(.param .u64 a, .param .u64 b, .param .u64 y, .param .u64 d0, .param .u64 ws) {
  .reg .pred %p<3>;
  .reg .b32 %r<6>;
  .reg .f32 %f<4>;
  .reg .b64 %x<12>;
  ld.param.u64 %x0, [a];
  ld.param.u64 %x1, [b];
  ld.param.u64 %x2, [y];
  ld.param.u64 %x3, [d0];
  mov.u32 %r0, %ctaid.x;
  mov.u32 %r1, %ntid.x;
  mov.u32 %r2, %tid.x;
  mad.lo.u32 %r3, %r0, %r1, %r2;
  cvt.u64.u32 %x4, %r3;
  setp.ge.s64 %p0, %x4, %x3;
  @%p0 bra DONE;
  shl.b64 %x5, %x4, 2;
  add.u64 %x6, %x0, %x5;
  add.u64 %x7, %x1, %x5;
  add.u64 %x8, %x2, %x5;
  ld.global.f32 %f0, [%x6];
  ld.global.f32 %f1, [%x7];
  add.f32 %f2, %f0, %f1;
  st.global.f32 [%x8], %f2;
DONE:
  ret;
}
)";

// y = x of [d0, 64] f32, by boxes of [8, 32]: a CTA of 32 threads loads one box by TMA; clusters of 2 CTAs side by
// side, each of which waits for the other at the end. grid = (2, ceil(d0 / 8)).
static const char *const copyPtx = R"(
.version 8.0
.target sm_90
.address_size 64
.visible .entry copy(.param .u64 x, .param .u64 y, .param .u64 d0, .param .u64 ws, .param .align 64 .b8 map[128]) {
  .shared .align 128 .b8 tile[1024];
  .shared .align 8 .b64 bar;
  .reg .pred %p<6>;
  .reg .b32 %r<20>;
  .reg .f32 %f<2>;
  .reg .b64 %x<12>;
  mov.u32 %r0, %tid.x;
  mov.u32 %r1, %ctaid.x;
  mov.u32 %r2, %ctaid.y;
  mov.u32 %r3, tile;
  mov.u32 %r4, bar;
  shl.b32 %r5, %r1, 5;
  shl.b32 %r6, %r2, 3;
  mov.b64 %x0, map;
  cvta.param.u64 %x1, %x0;
  setp.ne.u32 %p0, %r0, 0;
  @%p0 bra READY;
  mbarrier.init.shared.b64 [%r4], 1;
  fence.proxy.async;
  mbarrier.arrive.expect_tx.shared.b64 %x2, [%r4], 1024;
  cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%r3], [%x1, {%r5, %r6}], [%r4];
READY:
  bar.sync 0;
WAIT:
  mbarrier.try_wait.parity.shared.b64 %p1, [%r4], 0;
  @!%p1 bra WAIT;
  ld.param.u64 %x3, [y];
  ld.param.u64 %x4, [d0];
  mov.u32 %r7, 0;
ROW:
  add.u32 %r8, %r6, %r7;
  cvt.u64.u32 %x5, %r8;
  setp.ge.s64 %p2, %x5, %x4;
  @%p2 bra DONE;
  shl.b32 %r9, %r7, 7;
  shl.b32 %r10, %r0, 2;
  add.u32 %r11, %r9, %r10;
  add.u32 %r12, %r3, %r11;
  ld.shared.f32 %f0, [%r12];
  shl.b64 %x6, %x5, 8;
  add.u32 %r13, %r5, %r0;
  mul.wide.u32 %x7, %r13, 4;
  add.u64 %x8, %x3, %x6;
  add.u64 %x9, %x8, %x7;
  st.global.f32 [%x9], %f0;
  add.u32 %r7, %r7, 1;
  setp.lt.u32 %p3, %r7, 8;
  @%p3 bra ROW;
DONE:
  barrier.cluster.arrive.aligned;
  barrier.cluster.wait.aligned;
  ret;
}
)";

namespace {
class CudaGpu : public testing::Test {
protected:
  void SetUp() override {
    auto opened = cuda::Device::open(0);
    if (!opened.ok())
      GTEST_SKIP() << opened.status().message();
    device = opened.take();
    std::printf("on %s, sm_%d\n", device->name().c_str(), device->capability());
  }
  std::shared_ptr<cuda::Device> device;
};
} // namespace

static PlanValue valueOf(int64_t id, ValueKind kind, std::vector<Expr> shape, const char *name = "") {
  PlanValue value;
  value.id = id;
  value.kind = kind;
  value.shape = std::move(shape);
  value.name = name;
  return value;
}

static LaunchPlan planFor(const cuda::Device &device, std::vector<PlanDim> dims) {
  LaunchPlan plan;
  plan.format = LaunchPlan::cudaFormat;
  plan.target = "cuda:sm_" + std::to_string(device.capability());
  plan.dims = std::move(dims);
  return plan;
}

// t = x + x, y = t + x.
TEST_F(CudaGpu, AddWithDynamicSizesOnHostDeviceAndGraph) {
  Expr n = Expr::dimension("n"), d0 = Expr::dimension("d0");
  LaunchPlan plan = planFor(*device, {{"n", 1, 1 << 24}});
  plan.values = {valueOf(0, ValueKind::Input, {n}, "x"), valueOf(1, ValueKind::Temp, {n}),
                 valueOf(2, ValueKind::Output, {n}, "y")};
  plan.inputs = {0};
  plan.outputs = {2};
  plan.launches = {{"add", {0, 0}, {1}, {n}}, {"add", {1, 0}, {2}, {n}}};
  PlanKernel &kernel = plan.kernels["add"];
  kernel.symbol = "add";
  kernel.scratch = kernel.cuda.emplace().zeroedBytes = Expr::constant(64);
  kernel.cuda->cubin = "add";
  kernel.cuda->block = {128, 1, 1};
  kernel.cuda->grid[0] = Expr::binary(Expr::Kind::CeilDiv, d0, Expr::constant(128));
  auto exe = Executable::createCuda(plan, {{"add", addPtx}}, "", nullptr, 0);
  ASSERT_TRUE(exe.ok()) << exe.status().message();
  Context context(*exe);
  for (int64_t size : {1, 127, 1000, 1 << 20}) {
    std::vector<float> x(static_cast<size_t>(size)), y(x.size());
    for (size_t i = 0; i < x.size(); ++i)
      x[i] = static_cast<float>(i % 1001);
    std::vector<TensorRef> inputs = {{x.data(), DataType::F32, {size}}}, outputs = {{y.data(), DataType::F32, {size}}};
    auto check = [&] {
      for (size_t i = 0; i < x.size(); ++i)
        ASSERT_EQ(y[i], 3 * x[i]) << i << " of " << size;
      std::fill(y.begin(), y.end(), -1.0f);
    };
    Status status = context.run(inputs, outputs);
    ASSERT_TRUE(status.ok()) << status.message();
    check();
    auto graph = context.capture(inputs);
    ASSERT_TRUE(graph.ok()) << graph.status().message();
    for (int i = 0; i < 3; ++i) {
      status = (*graph)->run(inputs, outputs);
      ASSERT_TRUE(status.ok()) << status.message();
      check();
    }
    // In place on the device, on the driver's default stream.
    auto memory = device->allocate(4 * size, "a test").take();
    std::vector<TensorRef> onDevice = {{memory.data(), DataType::F32, {size}, 0}};
    ASSERT_TRUE(context.setStream(nullptr).ok());
    status = context.run(inputs, onDevice);
    ASSERT_TRUE(status.ok()) << status.message();
    std::vector<TensorRef> back = {{y.data(), DataType::F32, {size}}};
    status = (*graph)->run(onDevice, back); // 3 * 3 * x
    ASSERT_TRUE(status.ok()) << status.message();
    for (size_t i = 0; i < x.size(); ++i)
      ASSERT_EQ(y[i], 9 * x[i]) << i << " of " << size;
  }
}

TEST_F(CudaGpu, ClustersAndTensorMaps) {
  if (device->capability() < 90)
    GTEST_SKIP() << "clusters and TMA are of sm_90 and later";
  Expr n = Expr::dimension("n"), d0 = Expr::dimension("d0"), width = Expr::constant(64);
  LaunchPlan plan = planFor(*device, {{"n", 1, 1 << 16}});
  plan.values = {valueOf(0, ValueKind::Input, {n, width}, "x"), valueOf(1, ValueKind::Temp, {n, width}),
                 valueOf(2, ValueKind::Output, {n, width}, "y")};
  plan.inputs = {0};
  plan.outputs = {2};
  plan.launches = {{"copy", {0}, {1}, {n}}, {"copy", {1}, {2}, {n}}};
  PlanKernel &kernel = plan.kernels["copy"];
  kernel.symbol = "copy";
  kernel.cuda.emplace().cubin = "copy";
  kernel.cuda->block = {32, 1, 1};
  kernel.cuda->cluster = {2, 1, 1};
  kernel.cuda->grid = {Expr::constant(2), Expr::binary(Expr::Kind::CeilDiv, d0, Expr::constant(8)), Expr::constant(1)};
  PlanTensorMap map;
  map.sizes = {width, d0};
  map.strides = {Expr::constant(256)};
  map.box = {32, 8};
  kernel.cuda->tensorMaps = {map};
  auto exe = Executable::createCuda(plan, {{"copy", copyPtx}}, "", nullptr, 0);
  ASSERT_TRUE(exe.ok()) << exe.status().message();
  Context context(*exe);
  for (int64_t rows : {1, 8, 9, 1000}) { // a tail is read as zeros and not written
    std::vector<float> x(static_cast<size_t>(64 * rows)), y(x.size(), -1);
    for (size_t i = 0; i < x.size(); ++i)
      x[i] = static_cast<float>(i % 4099);
    std::vector<TensorRef> inputs = {{x.data(), DataType::F32, {rows, 64}}};
    std::vector<TensorRef> outputs = {{y.data(), DataType::F32, {rows, 64}}};
    Status status = context.run(inputs, outputs);
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(x, y) << rows;
    auto graph = context.capture(inputs);
    ASSERT_TRUE(graph.ok()) << graph.status().message();
    std::fill(y.begin(), y.end(), -1.0f);
    status = (*graph)->run(inputs, outputs);
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(x, y) << rows;
  }
}
