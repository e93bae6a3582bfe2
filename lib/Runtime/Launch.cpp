#include "lib/Runtime/Launch.h"

#include "lib/Runtime/ThreadPool.h"

namespace tenon {

static constexpr int64_t maxScratch = int64_t(1) << 32; // bytes a thread; more is a broken plan

Result<PreparedLaunch> prepareLaunch(const Executable &executable, const PlanLaunch &launch,
                                     const std::function<const int64_t *(std::string_view)> &dims) {
  const PlanKernel &kernel = executable.plan().kernels.at(launch.kernel);
  PreparedLaunch prepared;
  prepared.launch = &launch;
  prepared.function = executable.kernelOf(launch);
  for (const Expr &dim : launch.dims) {
    TENON_TRY_ASSIGN(int64_t size, dim.evaluate(dims));
    prepared.dims.push_back(size);
  }
  Result<int64_t> grid = kernel.grid.evaluate(prepared.dims), scratch = kernel.scratch.evaluate(prepared.dims);
  if (!grid.ok() || !scratch.ok())
    return (grid.ok() ? scratch : grid).status().in("kernel '" + launch.kernel + "'");
  if (*grid < 0 || *scratch < 0 || *scratch > maxScratch)
    return corrupt("kernel '" + launch.kernel + "': a grid of " + std::to_string(*grid) + " tasks and " +
                   std::to_string(*scratch) + " bytes of scratch make no sense");
  prepared.grid = *grid;
  prepared.scratch = (*scratch + 63) / 64 * 64;
  return prepared;
}

int64_t PreparedLaunch::scratchOfAll() const {
  return grid <= 1 ? scratch : scratch * ThreadPool::global().numThreads();
}

namespace {
struct Job {
  const PreparedLaunch &launch;
  void *const *buffers;
  char *scratch;
};
} // namespace

void runLaunch(const PreparedLaunch &launch, void *const *buffers, void *scratch) {
  Job job{launch, buffers, static_cast<char *>(scratch)};
  ThreadPool::global().parallelFor(
      launch.grid,
      [](void *data, int64_t first, int64_t last, int worker) {
        const Job &job = *static_cast<const Job *>(data);
        job.launch.function(job.buffers, job.launch.dims.data(), first, last,
                            job.scratch + worker * job.launch.scratch);
      },
      &job);
}

} // namespace tenon
