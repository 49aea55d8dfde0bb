// SPDX-License-Identifier: Apache-2.0
#include "verifier/cli/private_memory.h"

#include <sys/prctl.h>
#include <sys/resource.h>

namespace verifier {

bool KeepMemoryPrivate() {
  // A pipe in core_pattern ignores the limit; not being dumpable stops it too.
  const rlimit none = {.rlim_cur = 0, .rlim_max = 0};
  return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
         setrlimit(RLIMIT_CORE, &none) == 0;
}

}  // namespace verifier
