// A zip without compression: stock tools read it, and its entries can be used in place from a mapped file. The writer
// is deterministic (fixed time, order as given) and puts every entry at a multiple of 64, by padding the extra field.
// The reader takes the central directory as the truth (with the 64-bit extension) and trusts no number in the file.
#pragma once

#include "lib/Support/Status.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tenon {

struct ZipEntry {
  std::string name;
  std::string_view bytes;
  size_t alignedAt = 0; ///< for the writer: which of its bytes comes to lie at the multiple of 64
};

/// The archive's bytes. Unsupported when it would pass 4 GiB.
Result<std::string> writeStoredZip(const std::vector<ZipEntry> &entries);

/// Which checksums to verify: a big entry costs a read of all its pages.
enum class ZipChecksums { All, SmallEntries /* up to 16 MiB */ };

/// The entries point into `archive`. Corrupt names the place; compressed or encrypted entries are Unsupported.
Result<std::vector<ZipEntry>> readStoredZip(std::string_view archive, ZipChecksums checksums = ZipChecksums::All);

uint32_t crc32(std::string_view bytes);

} // namespace tenon
