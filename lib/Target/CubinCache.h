// Cubins on disk, so that a kernel is assembled once a machine and not once a process. An entry is believed only when
// everything fits: its header, its whole key and the hash of all its bytes. Whatever goes wrong with the cache costs
// time, never a result or an error.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace tenon {

/// All that the bytes of a cubin depend on.
struct CubinKey {
  std::string compiler;  ///< version of Tenon
  std::string assembler; ///< version of ptxas
  std::string arch;
  std::string ptx;
};

struct CubinEntry {
  std::string cubin;
  std::string log; ///< of ptxas, from which the gates are checked again
};

class CubinCache {
public:
  using Log = std::function<void(const std::string &)>;

  /// TENON_CACHE_DIR (empty: no cache), else XDG_CACHE_HOME/tenon, else HOME/.cache/tenon; empty when there is none.
  static std::string defaultFolder();
  /// Makes `folder`, with mode 0700. When it cannot be made, or belongs to another user, the cache is off and `log`
  /// gets one line; it is off without one when `folder` is empty.
  CubinCache(std::string folder, Log log);

  bool isOn() const { return on; }
  /// Nothing for what is not there. An entry that does not fit is removed, with one line to the log.
  std::optional<CubinEntry> load(const CubinKey &key) const;
  /// The first entry that cannot be written (no space, say) gets a line to the log, and no other is tried.
  void store(const CubinKey &key, const CubinEntry &entry) const;
  std::string pathOf(const CubinKey &key) const;

private:
  std::string folder;
  Log log;
  bool on = false;
  mutable std::atomic<bool> canStore{true};
};

} // namespace tenon
