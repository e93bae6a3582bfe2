#include "lib/Runtime/KernelLibrary.h"

#include <cerrno>
#include <cstring>
#include <dlfcn.h>
#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

namespace tenon {

namespace {
class SharedObject : public KernelLibrary {
public:
  SharedObject(void *handle, int fd) : handle(handle), fd(fd) {}
  ~SharedObject() override {
    ::dlclose(handle);
    ::close(fd);
  }
  void *lookup(const std::string &symbol) override { return ::dlsym(handle, symbol.c_str()); }

private:
  void *handle;
  int fd; // Open as long as the library is loaded: the loader takes a second file of the same path for the first.
};
} // namespace

#if defined(__x86_64__)
static constexpr uint16_t hostMachine = EM_X86_64;
#elif defined(__aarch64__)
static constexpr uint16_t hostMachine = EM_AARCH64;
#else
#error "name this machine's ELF number"
#endif

// The loader of the system believes the program headers, so at least what they say must lie inside the file.
static Status checkElf(std::string_view elf) {
  Elf64_Ehdr header;
  if (elf.size() < sizeof(header) || std::memcmp(elf.data(), ELFMAG, SELFMAG) != 0)
    return corrupt("kernels: not an ELF shared object");
  std::memcpy(&header, elf.data(), sizeof(header));
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_type != ET_DYN)
    return corrupt("kernels: not a 64-bit ELF shared object");
  if (header.e_machine != hostMachine)
    return unsupported("kernels: built for ELF machine " + std::to_string(header.e_machine) + ", this one is " +
                       std::to_string(hostMachine) + ": compile the model for this machine");
  uint64_t tableSize = uint64_t(header.e_phnum) * sizeof(Elf64_Phdr);
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phoff > elf.size() ||
      tableSize > elf.size() - header.e_phoff)
    return corrupt("kernels: the program headers lie outside the file");
  for (int i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    std::memcpy(&segment, elf.data() + header.e_phoff + i * sizeof(segment), sizeof(segment));
    if (segment.p_type == PT_LOAD &&
        (segment.p_offset > elf.size() || segment.p_filesz > elf.size() - segment.p_offset))
      return corrupt("kernels: a segment reaches past the end of the file");
  }
  return {};
}

Result<std::shared_ptr<KernelLibrary>> openSharedObject(std::string_view elf) {
  TENON_TRY(checkElf(elf));
  int fd = ::memfd_create("tenon-kernels", MFD_CLOEXEC);
  if (fd < 0)
    return ioError(std::string("kernels: memfd_create failed: ") + std::strerror(errno));
  for (std::string_view rest = elf; !rest.empty();) {
    ssize_t written = ::write(fd, rest.data(), rest.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0) {
      ::close(fd);
      return outOfMemory("kernels: no memory for " + std::to_string(elf.size()) + " bytes of code");
    }
    rest.remove_prefix(static_cast<size_t>(written));
  }
  void *handle = ::dlopen(("/proc/self/fd/" + std::to_string(fd)).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    const char *reason = ::dlerror();
    ::close(fd);
    return corrupt(std::string("kernels: the system cannot load them: ") + (reason ? reason : "unknown reason"));
  }
  return std::shared_ptr<KernelLibrary>(new SharedObject(handle, fd));
}

} // namespace tenon
