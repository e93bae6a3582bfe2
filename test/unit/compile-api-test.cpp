// tenon_compile of the C API: what it makes loads and runs, the same text gives the same bytes, and every wrong use is
// typed error. What kernels compute is tested elsewhere.
#include "test/unit/RuntimeModel.h"

#include "lib/Support/AtomicFile.h"
#include "tenon-c/tenon.h"

#include <gtest/gtest.h>

using namespace tenon::test;

static const char *const viewModel = R"(
func.func @main(%x: tensor<?x4xf32> {tenon.dims = ["batch", ""], tenon.name = "x"})
    -> (tensor<?x2x2xf32> {tenon.name = "y"}, tensor<4xf32> {tenon.name = "w"}) {
  %y = tenon.reshape %x : (tensor<?x4xf32>) -> tensor<?x2x2xf32>
  %w = tenon.weight "w" : tensor<4xf32>
  return %y, %w : tensor<?x2x2xf32>, tensor<4xf32>
}
)";

static tenon_artefact *compileText(const std::string &text, tenon_compile_options options = {}) {
  options.struct_size = sizeof(options);
  tenon_artefact *artefact = nullptr;
  tenon_error *error = tenon_compile(text.data(), text.size(), &options, &artefact);
  EXPECT_EQ(error, nullptr) << tenon_error_message(error);
  tenon_error_free(error);
  return artefact;
}

static std::string bytesOf(const tenon_artefact *artefact) {
  const void *data;
  size_t size;
  tenon_artefact_bytes(artefact, &data, &size);
  return std::string(static_cast<const char *>(data), size);
}

TEST(CompileApi, WhatItMakesRuns) {
  std::string weights = temporaryPath("view.safetensors");
  ASSERT_TRUE(tenon::writeFileAtomically(weights, modelWeights()).ok());
  tenon_compile_options options = {};
  options.weights_path = weights.c_str();
  tenon_artefact *artefact = compileText(viewModel, options);
  ASSERT_NE(artefact, nullptr);
  tenon_executable *exe = nullptr;
  ASSERT_EQ(tenon_executable_load(artefact, nullptr, &exe), nullptr);
  tenon_artefact_free(artefact);
  tenon_context *context = nullptr;
  ASSERT_EQ(tenon_context_create(exe, &context), nullptr);
  float x[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, y[12] = {}, w[4] = {};
  int64_t shape[2] = {3, 4};
  tenon_tensor input = {sizeof(tenon_tensor), x, TENON_F32, 2, shape, nullptr, TENON_HOST, 0}, outputs[2] = {};
  outputs[0].struct_size = outputs[1].struct_size = sizeof(tenon_tensor);
  ASSERT_EQ(tenon_context_output_shapes(context, &input, 1, outputs, 2), nullptr);
  ASSERT_EQ(outputs[0].rank, 3);
  EXPECT_EQ(outputs[0].shape[0], 3);
  outputs[0].data = y;
  outputs[1].data = w;
  ASSERT_EQ(tenon_context_run(context, &input, 1, outputs, 2), nullptr);
  EXPECT_EQ(y[11], 11);
  EXPECT_EQ(w[3], 4);
  tenon_context_free(context);
  tenon_executable_free(exe);
}

TEST(CompileApi, SameTextSameBytes) {
  tenon_artefact *first = compileText(viewModel), *second = compileText(viewModel);
  EXPECT_EQ(bytesOf(first), bytesOf(second));
  tenon_artefact_free(first);
  tenon_artefact_free(second);
}

TEST(CompileApi, MetadataReportAndWeightsAddedLater) {
  std::string weights = temporaryPath("later.safetensors"), path = temporaryPath("later.tnx");
  ASSERT_TRUE(tenon::writeFileAtomically(weights, modelWeights()).ok());
  std::string text = std::string("module attributes {tenon.metadata = \"kept \\22as is\\22\"} {") + viewModel + "}";
  tenon_artefact *artefact = compileText(text);
  ASSERT_NE(artefact, nullptr);
  const char *json;
  size_t size;
  tenon_artefact_manifest(artefact, &json, &size);
  EXPECT_NE(std::string(json, size).find(R"("metadata": "kept \"as is\"")"), std::string::npos);
  tenon_artefact_report(artefact, &json, &size);
  EXPECT_EQ(std::string(json, size).rfind(R"({"seconds":[["parse",)", 0), 0u) << std::string(json, size);

  // Without weights it does not load; saved with them, it does.
  tenon_executable *exe = nullptr;
  tenon_error *error = tenon_executable_load(artefact, nullptr, &exe);
  EXPECT_EQ(tenon_error_get_kind(error), TENON_NOT_FOUND);
  tenon_error_free(error);
  error = tenon_artefact_save_with_weights(artefact, path.c_str(), path.c_str());
  EXPECT_EQ(tenon_error_get_kind(error), TENON_NOT_FOUND) << tenon_error_message(error);
  tenon_error_free(error);
  ASSERT_EQ(tenon_artefact_save_with_weights(artefact, path.c_str(), weights.c_str()), nullptr);
  tenon_artefact_free(artefact);
  ASSERT_EQ(tenon_artefact_open(path.c_str(), &artefact), nullptr);
  ASSERT_EQ(tenon_executable_load(artefact, nullptr, &exe), nullptr);
  tenon_artefact_report(artefact, &json, &size);
  EXPECT_EQ(size, 0u);
  tenon_executable_free(exe);
  tenon_artefact_free(artefact);
}

// The system's loader knows a library by its path; kernels come from memory, where every path looks alike.
TEST(CompileApi, TwoModelsAtOnceKeepTheirKernels) {
  auto load = [](const char *op) {
    std::string type = "tensor<4xf32>", text = "func.func @main(%x: " + type + ") -> " + type + " {\n";
    text += std::string("  %r = tenon.") + op + " %x : (" + type + ") -> " + type + "\n  return %r : " + type + "\n}";
    tenon_artefact *artefact = compileText(text);
    tenon_executable *exe = nullptr;
    tenon_error *error = tenon_executable_load(artefact, nullptr, &exe);
    EXPECT_EQ(error, nullptr) << tenon_error_message(error);
    tenon_error_free(error);
    tenon_artefact_free(artefact);
    return exe;
  };
  tenon_executable *models[] = {load("abs"), load("neg")};
  float expected[] = {2, -2};
  for (int i = 0; i < 2; ++i) {
    ASSERT_NE(models[i], nullptr);
    tenon_context *context = nullptr;
    ASSERT_EQ(tenon_context_create(models[i], &context), nullptr);
    float x[4] = {2, 2, 2, 2}, y[4] = {};
    int64_t shape[1] = {4};
    tenon_tensor input = {sizeof(tenon_tensor), x, TENON_F32, 1, shape, nullptr, TENON_HOST, 0}, output = input;
    output.data = y;
    ASSERT_EQ(tenon_context_run(context, &input, 1, &output, 1), nullptr);
    EXPECT_EQ(y[3], expected[i]);
    tenon_context_free(context);
  }
  for (tenon_executable *model : models)
    tenon_executable_free(model);
}

// Equal outputs become one value, which is written once and copied.
TEST(CompileApi, OneValueMayBeSeveralOutputs) {
  tenon_artefact *artefact = compileText("func.func @main(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, "
                                         "tensor<2x2xf32>) {\n"
                                         "  %y = tenon.neg %x : (tensor<4xf32>) -> tensor<4xf32>\n"
                                         "  %z = tenon.neg %x : (tensor<4xf32>) -> tensor<4xf32>\n"
                                         "  %v = tenon.reshape %z : (tensor<4xf32>) -> tensor<2x2xf32>\n"
                                         "  return %y, %z, %v : tensor<4xf32>, tensor<4xf32>, tensor<2x2xf32>\n}");
  ASSERT_NE(artefact, nullptr);
  tenon_executable *exe = nullptr;
  ASSERT_EQ(tenon_executable_load(artefact, nullptr, &exe), nullptr);
  tenon_artefact_free(artefact);
  tenon_context *context = nullptr;
  ASSERT_EQ(tenon_context_create(exe, &context), nullptr);
  float x[4] = {1, 2, 3, 4}, results[3][4] = {};
  int64_t shape[1] = {4}, square[2] = {2, 2};
  tenon_tensor input = {sizeof(tenon_tensor), x, TENON_F32, 1, shape, nullptr, TENON_HOST, 0}, outputs[3];
  for (int i = 0; i < 3; ++i)
    outputs[i] = {sizeof(tenon_tensor),   results[i], TENON_F32,  i < 2 ? 1 : 2,
                  i < 2 ? shape : square, nullptr,    TENON_HOST, 0};
  ASSERT_EQ(tenon_context_run(context, &input, 1, outputs, 3), nullptr);
  for (auto &result : results)
    for (int i = 0; i < 4; ++i)
      EXPECT_EQ(result[i], -x[i]);
  tenon_context_free(context);
  tenon_executable_free(exe);
}

TEST(CompileApi, WrongUseIsATypedError) {
  struct Case {
    std::string text;
    const char *target, *weights;
    tenon_error_kind kind;
    const char *message;
  } cases[] = {
      {"func.func @main(", nullptr, nullptr, TENON_INVALID_ARGUMENT, "m.mlir:1:"},
      {"module {}", nullptr, nullptr, TENON_UNSUPPORTED, "main"},
      {"module {}", "gpu", nullptr, TENON_INVALID_ARGUMENT, "target 'gpu' is unknown"},
      {"module {}", "cpu:nothing", nullptr, TENON_INVALID_ARGUMENT, "names no processor LLVM knows"},
      {"module {}", nullptr, "/nonexistent.safetensors", TENON_NOT_FOUND, "/nonexistent.safetensors"},
      {"ML\xefR", nullptr, nullptr, TENON_UNSUPPORTED, "bytecode"},
      {std::string(300, '('), nullptr, nullptr, TENON_INVALID_ARGUMENT, "nested more than 256 deep"},
  };
  for (const Case &c : cases) {
    tenon_compile_options options = {};
    options.struct_size = sizeof(options);
    options.filename = "m.mlir";
    options.target = c.target;
    options.weights_path = c.weights;
    tenon_artefact *artefact = nullptr;
    tenon_error *error = tenon_compile(c.text.data(), c.text.size(), &options, &artefact);
    ASSERT_NE(error, nullptr) << c.message;
    EXPECT_EQ(tenon_error_get_kind(error), c.kind) << tenon_error_message(error);
    EXPECT_NE(std::string(tenon_error_message(error)).find(c.message), std::string::npos) << tenon_error_message(error);
    EXPECT_EQ(artefact, nullptr);
    tenon_error_free(error);
  }
  tenon_artefact *artefact = nullptr;
  tenon_error *error = tenon_compile(nullptr, 4, nullptr, &artefact);
  EXPECT_EQ(tenon_error_get_kind(error), TENON_INVALID_ARGUMENT);
  tenon_error_free(error);
  tenon_compile_options unset = {};
  error = tenon_compile("", 0, &unset, &artefact);
  EXPECT_NE(std::string(tenon_error_message(error)).find("struct_size is 0"), std::string::npos);
  tenon_error_free(error);
}
