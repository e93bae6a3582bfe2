#include "tools/tenon-run/Arrays.h"

#include "lib/Support/AtomicFile.h"
#include "lib/Support/MappedFile.h"
#include "lib/Support/Npy.h"
#include "lib/Support/StoredZip.h"

#include <cstring>

namespace tenon::tool {

// Walks the row-major order of the result; the source's stride along an axis is the product of the sizes before it.
static void copyColumnMajor(const NpyArray &array, char *to) {
  size_t element = static_cast<size_t>(bitsPerElement(array.dtype) / 8), rank = array.shape.size();
  std::vector<int64_t> strides(rank, 1), index(rank, 0);
  for (size_t d = 1; d < rank; ++d)
    strides[d] = strides[d - 1] * array.shape[d - 1];
  for (size_t done = 0; done < array.bytes.size(); done += element) {
    int64_t from = 0;
    for (size_t d = 0; d < rank; ++d)
      from += index[d] * strides[d];
    std::memcpy(to + done, array.bytes.data() + static_cast<size_t>(from) * element, element);
    for (size_t d = rank; d-- > 0 && ++index[d] == array.shape[d];)
      index[d] = 0;
  }
}

static Result<Array> readArray(std::string_view file, std::string name) {
  TENON_TRY_ASSIGN(NpyArray array, readNpy(file));
  TENON_TRY_ASSIGN(Tensor tensor, Tensor::allocate(array.dtype, array.shape));
  if (array.fortran && array.shape.size() > 1)
    copyColumnMajor(array, static_cast<char *>(tensor.buffer.data()));
  else if (!array.bytes.empty())
    std::memcpy(tensor.buffer.data(), array.bytes.data(), array.bytes.size());
  return Array{std::move(name), std::move(tensor)};
}

static Result<std::vector<Array>> readFile(std::string_view file) {
  std::vector<Array> arrays;
  if (file.substr(0, 2) != "PK") {
    TENON_TRY_ASSIGN(Array array, readArray(file, ""));
    arrays.push_back(std::move(array));
    return arrays;
  }
  TENON_TRY_ASSIGN(std::vector<ZipEntry> entries, readStoredZip(file));
  for (const ZipEntry &entry : entries) {
    std::string name = entry.name;
    if (name.size() > 4 && name.compare(name.size() - 4, 4, ".npy") == 0)
      name.resize(name.size() - 4);
    Result<Array> array = readArray(entry.bytes, name);
    if (!array.ok())
      return array.status().in("array '" + name + "'");
    arrays.push_back(array.take());
  }
  return arrays;
}

Result<std::vector<Array>> readArrays(const std::string &path) {
  TENON_TRY_ASSIGN(std::shared_ptr<const MappedFile> file, MappedFile::open(path));
  Result<std::vector<Array>> arrays = readFile(file->bytes());
  return arrays.ok() ? std::move(arrays) : arrays.status().in(path);
}

static bool endsIn(const std::string &path, const char *ending) {
  size_t length = std::strlen(ending);
  return path.size() > length && path.compare(path.size() - length, length, ending) == 0;
}

static Result<std::string> npyOf(const Array &array) {
  return writeNpy(
      array.tensor.dtype, array.tensor.shape,
      {static_cast<const char *>(array.tensor.buffer.data()), static_cast<size_t>(array.tensor.ref().bytes())});
}

Status writeArrays(const std::string &path, const std::vector<Array> &arrays) {
  if (endsIn(path, ".npy")) {
    if (arrays.size() != 1)
      return invalidArgument("'" + path + "': a .npy holds one array, the model has " + std::to_string(arrays.size()) +
                             " outputs: name a .npz");
    TENON_TRY_ASSIGN(std::string bytes, npyOf(arrays[0]));
    return writeFileAtomically(path, bytes);
  }
  if (!endsIn(path, ".npz"))
    return invalidArgument("'" + path + "': outputs are written as .npz or .npy");
  std::vector<std::string> files;
  for (const Array &array : arrays) {
    Result<std::string> bytes = npyOf(array);
    if (!bytes.ok())
      return bytes.status().in("output '" + array.name + "'");
    files.push_back(bytes.take());
  }
  std::vector<ZipEntry> entries;
  for (size_t i = 0; i < arrays.size(); ++i)
    entries.push_back({arrays[i].name + ".npy", files[i]});
  TENON_TRY_ASSIGN(std::string bytes, writeStoredZip(entries));
  return writeFileAtomically(path, bytes);
}

} // namespace tenon::tool
