// The compiling half of the C API: text in, an opened artefact out, by the same driver as tenon-compile.
#include "lib/CAPI/Handles.h"

#include "lib/Compiler/Compiler.h"
#include "lib/Compiler/SimulatedGpu.h"
#include "lib/Compiler/TuningTasks.h"
#include "lib/Support/MappedFile.h"

#include <nlohmann/json.hpp>

using namespace tenon;
using tenon::capi::guarded;
using tenon::capi::readStruct;

struct tenon_text {
  std::string text;
};

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
  if (given.tuning)
    options.tuning = given.tuning;
  if (given.from)
    options.from = given.from;
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

extern "C" tenon_error *tenon_tuning_tasks(const char *text, size_t length, const tenon_compile_options *given,
                                           tenon_text **json) {
  return guarded([&]() -> Status {
    if ((!text && length) || !json)
      return invalidArgument("tenon_tuning_tasks: text and result must not be null");
    tenon_compile_options options = {};
    TENON_TRY(readStruct(given, options, "tenon_compile_options"));
    TENON_TRY_ASSIGN(TuningTasks tasks, findTuningTasks({text, length}, optionsFrom(options)));
    *json = new tenon_text{toJson(tasks)};
    return {};
  });
}

extern "C" void tenon_text_get(const tenon_text *text, const char **data, size_t *size) {
  *data = text->text.data();
  *size = text->text.size();
}

extern "C" void tenon_text_free(tenon_text *text) { delete text; }
