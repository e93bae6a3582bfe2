#include "lib/Support/StoredZip.h"

#include <array>
#include <cstring>
#include <set>

namespace tenon {

//===--- checksum ------------------------------------------------------------------------------------------------===//

// Eight bytes a step (slicing-by-8): weights of an artefact are checked at more than 1 GB/s.
static std::array<std::array<uint32_t, 256>, 8> makeCrcTables() {
  std::array<std::array<uint32_t, 256>, 8> tables{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t c = i;
    for (int k = 0; k < 8; ++k)
      c = c & 1 ? 0xEDB88320u ^ (c >> 1) : c >> 1;
    tables[0][i] = c;
  }
  for (int t = 1; t < 8; ++t)
    for (uint32_t i = 0; i < 256; ++i)
      tables[t][i] = tables[0][tables[t - 1][i] & 255] ^ (tables[t - 1][i] >> 8);
  return tables;
}

uint32_t crc32(std::string_view bytes) {
  static const auto tables = makeCrcTables();
  uint32_t crc = ~0u;
  const char *data = bytes.data();
  size_t size = bytes.size();
  for (; size >= 8; data += 8, size -= 8) {
    uint32_t low, high;
    std::memcpy(&low, data, 4);
    std::memcpy(&high, data + 4, 4);
    low ^= crc;
    crc = tables[7][low & 255] ^ tables[6][low >> 8 & 255] ^ tables[5][low >> 16 & 255] ^ tables[4][low >> 24] ^
          tables[3][high & 255] ^ tables[2][high >> 8 & 255] ^ tables[1][high >> 16 & 255] ^ tables[0][high >> 24];
  }
  for (; size; ++data, --size)
    crc = tables[0][(crc ^ static_cast<unsigned char>(*data)) & 255] ^ (crc >> 8);
  return ~crc;
}

//===--- writing -------------------------------------------------------------------------------------------------===//

static constexpr uint32_t localMagic = 0x04034b50, centralMagic = 0x02014b50, endMagic = 0x06054b50;
static constexpr uint32_t end64Magic = 0x06064b50, locator64Magic = 0x07064b50;
static constexpr size_t localSize = 30, centralSize = 46, endSize = 22, end64Size = 56, locator64Size = 20;
static constexpr uint16_t fixedDate = 33;        // 1980-01-01, the first day the format knows
static constexpr uint16_t paddingField = 0xD935; // "alignment" extra field
static constexpr size_t alignment = 64;
static constexpr uint64_t smallEntry = 16 << 20; // bytes

static void put16(std::string &out, uint32_t value) {
  out += static_cast<char>(value & 255);
  out += static_cast<char>(value >> 8 & 255);
}
static void put32(std::string &out, uint32_t value) {
  put16(out, value & 0xFFFF);
  put16(out, value >> 16);
}

Result<std::string> writeStoredZip(const std::vector<ZipEntry> &entries) {
  std::string out, directory;
  size_t total = 0;
  for (const ZipEntry &entry : entries)
    total += entry.bytes.size() + 2 * entry.name.size() + localSize + centralSize + 2 * alignment;
  if (total >= 0xFFFFFFF0u || entries.size() >= 0xFFFF)
    return unsupported("the archive would pass 4 GiB: keep the weights in a .safetensors file beside it");
  out.reserve(total);
  for (const ZipEntry &entry : entries) {
    if (entry.name.empty() || entry.name.size() > 1000)
      return invalidArgument("zip: entry name of " + std::to_string(entry.name.size()) + " bytes, expected 1 to 1000");
    uint32_t offset = static_cast<uint32_t>(out.size()), size = static_cast<uint32_t>(entry.bytes.size());
    uint32_t crc = crc32(entry.bytes);
    size_t alignedAt = out.size() + localSize + entry.name.size() + 6 + entry.alignedAt;
    uint32_t padding = static_cast<uint32_t>((alignment - alignedAt % alignment) % alignment);
    auto fields = [&](std::string &to) {
      put16(to, 10); // version needed
      put16(to, 0);  // flags
      put16(to, 0);  // stored
      put16(to, 0);  // time
      put16(to, fixedDate);
      put32(to, crc);
      put32(to, size);
      put32(to, size);
      put16(to, static_cast<uint32_t>(entry.name.size()));
    };
    put32(out, localMagic);
    fields(out);
    put16(out, 6 + padding);
    out += entry.name;
    put16(out, paddingField);
    put16(out, 2 + padding);
    put16(out, alignment);
    out.append(padding, '\0');
    out.append(entry.bytes);

    put32(directory, centralMagic);
    put16(directory, 10); // made by
    fields(directory);
    put16(directory, 0); // extra
    put16(directory, 0); // comment
    put16(directory, 0); // disk
    put16(directory, 0); // internal attributes
    put32(directory, 0); // external attributes
    put32(directory, offset);
    directory += entry.name;
  }
  uint32_t directoryAt = static_cast<uint32_t>(out.size());
  out += directory;
  put32(out, endMagic);
  put16(out, 0);
  put16(out, 0);
  put16(out, static_cast<uint32_t>(entries.size()));
  put16(out, static_cast<uint32_t>(entries.size()));
  put32(out, static_cast<uint32_t>(directory.size()));
  put32(out, directoryAt);
  put16(out, 0);
  return out;
}

//===--- reading -------------------------------------------------------------------------------------------------===//

template <typename Integer>
static Integer get(std::string_view bytes, size_t at) { // the caller has checked the bounds
  Integer value;
  std::memcpy(&value, bytes.data() + at, sizeof(value));
  return value;
}

static bool inside(uint64_t at, uint64_t size, uint64_t whole) { return at <= whole && size <= whole - at; }

namespace {
struct Directory {
  uint64_t at = 0, size = 0, count = 0;
};
} // namespace

static Result<Directory> findDirectory(std::string_view archive) {
  if (archive.size() < endSize)
    return corrupt("zip: " + std::to_string(archive.size()) + " bytes are too few for an archive");
  // The end record is last but for a comment of at most 65,535 bytes.
  size_t lowest = archive.size() > endSize + 0xFFFF ? archive.size() - endSize - 0xFFFF : 0;
  for (size_t at = archive.size() - endSize + 1; at-- > lowest;) {
    if (get<uint32_t>(archive, at) != endMagic || at + endSize + get<uint16_t>(archive, at + 20) != archive.size())
      continue;
    Directory found{get<uint32_t>(archive, at + 16), get<uint32_t>(archive, at + 12), get<uint16_t>(archive, at + 10)};
    bool wide = found.at == 0xFFFFFFFFu || found.size == 0xFFFFFFFFu || found.count == 0xFFFF;
    if (wide && at >= locator64Size && get<uint32_t>(archive, at - locator64Size) == locator64Magic) {
      uint64_t end64 = get<uint64_t>(archive, at - locator64Size + 8);
      if (!inside(end64, end64Size, archive.size()) || get<uint32_t>(archive, end64) != end64Magic)
        return corrupt("zip: the 64-bit end record is not where the locator points");
      found = {get<uint64_t>(archive, end64 + 48), get<uint64_t>(archive, end64 + 40),
               get<uint64_t>(archive, end64 + 32)};
    }
    if (!inside(found.at, found.size, at))
      return corrupt("zip: the directory lies outside the file");
    return found;
  }
  return corrupt("zip: no end of directory: not a zip archive, or cut short");
}

// Sizes and offset of 0xFFFFFFFF are in the extra field with the number 1, in this order, each only when asked for.
static bool readWideFields(std::string_view extra, uint64_t &size, uint64_t &stored, uint64_t &offset) {
  while (extra.size() >= 4) {
    uint16_t id = get<uint16_t>(extra, 0), length = get<uint16_t>(extra, 2);
    if (length > extra.size() - 4)
      return false;
    std::string_view field = extra.substr(4, length);
    extra.remove_prefix(4 + length);
    if (id != 1)
      continue;
    for (uint64_t *wanted : {&size, &stored, &offset})
      if (*wanted == 0xFFFFFFFFu) {
        if (field.size() < 8)
          return false;
        *wanted = get<uint64_t>(field, 0);
        field.remove_prefix(8);
      }
    return true;
  }
  return size != 0xFFFFFFFFu && stored != 0xFFFFFFFFu && offset != 0xFFFFFFFFu;
}

Result<std::vector<ZipEntry>> readStoredZip(std::string_view archive, ZipChecksums checksums) {
  TENON_TRY_ASSIGN(Directory directory, findDirectory(archive));
  std::string_view records = archive.substr(directory.at, directory.size);
  std::vector<ZipEntry> entries;
  std::set<std::string> names;
  for (uint64_t i = 0; i < directory.count; ++i) {
    std::string where = "zip: entry " + std::to_string(i);
    if (records.size() < centralSize || get<uint32_t>(records, 0) != centralMagic)
      return corrupt(where + ": the directory is cut short");
    uint16_t flags = get<uint16_t>(records, 8), method = get<uint16_t>(records, 10);
    uint64_t stored = get<uint32_t>(records, 20), size = get<uint32_t>(records, 24);
    uint64_t offset = get<uint32_t>(records, 42);
    size_t nameSize = get<uint16_t>(records, 28), extraSize = get<uint16_t>(records, 30);
    size_t recordSize = centralSize + nameSize + extraSize + get<uint16_t>(records, 32);
    if (recordSize > records.size())
      return corrupt(where + ": the directory is cut short");
    std::string name(records.substr(centralSize, nameSize));
    if (name.empty() || !names.insert(name).second)
      return corrupt(where + ": its name is empty or given twice");
    where = "zip: entry '" + name + "'";
    if (flags & 1)
      return unsupported(where + " is encrypted");
    if (method != 0)
      return unsupported(where + " is compressed (method " + std::to_string(method) +
                         "): store it instead (numpy.savez, zip -0)");
    if (!readWideFields(records.substr(centralSize + nameSize, extraSize), size, stored, offset) || size != stored)
      return corrupt(where + ": its sizes disagree");
    if (!inside(offset, localSize, archive.size()) || get<uint32_t>(archive, offset) != localMagic)
      return corrupt(where + ": no entry where the directory points");
    uint64_t dataAt = offset + localSize + get<uint16_t>(archive, offset + 26) + get<uint16_t>(archive, offset + 28);
    if (!inside(dataAt, size, directory.at))
      return corrupt(where + ": its " + std::to_string(size) + " bytes reach past the end of the data");
    std::string_view bytes = archive.substr(dataAt, size);
    bool verify = checksums == ZipChecksums::All || size <= smallEntry;
    if (verify && crc32(bytes) != get<uint32_t>(records, 16))
      return corrupt(where + ": its checksum is wrong: the file was damaged, make it again");
    entries.push_back({std::move(name), bytes});
    records.remove_prefix(recordSize);
  }
  return entries;
}

} // namespace tenon
