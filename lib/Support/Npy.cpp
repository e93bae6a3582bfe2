#include "lib/Support/Npy.h"

#include <cstring>

namespace tenon {

static constexpr std::string_view magic("\x93NUMPY", 6);
static constexpr std::pair<DataType, std::string_view> typeNames[] = {
    {DataType::F64, "<f8"}, {DataType::F32, "<f4"}, {DataType::F16, "<f2"},      {DataType::BF16, "|V2"},
    {DataType::I64, "<i8"}, {DataType::I32, "<i4"}, {DataType::I16, "<i2"},      {DataType::I8, "|i1"},
    {DataType::I1, "|b1"},  {DataType::U8, "|u1"},  {DataType::F8E4M3FN, "|V1"}, {DataType::F8E5M2, "|V1"},
};

namespace {
/// The header's dictionary: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }.
class HeaderReader {
public:
  explicit HeaderReader(std::string_view text) : text(text) {}

  bool take(char c) {
    skip();
    if (text.empty() || text[0] != c)
      return false;
    text.remove_prefix(1);
    return true;
  }
  bool word(std::string_view expected) {
    skip();
    if (text.substr(0, expected.size()) != expected)
      return false;
    text.remove_prefix(expected.size());
    return true;
  }
  bool quoted(std::string &out) {
    skip();
    if (text.empty() || (text[0] != '\'' && text[0] != '"'))
      return false;
    size_t end = text.find(text[0], 1);
    if (end == std::string_view::npos)
      return false;
    out = std::string(text.substr(1, end - 1));
    text.remove_prefix(end + 1);
    return true;
  }
  bool number(int64_t &out) {
    skip();
    size_t digits = 0;
    out = 0;
    for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits)
      if (__builtin_mul_overflow(out, int64_t(10), &out) ||
          __builtin_add_overflow(out, int64_t(text[digits] - '0'), &out))
        return false;
    text.remove_prefix(digits);
    return digits > 0;
  }
  bool shape(std::vector<int64_t> &out) {
    if (!take('('))
      return false;
    while (!take(')')) {
      int64_t size;
      if (out.size() >= 32 || !number(size))
        return false;
      out.push_back(size);
      if (!take(',')) {
        // One size without a comma is a number in brackets, not a tuple.
        return out.size() > 1 && take(')');
      }
    }
    return true;
  }

private:
  void skip() {
    while (!text.empty() && (text[0] == ' ' || text[0] == '\n' || text[0] == '\t'))
      text.remove_prefix(1);
  }
  std::string_view text;
};
} // namespace

Result<NpyArray> readNpy(std::string_view file) {
  if (file.size() < 10 || file.substr(0, 6) != magic)
    return corrupt("npy: not a NumPy array file");
  unsigned major = static_cast<unsigned char>(file[6]);
  if (major < 1 || major > 3)
    return unsupported("npy: version " + std::to_string(major) + ", expected 1 to 3");
  uint64_t headerSize = 0;
  size_t lengthBytes = major == 1 ? 2 : 4;
  if (file.size() < 8 + lengthBytes)
    return corrupt("npy: cut short");
  std::memcpy(&headerSize, file.data() + 8, lengthBytes);
  size_t headerAt = 8 + lengthBytes;
  if (headerSize > file.size() - headerAt)
    return corrupt("npy: a header of " + std::to_string(headerSize) + " bytes does not fit into the file");

  HeaderReader header(file.substr(headerAt, headerSize));
  NpyArray array;
  std::string key, descr;
  bool haveShape = false, haveOrder = false;
  bool ok = header.take('{');
  while (ok && !header.take('}')) {
    ok = header.quoted(key) && header.take(':');
    if (ok && key == "descr" && descr.empty())
      ok = header.quoted(descr);
    else if (ok && key == "fortran_order" && !haveOrder) {
      haveOrder = true;
      array.fortran = header.word("True");
      ok = array.fortran || header.word("False");
    } else if (ok && key == "shape" && !haveShape)
      ok = haveShape = header.shape(array.shape);
    else
      ok = false;
    if (ok && !header.take(',')) {
      ok = header.take('}');
      break;
    }
  }
  if (!ok || descr.empty() || !haveShape || !haveOrder)
    return corrupt("npy: its header is not a dictionary of descr, fortran_order and shape");
  bool known = false;
  for (auto [type, name] : typeNames)
    if (!known && name == descr) {
      array.dtype = type;
      known = true;
    }
  if (!known)
    return unsupported("npy: elements '" + descr + "', expected little-endian floats or integers, e.g. '<f4' or '<i8'");
  std::optional<int64_t> expected = bytesOfShape(array.dtype, array.shape);
  array.bytes = file.substr(headerAt + headerSize);
  if (!expected || static_cast<uint64_t>(*expected) != array.bytes.size())
    return corrupt("npy: " + std::to_string(array.bytes.size()) + " bytes of data do not fit its type and shape");
  return array;
}

Result<std::string> writeNpy(DataType dtype, const std::vector<int64_t> &shape, std::string_view bytes) {
  std::string_view descr;
  for (auto [type, name] : typeNames)
    if (type == dtype)
      descr = name;
  if (descr.empty())
    return unsupported("npy: no way to write elements of type " + std::string(dataTypeName(dtype)));
  if (bytesOfShape(dtype, shape) != static_cast<int64_t>(bytes.size()))
    return invalidArgument("npy: " + std::to_string(bytes.size()) + " bytes do not fit type and shape");
  std::string header = "{'descr': '" + std::string(descr) + "', 'fortran_order': False, 'shape': (";
  for (size_t i = 0; i < shape.size(); ++i)
    header += std::to_string(shape[i]) + (shape.size() == 1 || i + 1 < shape.size() ? "," : "") +
              (i + 1 < shape.size() ? " " : "");
  header += "), }";
  header.append((64 - (10 + header.size() + 1) % 64) % 64, ' ');
  header += '\n';
  std::string out(magic);
  out += '\x01';
  out += '\0';
  out += static_cast<char>(header.size() & 255);
  out += static_cast<char>(header.size() >> 8);
  out += header;
  out.append(bytes);
  return out;
}

} // namespace tenon
