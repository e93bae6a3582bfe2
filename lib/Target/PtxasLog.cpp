#include "lib/Target/PtxasLog.h"

#include <optional>

namespace tenon {
namespace {

std::string_view nextLine(std::string_view &text) {
  size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return line;
}

/// The number that stands right before `unit`, as in "168 registers".
std::optional<int64_t> numberBefore(std::string_view line, std::string_view unit) {
  size_t at = line.find(unit);
  if (at == std::string_view::npos)
    return std::nullopt;
  size_t end = at, begin = at;
  while (begin > 0 && line[begin - 1] >= '0' && line[begin - 1] <= '9')
    --begin;
  if (begin == end || end - begin > 18)
    return std::nullopt;
  return std::stoll(std::string(line.substr(begin, end - begin)));
}

/// What stands between two apostrophes after `lead`.
std::optional<std::string> quotedAfter(std::string_view line, std::string_view lead) {
  size_t at = line.find(lead);
  if (at == std::string_view::npos)
    return std::nullopt;
  size_t begin = at + lead.size(), end = line.find('\'', begin);
  if (end == std::string_view::npos)
    return std::nullopt;
  return std::string(line.substr(begin, end - begin));
}

bool contains(std::string_view line, std::string_view part) { return line.find(part) != std::string_view::npos; }

/// "(C7514)" and the like.
bool hasCode(std::string_view line) {
  for (size_t at = line.find("(C"); at != std::string_view::npos; at = line.find("(C", at + 1)) {
    size_t end = at + 2;
    while (end < line.size() && line[end] >= '0' && line[end] <= '9')
      ++end;
    if (end > at + 2 && end < line.size() && line[end] == ')')
      return true;
  }
  return false;
}

/// "error   : ..", "fatal   : .." of ptxas, not the word within a message.
bool isError(std::string_view line) {
  size_t colon = line.find(" : ");
  if (colon == std::string_view::npos)
    return false;
  std::string_view head = line.substr(0, colon);
  while (!head.empty() && head.back() == ' ')
    head.remove_suffix(1);
  for (std::string_view word : {"error", "fatal"})
    if (head.size() >= word.size() && head.substr(head.size() - word.size()) == word)
      return true;
  return false;
}

} // namespace

const PtxasKernelInfo *PtxasLog::find(std::string_view name) const {
  for (const PtxasKernelInfo &kernel : kernels)
    if (kernel.name == name)
      return &kernel;
  return nullptr;
}

Result<PtxasLog> parsePtxasLog(std::string_view text) {
  PtxasLog log;
  auto unreadable = [](std::string_view line) {
    return corrupt("this line of ptxas -v has not the form Tenon knows: '" + std::string(line) +
                   "'; use a ptxas of CUDA 12 or 13");
  };
  PtxasKernelInfo *kernel = nullptr; // the last entry named
  bool isOfFunction = false;         // properties of a called function follow, not the entry's
  while (!text.empty()) {
    std::string_view line = nextLine(text);
    if (hasCode(line))
      log.codedLines.emplace_back(line);
    if (isError(line) && log.error.empty()) {
      log.error = line;
      if (contains(line, ", line "))
        log.errorLine = numberBefore(line, ";").value_or(0);
    }
    if (contains(line, "Compiling entry function")) {
      std::optional<std::string> name = quotedAfter(line, "Compiling entry function '");
      if (!name)
        return unreadable(line);
      log.kernels.push_back({*name});
      kernel = &log.kernels.back();
    } else if (contains(line, "Function properties for ")) {
      std::string_view lead = "Function properties for ";
      isOfFunction = !kernel || line.substr(line.find(lead) + lead.size()) != kernel->name;
    } else if (contains(line, "bytes stack frame")) {
      std::optional<int64_t> stack = numberBefore(line, " bytes stack frame"),
                             stores = numberBefore(line, " bytes spill stores"),
                             loads = numberBefore(line, " bytes spill loads");
      if (!stack || !stores || !loads)
        return unreadable(line);
      if (!kernel)
        continue;
      // A called function's spills are the kernel's too.
      kernel->spillStoreBytes += *stores;
      kernel->spillLoadBytes += *loads;
      if (!isOfFunction)
        kernel->stackBytes = *stack;
    } else if (contains(line, ": Used ") && kernel) {
      std::optional<int64_t> registers = numberBefore(line, " registers");
      if (!registers)
        return unreadable(line);
      kernel->registers = *registers;
      kernel->barriers = numberBefore(line, " barriers").value_or(0);
      kernel->sharedBytes = numberBefore(line, " bytes smem").value_or(0);
    }
  }
  return log;
}

std::string stripPtxasTimes(std::string_view text) {
  std::string kept;
  while (!text.empty()) {
    std::string_view line = nextLine(text);
    if (!contains(line, "Compile time = "))
      kept += std::string(line) + "\n";
  }
  return kept;
}

} // namespace tenon
