// A file that is replaced whole or not at all: the bytes go to a temporary beside it, are forced to the disk, and take
// the name by rename. When anything fails (no space, no permission, a crash) the old file is still there.
#pragma once

#include "lib/Support/Status.h"

#include <string>
#include <string_view>

namespace tenon {

/// Errors: Io or NotFound (the folder) with the system's reason; the temporary is removed.
Status writeFileAtomically(const std::string &path, std::string_view bytes);

} // namespace tenon
