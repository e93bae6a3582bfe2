// The compiling half of the C API: text in, an opened artefact out, by the same driver as tenon-compile.
#include "lib/CAPI/Handles.h"

#include "lib/Compiler/Compiler.h"
#include "lib/Compiler/SimulatedGpu.h"
#include "lib/Support/MappedFile.h"

#include <nlohmann/json.hpp>

using namespace tenon;
using tenon::capi::guarded;
using tenon::capi::readStruct;

// For TENON_CUDA_DRIVER=sim, of whoever loads this library.
[[maybe_unused]] static const bool isSimulatorThere = (provideSimulatedGpu(), true);

static CompileOptions optionsFrom(const tenon_compile_options &given) {
  CompileOptions options;
  if (given.target)
    options.target = given.target;
  if (given.dump_dir)
    options.dumpDir = given.dump_dir;
  if (given.filename)
    options.filename = given.filename;
  options.remarks = given.collect_remarks != 0;
  options.tf32 = given.tf32 != 0;
  options.failOnFallback = given.fail_on_fallback != 0;
  if (given.schedule)
    options.schedules = given.schedule;
  return options;
}

static std::string toJson(const CompileReport &report) {
  nlohmann::ordered_json json = {{"seconds", nlohmann::ordered_json::array()},
                                 {"remarks", nlohmann::ordered_json::array()}};
  for (const auto &[step, seconds] : report.seconds)
    json["seconds"].push_back({step, seconds});
  for (const Remark &remark : report.remarks)
    json["remarks"].push_back({{"kind", remark.kind},
                               {"category", remark.category},
                               {"location", remark.location},
                               {"message", remark.message}});
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

extern "C" tenon_error *tenon_compile(const char *text, size_t length, const tenon_compile_options *given,
                                      tenon_artefact **out) {
  return guarded([&]() -> Status {
    if ((!text && length) || !out)
      return invalidArgument("tenon_compile: text and result must not be null");
    tenon_compile_options options = {};
    TENON_TRY(readStruct(given, options, "tenon_compile_options"));
    // Opened before the work, so that a wrong path costs no compilation.
    std::shared_ptr<const MappedFile> weights;
    if (options.weights_path) {
      TENON_TRY_ASSIGN(weights, MappedFile::open(options.weights_path));
    }
    TENON_TRY_ASSIGN(Compilation compilation, compile({text, length}, optionsFrom(options)));
    TENON_TRY_ASSIGN(std::string bytes, makeArtefact(compilation, weights ? weights->bytes() : std::string_view()));
    TENON_TRY_ASSIGN(std::shared_ptr<const Artefact> artefact, openArtefactBytes(std::move(bytes)));
    *out = new tenon_artefact{std::move(artefact), toJson(compilation.report)};
    return {};
  });
}
