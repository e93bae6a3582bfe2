#include "lib/Target/Cubin.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace tenon {

// Each number was seen in the output of ptxas 13.0 for PTX that holds the instruction (sm_80, sm_86, sm_89, sm_90a),
// and the unit tests see most of them again. fp8 mma.sync is QMMA on sm_89, but HMMA behind conversions on sm_90a,
// where only wgmma has fp8.
const std::vector<SassOpcode> &sassOpcodes() {
  static const std::vector<SassOpcode> table = {
      {0x23c, "HMMA", true},       // mma.sync f16, bf16, tf32
      {0x237, "IMMA", true},       // mma.sync i8
      {0x27a, "QMMA", true},       // mma.sync fp8
      {0x23f, "DMMA", true},       // mma.sync f64
      {0x9f0, "HGMMA", true},      // wgmma f16, bf16, tf32, both operands in shared memory
      {0xdf0, "HGMMA", true},      // its first operand in registers
      {0x9f1, "IGMMA", true},      // wgmma i8
      {0xdf1, "IGMMA", true},      // its first operand in registers
      {0x9f3, "QGMMA", true},      // wgmma fp8
      {0xdf3, "QGMMA", true},      // its first operand in registers
      {0x223, "FFMA", false},      // all registers
      {0x423, "FFMA", false},      // immediate addend
      {0x623, "FFMA", false},      // addend in the constant bank
      {0x823, "FFMA", false},      // immediate factor
      {0xa23, "FFMA", false},      // factor in the constant bank
      {0xc23, "FFMA", false},      // uniform register
      {0x231, "HFMA2", false},     // fma f16x2
      {0x308, "MUFU", false},      // ex2, lg2, rcp, rsqrt, tanh
      {0x23e, "F2FP", false},      // packed conversion
      {0x5b4, "UTMALDG", false},   // TMA load
      {0x3b5, "UTMASTG", false},   // TMA store
      {0x3ba, "UBLKCP", false},    // bulk copy without a tensor map
      {0xfae, "LDGSTS", false},    // cp.async
      {0x83b, "LDSM", false},      // ldmatrix
      {0x844, "STSM", false},      // stmatrix
      {0x981, "LDG", false},       // ld.global
      {0x986, "STG", false},       // st.global
      {0x984, "LDS", false},       // ld.shared
      {0x388, "STS", false},       // st.shared
      {0x988, "STS", false},       // its address in a uniform register
      {0x983, "LDL", false},       // ld.local: spills and stack
      {0x387, "STL", false},       // st.local
      {0xb1d, "BAR", false},       // bar.sync, bar.arrive
      {0x5a7, "SYNCS", false},     // mbarrier.try_wait
      {0x9a7, "SYNCS", false},     // mbarrier.arrive
      {0x5b2, "SYNCS", false},     // mbarrier.init
      {0x992, "MEMBAR", false},    // membar, fence
      {0x9c5, "WARPGROUP", false}, // wgmma.fence, wgmma.wait_group
      {0x989, "SHFL", false},      // shfl.sync
      {0x589, "SHFL", false},      // mask immediate
      {0xf89, "SHFL", false},      // lane and mask immediate
      {0x9a8, "ATOMG", false},     // atom.global
      {0x94d, "EXIT", false},      // end of a thread
  };
  return table;
}

static constexpr uint16_t nop = 0x918;

int64_t CubinFunction::count(const std::string &opcode) const {
  auto found = opcodes.find(opcode);
  return found == opcodes.end() ? 0 : found->second;
}

int64_t CubinFunction::numTensorCore() const {
  // By name, as one name has several opcodes.
  std::map<std::string, bool> names;
  for (const SassOpcode &opcode : sassOpcodes())
    names[opcode.name] |= opcode.isTensorCore;
  int64_t total = 0;
  for (const auto &[name, number] : opcodes)
    total += names[name] ? number : 0;
  return total;
}

const CubinFunction *Cubin::find(std::string_view name) const {
  for (const CubinFunction &function : functions)
    if (function.name == name)
      return &function;
  return nullptr;
}

namespace {

constexpr size_t headerSize = 64, sectionSize = 64, symbolSize = 24, instructionSize = 16;
constexpr uint16_t machineCuda = 190;
constexpr uint32_t typeSymbols = 2, typeNoBits = 8;
constexpr uint8_t entryFlag = 0x10; // in st_other

struct Section {
  std::string_view name, bytes;
  uint32_t type = 0, link = 0;
};

/// Little-endian; the caller has checked the bounds.
template <typename T>
T readAt(std::string_view bytes, size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof(T));
  return value;
}

Status malformed(const std::string &what) {
  return corrupt("the cubin is malformed: " + what +
                 "; it is truncated or was not written by ptxas, assemble it again");
}

/// The text at `offset` of a table of 0-terminated strings.
Result<std::string_view> stringAt(std::string_view table, uint64_t offset) {
  if (offset >= table.size())
    return malformed("a name lies behind its string table");
  std::string_view rest = table.substr(offset);
  size_t end = rest.find('\0');
  if (end == std::string_view::npos)
    return malformed("a name does not end");
  return rest.substr(0, end);
}

Result<std::vector<Section>> readSections(std::string_view bytes) {
  if (bytes.size() < headerSize)
    return malformed(std::to_string(bytes.size()) + " bytes hold no ELF header");
  if (bytes.substr(0, 6) != std::string_view("\177ELF\2\1", 6))
    return malformed("it does not start as a little-endian 64-bit ELF file");
  if (uint16_t machine = readAt<uint16_t>(bytes, 18); machine != machineCuda)
    return malformed("its machine is " + std::to_string(machine) + ", CUDA is " + std::to_string(machineCuda));
  uint64_t table = readAt<uint64_t>(bytes, 40);
  size_t entrySize = readAt<uint16_t>(bytes, 58), count = readAt<uint16_t>(bytes, 60),
         names = readAt<uint16_t>(bytes, 62);
  if (entrySize != sectionSize)
    return malformed("its section headers have " + std::to_string(entrySize) + " bytes, not 64");
  if (table > bytes.size() || count > (bytes.size() - table) / sectionSize)
    return malformed("its " + std::to_string(count) + " section headers end behind the file");
  if (names >= count)
    return malformed("its section names are in no section");
  std::vector<Section> sections(count);
  std::vector<uint32_t> nameOffsets;
  for (size_t index = 0; index < count; ++index) {
    size_t at = table + index * sectionSize;
    nameOffsets.push_back(readAt<uint32_t>(bytes, at));
    Section &section = sections[index];
    section.type = readAt<uint32_t>(bytes, at + 4);
    section.link = readAt<uint32_t>(bytes, at + 40);
    if (section.type == 0 || section.type == typeNoBits)
      continue;
    uint64_t offset = readAt<uint64_t>(bytes, at + 24), size = readAt<uint64_t>(bytes, at + 32);
    if (offset > bytes.size() || size > bytes.size() - offset)
      return malformed("section " + std::to_string(index) + " ends behind the file");
    section.bytes = bytes.substr(offset, size);
  }
  for (size_t index = 0; index < count; ++index)
    if (sections[index].type != 0) {
      TENON_TRY_ASSIGN(sections[index].name, stringAt(sections[names].bytes, nameOffsets[index]));
    }
  return sections;
}

/// Names of the functions that the host may launch.
Result<std::vector<std::string_view>> readKernelNames(const std::vector<Section> &sections) {
  std::vector<std::string_view> names;
  for (const Section &section : sections) {
    if (section.type != typeSymbols)
      continue;
    if (section.bytes.size() % symbolSize != 0)
      return malformed("its symbol table ends within a symbol");
    if (section.link >= sections.size())
      return malformed("its symbol table names no string table");
    for (size_t at = 0; at < section.bytes.size(); at += symbolSize)
      if (readAt<uint8_t>(section.bytes, at + 5) & entryFlag) {
        TENON_TRY_ASSIGN(std::string_view name,
                         stringAt(sections[section.link].bytes, readAt<uint32_t>(section.bytes, at)));
        names.push_back(name);
      }
  }
  return names;
}

bool isWarpgroupDot(std::string_view opcode) { return opcode.substr(1) == "GMMA"; }

/// By a thread: what TMA and cp.async bring, and what dots read, is not.
bool isSharedAccess(std::string_view opcode) {
  return opcode == "LDS" || opcode == "STS" || opcode == "LDSM" || opcode == "STSM";
}

} // namespace

Result<Cubin> readCubin(std::string_view bytes) {
  TENON_TRY_ASSIGN(std::vector<Section> sections, readSections(bytes));
  TENON_TRY_ASSIGN(std::vector<std::string_view> kernels, readKernelNames(sections));
  std::vector<const char *> names(1 << 12, nullptr);
  for (const SassOpcode &opcode : sassOpcodes())
    names[opcode.code] = opcode.name;
  Cubin cubin;
  const std::string_view prefix = ".text.";
  for (const Section &section : sections) {
    if (section.name.substr(0, prefix.size()) != prefix || section.type == typeNoBits)
      continue;
    CubinFunction function;
    function.name = section.name.substr(prefix.size());
    if (cubin.find(function.name))
      return malformed("function '" + function.name + "' is there twice");
    if (section.bytes.empty() || section.bytes.size() % instructionSize != 0)
      return malformed("the code of '" + function.name + "' is no whole number of 16-byte instructions");
    function.isKernel = std::find(kernels.begin(), kernels.end(), function.name) != kernels.end();
    int64_t sharedSinceDot = 0;
    for (size_t at = 0; at < section.bytes.size(); at += instructionSize) {
      uint16_t code = readAt<uint16_t>(section.bytes, at) & 0xfff;
      function.numInstructions += code != nop;
      if (!names[code])
        continue;
      if (isWarpgroupDot(names[code]))
        function.numSharedBetweenDots += std::exchange(sharedSinceDot, 0);
      else
        sharedSinceDot += function.numWarpgroupDots() > 0 && isSharedAccess(names[code]);
      ++function.opcodes[names[code]];
    }
    cubin.functions.push_back(std::move(function));
  }
  for (std::string_view kernel : kernels)
    if (!cubin.find(kernel))
      return malformed("kernel '" + std::string(kernel) + "' has no code");
  if (cubin.functions.empty())
    return malformed("it holds no code");
  std::sort(cubin.functions.begin(), cubin.functions.end(),
            [](const CubinFunction &a, const CubinFunction &b) { return a.name < b.name; });
  return cubin;
}

} // namespace tenon
